"""A broker in a container advertises an address that only its neighbours reach. The client uses the published port instead."""

import socket

from pyrocketmq.nameserver import AddressRewriting, EmbeddedNameServer, SyncNameServerClient


def connect(address: str) -> bool:
    """Whether somebody listens there."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=5):
            return True
    except OSError:
        return False


def main() -> None:
    """Find the broker of a topic and connect to it."""
    # In the place of a broker whose port 10911 the container publishes here, as any free port.
    with EmbeddedNameServer() as server, socket.create_server(("127.0.0.1", 0)) as broker:
        published = f"127.0.0.1:{broker.getsockname()[1]}"
        server.register("example-cluster", "broker-a", "172.17.0.2:10911", topics={"orders": 4})
        server.register("example-cluster", "broker-b", "172.17.0.3:10921", topics={"orders": 4})
        # The first rule that matches an address counts: one container by name, and the rest of the network by its ports.
        rules = AddressRewriting().exact("172.17.0.2:10911", published).cidr("172.17.0.0/16", "127.0.0.1")
        with SyncNameServerClient(server.address, rewrite_addresses=rules) as client:
            for group in client.query_topic_route_info("orders").broker_data_list:
                used, advertised = group.broker_addresses[0], group.advertised[0]
                print(f"{group.broker_name} advertises {advertised}, which is {used} from here")
                if group.broker_name == "broker-a":
                    print(f"  connected: {connect(used)}")


if __name__ == "__main__":
    main()
