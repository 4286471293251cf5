"""Code that was written for the managers of the older pure-Python package: it runs as it is, on the route cache."""

import logging
import sys

from pyrocketmq.nameserver import EmbeddedNameServer, create_nameserver_manager


def main() -> None:
    """Ask for brokers and routes while one server goes and the other one cannot answer."""
    logging.basicConfig(stream=sys.stdout, format="%(name)s says: %(message)s")
    with EmbeddedNameServer() as first, EmbeddedNameServer() as second:
        for server in (first, second):
            server.register("example-cluster", "broker-a", "127.0.0.1:10911", topics={"orders": 4})
            server.register("example-cluster", "broker-a", "127.0.0.1:10921", 1)
        manager = create_nameserver_manager(f"{first.address};{second.address}", timeout=2)
        manager.start()
        print(f"started: {manager.get_cache_info()}")
        print(f"the master of broker-a: {manager.get_broker_address('broker-a')}")
        print(f"where to read from: {manager.get_broker_address_in_subscription('broker-a', 1)}")
        print(f"the masters of orders: {manager.get_all_broker_addresses('orders')}")
        first.stop()
        second.set_faults("not-ready")
        # What is known is served. What is not is None, as it always was; now one can see why.
        print(f"no server answers, orders: {manager.get_all_broker_addresses('orders')}")
        print(f"no server answers, payments: {manager.get_topic_route('payments')}, {manager.errors}")
        manager.stop()


if __name__ == "__main__":
    main()
