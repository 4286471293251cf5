"""Many topics at once: pipelined over one connection, a route or an error for each."""

from pyrocketmq.nameserver import EmbeddedNameServer, NameServerError, RouteCache, SyncNameServerClient


def main() -> None:
    """Ask for three topics, one of which is not there."""
    with EmbeddedNameServer() as server:
        server.register("example-cluster", "broker-a", "127.0.0.1:10911", topics={"orders": 4, "payments": 2})
        topics = ["orders", "payments", "no-such-topic"]
        with SyncNameServerClient(server.address) as client:
            for topic, answer in zip(topics, client.query_topic_route_infos(topics), strict=True):
                if isinstance(answer, NameServerError):
                    print(f"{topic}: {answer.code}")
                else:
                    print(f"{topic}: {len(answer.broker_data_list)} brokers")
            with RouteCache(client=client) as cache:
                ready = [route for route in cache.preload(topics) if not isinstance(route, NameServerError)]
                print(f"{len(ready)} of {len(topics)} routes are ready before the first message")


if __name__ == "__main__":
    main()
