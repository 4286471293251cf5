"""A producer: where does the next message of a topic go? Asks a NameServer of its own; nothing else is needed."""

from pyrocketmq.nameserver import (
    EmbeddedNameServer,
    RouteCache,
    SyncNameServerClient,
    find_broker_address_in_publish,
    publish_queues,
)


def main() -> None:
    """Send ten messages, or say where they would go."""
    with EmbeddedNameServer() as server:
        server.register("example-cluster", "broker-a", "127.0.0.1:10911", topics={"orders": 4})
        # This one creates topics by itself.
        server.register("example-cluster", "broker-b", "127.0.0.1:10921", topics={"orders": 4, "TBW102": 8})
        with SyncNameServerClient(server.address) as client, RouteCache(client=client) as cache:
            for message in range(10):
                # In the cache, fresh: this asks nobody.
                route = cache.route_to_publish("orders")
                queues = publish_queues("orders", route)
                queue = queues[message % len(queues)]
                address = find_broker_address_in_publish(route, queue.broker_name)
                print(f"message {message} -> queue {queue.queue_id} of {queue.broker_name} at {address}")
            # A broker that cannot be reached: its topics are asked for again behind the producer's back.
            print(f"broker-a failed: {cache.report_failure('broker-a')} topics are looked at again")
            # A topic that is not there yet goes to the brokers that will create it.
            route = cache.route_to_publish("payments")
            where = ", ".join(str(queue) for queue in publish_queues("payments", route))
            print(f"payments will be created: {where}" if route.is_default else where)


if __name__ == "__main__":
    main()
