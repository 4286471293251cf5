"""A producer: where does the next message of a topic go? Asks a NameServer of its own; nothing else is needed."""

from pyrocketmq.nameserver import EmbeddedNameServer, RouteCache, SyncNameServerClient


def main() -> None:
    """Send ten messages, or say where they would go."""
    with EmbeddedNameServer() as server:
        server.register("example-cluster", "broker-a", "127.0.0.1:10911", topics={"orders": 4})
        server.register("example-cluster", "broker-b", "127.0.0.1:10921", topics={"orders": 4})
        with SyncNameServerClient(server.address) as client, RouteCache(client=client) as cache:
            for message in range(10):
                # In the cache, fresh: this asks nobody.
                route = cache.get_route("orders")
                assert route is not None
                masters = {broker.broker_name: broker.broker_addresses.get(0) for broker in route.broker_data_list}
                queues = [
                    (queue.broker_name, number)
                    for queue in route.queue_data_list
                    if queue.perm & 2 and masters.get(queue.broker_name)
                    for number in range(queue.write_queue_nums)
                ]
                broker, number = queues[message % len(queues)]
                print(f"message {message} -> queue {number} of {broker} at {masters[broker]}")
            # A broker that cannot be reached: its topics are asked for again behind the producer's back.
            print(f"broker-a failed: {cache.report_failure('broker-a')} topics are looked at again")


if __name__ == "__main__":
    main()
