"""A consumer: which queues of a topic are mine, when several consumers share them?"""

from pyrocketmq.nameserver import EmbeddedNameServer, RouteCache, SyncNameServerClient, TopicRouteData


def queues_of(route: TopicRouteData) -> list[tuple[str, int]]:
    """Every queue that may be read, by broker name and number."""
    readable = sorted((queue for queue in route.queue_data_list if queue.perm & 4), key=lambda queue: queue.broker_name)
    return [(queue.broker_name, number) for queue in readable for number in range(queue.read_queue_nums)]


def share(queues: list[tuple[str, int]], consumer: int, consumers: int) -> list[tuple[str, int]]:
    """The share of one consumer, as RocketMQ's averaging strategy has it: the first ones get one more."""
    each, more = divmod(len(queues), consumers)
    start = consumer * each + min(consumer, more)
    return queues[start : start + each + (consumer < more)]


def main() -> None:
    """Share the queues of two brokers among three consumers."""
    with EmbeddedNameServer() as server:
        server.register("example-cluster", "broker-a", "127.0.0.1:10911", topics={"orders": 4})
        server.register("example-cluster", "broker-b", "127.0.0.1:10921", topics={"orders": 4})
        with SyncNameServerClient(server.address) as client, RouteCache(client=client) as cache:
            route = cache.get_route("orders")
            assert route is not None
            queues = queues_of(route)
            for consumer in range(3):
                print(f"consumer {consumer} reads {share(queues, consumer, 3)}")
            server.register("example-cluster", "broker-b", "127.0.0.1:10921", topics={"orders": 8})
            print(f"now there are {len(queues_of(cache.refresh_route('orders')))} queues")


if __name__ == "__main__":
    main()
