"""What changes about a topic, as it changes."""

import asyncio

from pyrocketmq.nameserver import (
    AsyncNameServerClient,
    AsyncRouteCache,
    BrokerAdded,
    BrokerRemoved,
    EmbeddedNameServer,
    TopicFound,
)


async def follow(server: EmbeddedNameServer) -> None:
    """Print changes, and make them one after the other."""
    # Changes are seen when a route is refreshed: here within a fraction of a second, by default within 30 s.
    async with AsyncNameServerClient(server.address) as client, AsyncRouteCache(client, ttl=0.2) as cache:
        async for change in cache.watch(["orders"]):
            match change:
                case TopicFound(after=after):
                    print(f"orders has {len(after.broker_data_list)} broker")
                    server.register("example-cluster", "broker-b", "127.0.0.1:10921", topics={"orders": 4})
                case BrokerAdded(after=after):
                    print(f"+ {after.broker_name} {after.broker_addresses}")
                    server.unregister("broker-a")
                case BrokerRemoved(before=before):
                    print(f"- {before.broker_name}")
                    return
                case other:
                    print(f"  {other}")


def main() -> None:
    """Watch a topic of a NameServer of its own."""
    with EmbeddedNameServer() as server:
        server.register("example-cluster", "broker-a", "127.0.0.1:10911", topics={"orders": 4})
        asyncio.run(follow(server))


if __name__ == "__main__":
    main()
