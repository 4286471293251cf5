"""A consumer: which queues of a topic are mine, when several consumers share them, and whom do I ask for messages?"""

from pyrocketmq.nameserver import (
    EmbeddedNameServer,
    MessageQueue,
    RouteCache,
    SyncNameServerClient,
    check_group,
    find_broker_address_in_subscribe,
    retry_topic,
    subscribe_queues,
)


def share(queues: list[MessageQueue], consumer: int, consumers: int) -> list[MessageQueue]:
    """The share of one consumer, as RocketMQ's averaging strategy has it: the first ones get one more."""
    each, more = divmod(len(queues), consumers)
    start = consumer * each + min(consumer, more)
    return queues[start : start + each + (consumer < more)]


def main() -> None:
    """Share the queues of two brokers among three consumers."""
    group = "payers"
    check_group(group)
    with EmbeddedNameServer() as server:
        server.register("example-cluster", "broker-a", "127.0.0.1:10911", topics={"orders": 4})
        server.register("example-cluster", "broker-a", "127.0.0.1:10912", 1, topics={"orders": 4})
        server.register("example-cluster", "broker-b", "127.0.0.1:10921", topics={"orders": 4})
        with SyncNameServerClient(server.address) as client, RouteCache(client=client) as cache:
            route = cache.get_route("orders")
            assert route is not None
            # All consumers of a group must have them in the same order.
            queues = sorted(subscribe_queues("orders", route))
            for consumer in range(3):
                print(f"consumer {consumer} reads {', '.join(map(str, share(queues, consumer, 3)))}")
            for broker in ("broker-a", "broker-b"):
                # A slave if there is one, else the master.
                found = find_broker_address_in_subscribe(route, broker, broker_id=1)
                assert found is not None
                print(f"{broker} is read at {found.broker_addr}, {'a slave' if found.slave else 'the master'}")
            print(f"what it cannot handle comes again from {retry_topic(group)}")
            server.register("example-cluster", "broker-b", "127.0.0.1:10921", topics={"orders": 8})
            print(f"now there are {len(subscribe_queues('orders', cache.refresh_route('orders')))} queues")


if __name__ == "__main__":
    main()
