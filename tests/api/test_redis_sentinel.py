"""Sentinels say where the primary is: a failover is followed, and forgets nothing (P8, P9)."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from authsvc.errors import OperatorError
from tests.conftest import MakeService
from tests.fixtures.known_tokens import KnownTokens, becomes, log_out, readiness
from tests.fixtures.processes import free_port
from tests.fixtures.sentinel import Watched, watched
from tests.fixtures.service import Registered, Service

pytestmark = pytest.mark.only("postgres-jwt", reason="the way to Redis is the same for both formats")


@pytest.fixture(scope="session")
def servers() -> Iterator[Watched]:
    with watched() as made:
        yield made


@pytest.fixture
def mended(servers: Watched) -> Iterator[Watched]:
    """They are whole again when the test is over."""
    yield servers
    servers.mend()


@pytest.fixture
async def followed(service: Service, service_with: MakeService, servers: Watched) -> Service:  # noqa: ARG001 - over its stores
    """A service whose first sentinel is not there."""
    hosts = f"127.0.0.1:{free_port()},127.0.0.1:{servers.port}"
    return await service_with(redis_url=SecretStr(servers.url(hosts=hosts)))


async def test_the_primary_that_a_sentinel_names_is_asked(followed: Service, caller: Registered) -> None:
    assert (await readiness(followed))["status"] == "ready"
    tokens = await KnownTokens.of(followed)
    await tokens.are_judged_by_redis(followed, caller)


@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_a_failover_is_followed_and_forgets_nothing(
    followed: Service, caller: Registered, mended: Watched, how: str
) -> None:
    tokens = await KnownTokens.of(followed)
    before = mended.primary()

    (before.kill if how == "killed" else before.freeze)()
    await tokens.are_judged_rightly(followed, caller)
    await becomes(followed, "ready")

    assert mended.primary() is not before
    await tokens.are_judged_by_redis(followed, caller)
    if how == "frozen":  # what was deposed lives again
        before.thaw()
        await tokens.are_judged_rightly(followed, caller)


async def test_a_primary_that_becomes_a_replica_and_lives_on_is_left(
    followed: Service, caller: Registered, mended: Watched
) -> None:
    tokens = await KnownTokens.of(followed)
    before = mended.primary()

    mended.swap()
    while mended.primary() is before:
        await tokens.are_judged_rightly(followed, caller)
    await becomes(followed, "ready")

    await log_out(followed, tokens.live)
    assert not await followed.is_live(tokens.live, caller)
    assert (await readiness(followed))["status"] == "ready"


async def test_without_sentinels_nobody_is_logged_out(
    service_with: MakeService, caller: Registered, servers: Watched
) -> None:
    nobody = servers.url(hosts=f"127.0.0.1:{free_port()},127.0.0.1:{free_port()}")
    lonely = await service_with(redis_url=SecretStr(nobody))
    tokens = await KnownTokens.of(lonely)

    assert await readiness(lonely) == {
        "status": "degraded",
        "database": "ok",
        "redis": "away",
        "redis_reason": "it cannot be reached, or not in time",
    }
    await tokens.are_judged_rightly(lonely, caller)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        pytest.param(
            {"name": "theirs"},
            r"the sentinels know no primary of that name \(.*\)\. Write the name that `sentinel monitor`",
            id="a name that they do not watch",
        ),
        pytest.param(
            {"password": "another"},
            r"the sentinels refuse the password \(.*\)\. Write theirs behind it: .*sentinel_password=",
            id="another password",
        ),
    ],
)
async def test_what_the_sentinels_refuse_is_refused_at_start(
    service_with: MakeService, servers: Watched, wrong: dict[str, str], sentence: str
) -> None:
    with pytest.raises(OperatorError, match=f"AUTHSVC_REDIS_URL: {sentence}"):
        await service_with(redis_url=SecretStr(servers.url(**wrong)))


async def test_a_redis_is_no_sentinel(service_with: MakeService, servers: Watched) -> None:
    url = f"redis+sentinel://127.0.0.1:{servers.servers[0].port}/ours/1"
    with pytest.raises(OperatorError, match="what answers there is no sentinel"):
        await service_with(redis_url=SecretStr(url))
