"""A cluster: the node that owns our slot is found, and followed through failovers and moves (P8, P9)."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from authsvc.errors import OperatorError
from tests.conftest import MakeService
from tests.fixtures.cluster import Cluster, cluster, wait_for
from tests.fixtures.known_tokens import KnownTokens, becomes, log_out, readiness
from tests.fixtures.processes import free_port
from tests.fixtures.redis import RedisServer
from tests.fixtures.service import Registered, Service

pytestmark = pytest.mark.only("postgres-jwt", reason="the way to Redis is the same for both formats")


@pytest.fixture(scope="session")
def nodes() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture
def settled(nodes: Cluster) -> Iterator[Cluster]:
    """All nodes are there again when the test is over."""
    yield nodes
    nodes.settle()


async def through(node: RedisServer, service_with: MakeService) -> Service:
    """A service that was told of one node only, and waits for a node for a quarter of a second."""
    return await service_with(redis_url=SecretStr(node.url()), redis_timeout_seconds=0.25)


async def has_our_keys(node: RedisServer) -> bool:
    async with Redis.from_url(node.url()) as client:
        return bool(await client.get("{authsvc}:marker"))


async def test_a_node_that_does_not_own_our_slot_leads_to_the_one_that_does(
    service_with: MakeService, caller: Registered, nodes: Cluster
) -> None:
    tokens = await KnownTokens.of(await through(nodes.owner(), service_with))
    for node in (*nodes.others(), nodes.replica()):
        led = await through(node, service_with)
        assert (await readiness(led))["status"] == "ready"
        await tokens.are_judged_by_redis(led, caller)
    assert await has_our_keys(nodes.owner())


async def test_a_failover_is_followed_though_the_url_names_the_lost_node_alone(
    service_with: MakeService, caller: Registered, settled: Cluster
) -> None:
    before = settled.owner()
    led = await through(before, service_with)
    tokens = await KnownTokens.of(led)

    before.kill()
    await tokens.are_judged_rightly(led, caller)
    await becomes(led, "ready")

    wait_for(lambda: settled.owner() is not before)  # the node that is asked hears of it from the others
    await tokens.are_judged_by_redis(led, caller)


async def test_an_owner_that_becomes_a_replica_and_lives_on_is_left(
    service_with: MakeService, caller: Registered, settled: Cluster
) -> None:
    before = settled.owner()
    led = await through(before, service_with)
    tokens = await KnownTokens.of(led)

    settled.ask(settled.replica(), "CLUSTER FAILOVER")
    wait_for(lambda: settled.owner() is not before)
    settled.settle()
    await becomes(led, "ready")  # nobody has asked it anything meanwhile
    await tokens.are_judged_by_redis(led, caller)
    await log_out(led, tokens.live)

    assert not await led.is_live(tokens.live, caller)
    assert await has_our_keys(settled.owner())


async def test_a_slot_that_is_moved_under_way_is_followed(
    service_with: MakeService, caller: Registered, settled: Cluster
) -> None:
    source, target = settled.owner(), settled.others()[0]
    led = await through(source, service_with)
    tokens = await KnownTokens.of(led)

    settled.begin_to_move(source, target)
    await tokens.are_judged_rightly(led, caller)
    assert (await readiness(led))["redis_reason"] == "our slot is being moved to another node of its cluster"
    await log_out(led, tokens.live)
    assert not await led.is_live(tokens.live, caller)

    settled.move(source, target)
    await becomes(led, "ready")
    assert await has_our_keys(target)
    settled.begin_to_move(target, source)
    settled.move(target, source)  # back again, and nobody looked meanwhile
    assert not await led.is_live(tokens.live, caller)
    assert not await led.is_live(tokens.dead, caller)
    await becomes(led, "ready")


async def test_a_database_but_0_is_refused_at_start(service_with: MakeService, nodes: Cluster) -> None:
    with pytest.raises(OperatorError, match=r"Redis has no such database .*a cluster has 0 alone"):
        await service_with(redis_url=SecretStr(nodes.owner().url(1)))


async def test_one_of_the_nodes_that_the_url_names_may_be_lost(
    service_with: MakeService, caller: Registered, nodes: Cluster
) -> None:
    url = f"redis://127.0.0.1:{free_port()},127.0.0.1:{nodes.replica().port}/0"
    led = await service_with(redis_url=SecretStr(url))
    await (await KnownTokens.of(led)).are_judged_by_redis(led, caller)


async def test_a_cluster_that_is_down_is_redis_away(
    service_with: MakeService, caller: Registered, settled: Cluster
) -> None:
    led = await through(settled.owner(), service_with)
    tokens = await KnownTokens.of(led)
    lost = settled.others()

    settled.ask(settled.owner(), "CONFIG SET", "cluster-require-full-coverage", "yes")
    for node in lost:
        node.freeze()
    await becomes(led, "its cluster is down")
    await tokens.are_judged_rightly(led, caller)

    for node in lost:
        node.thaw()
    settled.settle()
    await becomes(led, "ready")
    await tokens.are_judged_by_redis(led, caller)
