"""How to test code that asks a NameServer: with one that runs in the test, and that fails on demand.

With pytest the fixtures `nameserver` and `nameserver_client` do the same.
"""

from pyrocketmq.nameserver import (
    EmbeddedNameServer,
    NameServerResponseError,
    NameServerTimeoutError,
    SyncNameServerClient,
)


def writable_queues(client: SyncNameServerClient, topic: str) -> int:
    """The code under test: how many queues can be written to?"""
    return sum(queue.write_queue_nums for queue in client.query_topic_route_info(topic).queue_data_list)


def fails(client: SyncNameServerClient, topic: str, error: type[Exception]) -> bool:
    """Whether the code under test fails in that way."""
    try:
        writable_queues(client, topic)
    except error:
        return True
    return False


def main() -> None:
    """Test it with a server that works, and with one that does not."""
    with EmbeddedNameServer() as server, SyncNameServerClient(server.address, timeout=0.3) as client:
        server.register("test-cluster", "broker-a", "127.0.0.1:10911", topics={"orders": 8})
        assert writable_queues(client, "orders") == 8
        assert fails(client, "other", NameServerResponseError)
        server.set_faults("not-ready")
        assert fails(client, "orders", NameServerResponseError)
        server.set_faults("silent")
        assert fails(client, "orders", NameServerTimeoutError)
        server.clear_faults()
        assert writable_queues(client, "orders") == 8
        print("all as expected")


if __name__ == "__main__":
    main()
