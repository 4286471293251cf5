"""What is there? Clusters, their brokers with roles, their topics with permissions."""

from pyrocketmq.nameserver import (
    EmbeddedNameServer,
    NameServerError,
    QueueData,
    SyncNameServerClient,
    TopicConfig,
    is_system_topic,
    select_broker_addr,
)


def permission(queue: QueueData) -> str:
    """As operators write it: `RW`, `R-`, `-W` or `--`."""
    return ("R" if queue.is_readable else "-") + ("W" if queue.is_writable else "-")


def overview(client: SyncNameServerClient) -> None:
    """Print all of it."""
    info = client.get_broker_cluster_info()
    for cluster, names in sorted(info.cluster_addr_table.items()):
        print(cluster)
        for name in sorted(names):
            broker = info.broker_addr_table[name]
            print(f"  {name}, asked at {select_broker_addr(broker)}")
            for member, address in sorted(broker.broker_addresses.items()):
                print(f"    {member} {'master' if member == 0 else 'slave '} {address}")
        topics = sorted(topic for topic in client.get_topics_by_cluster(cluster) if not is_system_topic(topic))
        for topic, route in zip(topics, client.query_topic_route_infos(topics), strict=True):
            if isinstance(route, NameServerError):
                print(f"  {topic}: {route}")
                continue
            queues = sorted(route.queue_data_list, key=lambda queue: queue.broker_name)
            print(f"  {topic}: " + ", ".join(f"{queue.broker_name} {permission(queue)}" for queue in queues))


def main() -> None:
    """Look at a NameServer of its own, which two clusters have registered with."""
    read_only = TopicConfig("archive", 4, 4, perm=4)
    with EmbeddedNameServer() as server:
        server.register("shop", "broker-a", "127.0.0.1:10911", topics={"orders": 8, "TBW102": 8})
        server.register("shop", "broker-a", "127.0.0.1:10912", 1, topics={"orders": 8, "TBW102": 8})
        server.register("shop", "broker-b", "127.0.0.1:10921", topics={"orders": 8})
        server.register("bank", "broker-c", "127.0.0.1:10931", topics=[read_only])
        with SyncNameServerClient(server.address) as client:
            overview(client)


if __name__ == "__main__":
    main()
