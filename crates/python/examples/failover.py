"""Two NameServers, one of which stops to answer: what do calls and the cache do?"""

from time import perf_counter

from pyrocketmq.nameserver import EmbeddedNameServer, NameServerError, RouteCache, SyncNameServerClient


def main() -> None:
    """Make one server silent and then the other one unusable."""
    with EmbeddedNameServer() as first, EmbeddedNameServer() as second:
        for server in (first, second):
            server.register("example-cluster", "broker-a", "127.0.0.1:10911", topics={"orders": 4})
        servers = f"{first.address};{second.address}"
        with SyncNameServerClient(servers, timeout=2) as client, RouteCache(client=client, ttl=1) as cache:
            cache.get_route("orders")
            first.set_faults("silent")
            for call in range(3):
                started = perf_counter()
                client.query_topic_route_info("orders")
                print(f"one server is silent, call {call}: {perf_counter() - started:.4f} s")
            second.set_faults("not-ready")
            try:
                client.query_topic_route_info("orders")
            except NameServerError as error:
                print(f"no server answers: {error}")
            route = cache.get_route("orders")
            assert route is not None
            print(f"the cache still serves {len(route.broker_data_list)} broker, stale: {route.stale}")
            first.clear_faults()
            cache.wait_for_route("orders", lambda _: True, timeout=10)
            print("and a server answers again")


if __name__ == "__main__":
    main()
