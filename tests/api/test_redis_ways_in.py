"""The other ways into Redis: a socket file, TLS, a user that may do no more than it must."""

from collections.abc import Iterator
from pathlib import Path
from ssl import TLSVersion

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from authsvc.errors import OperatorError
from authsvc.storage.redis_refusal import ACL_RULE
from tests.conftest import MakeService
from tests.fixtures.known_tokens import KnownTokens, becomes, readiness
from tests.fixtures.processes import free_port
from tests.fixtures.redis import RedisServer
from tests.fixtures.service import Registered, Service
from tests.fixtures.strangers import web_server
from tests.fixtures.tls import Certificates, tls_before

pytestmark = pytest.mark.only("postgres-jwt", reason="the way to Redis is the same for both formats")
SOCKET = "redis.sock"


@pytest.fixture(scope="session")
def server() -> Iterator[RedisServer]:
    """One with a socket file."""
    made = RedisServer(unixsocket=SOCKET, unixsocketperm="777")
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.made_in(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def tls_port(server: RedisServer, certificates: Certificates) -> Iterator[int]:
    with tls_before(server.port, certificates) as port:
        yield port


@pytest.fixture(scope="session")
def careful_port(server: RedisServer, certificates: Certificates) -> Iterator[int]:
    """Where a client has to show a certificate."""
    with tls_before(server.port, certificates, asks_client=True) as port:
        yield port


async def serves(service: Service, caller: Registered) -> None:
    """It asks that Redis, and the answers are right."""
    assert (await readiness(service))["status"] == "ready"
    tokens = await KnownTokens.of(service)
    await tokens.are_judged_by_redis(service, caller)


async def test_a_socket_file(service_with: MakeService, caller: Registered, server: RedisServer) -> None:
    await serves(await service_with(redis_url=SecretStr(f"unix://{server.folder / SOCKET}?db=3")), caller)
    async with Redis.from_url(server.url(3)) as client:
        assert await client.get("{authsvc}:marker")


async def test_a_socket_file_that_is_not_there_yet_is_redis_away(
    service_with: MakeService, tmp_path: Path
) -> None:
    away = await service_with(redis_url=SecretStr(f"unix://{tmp_path / 'none.sock'}"))
    assert (await readiness(away))["redis_reason"] == "it cannot be reached, or not in time"


async def test_tls_with_a_ca_of_ones_own(
    service_with: MakeService, caller: Registered, tls_port: int, certificates: Certificates
) -> None:
    url = f"rediss://127.0.0.1:{tls_port}/3?ssl_ca_certs={certificates.ca}"
    await serves(await service_with(redis_url=SecretStr(url)), caller)


async def test_tls_with_a_certificate_of_ones_own(
    service_with: MakeService, caller: Registered, careful_port: int, certificates: Certificates
) -> None:
    url = (
        f"rediss://127.0.0.1:{careful_port}/3?ssl_ca_certs={certificates.ca}"
        f"&ssl_certfile={certificates.client}&ssl_keyfile={certificates.client}"
    )
    await serves(await service_with(redis_url=SecretStr(url)), caller)


@pytest.mark.parametrize("signer", ["stranger", "nobody we name"])
async def test_a_certificate_that_is_not_trusted_is_refused_at_start(
    service_with: MakeService, tls_port: int, certificates: Certificates, signer: str
) -> None:
    query = f"?ssl_ca_certs={certificates.stranger}" if signer == "stranger" else ""
    with pytest.raises(
        OperatorError, match=r"the certificate of Redis is not trusted \(.*\?ssl_ca_certs=FILE"
    ):
        await service_with(redis_url=SecretStr(f"rediss://127.0.0.1:{tls_port}/3{query}"))


async def test_a_certificate_for_another_host_is_refused_at_start(
    service_with: MakeService, tls_port: int, certificates: Certificates
) -> None:
    url = f"rediss://localhost:{tls_port}/3?ssl_ca_certs={certificates.ca}"
    with pytest.raises(OperatorError, match=r"not trusted \(Hostname mismatch, .* the host that it was made"):
        await service_with(redis_url=SecretStr(url))


async def test_a_client_certificate_that_is_missing_is_refused_at_start(
    service_with: MakeService, server: RedisServer, certificates: Certificates
) -> None:
    with tls_before(server.port, certificates, asks_client=True, version=TLSVersion.TLSv1_2) as port:
        url = f"rediss://127.0.0.1:{port}/3?ssl_ca_certs={certificates.ca}"
        with pytest.raises(
            OperatorError, match=r"does not take our certificate, or .* none .*ssl_keyfile=FILE"
        ):
            await service_with(redis_url=SecretStr(url))


async def test_in_tls_1_3_a_client_certificate_that_is_missing_may_show_as_a_hang_up(
    service_with: MakeService, careful_port: int, certificates: Certificates
) -> None:
    """The alert comes after the handshake, and may be overtaken by the end of the connection."""
    url = f"rediss://127.0.0.1:{careful_port}/3?ssl_ca_certs={certificates.ca}"
    try:
        said = (await readiness(await service_with(redis_url=SecretStr(url))))["redis_reason"]
    except OperatorError as refused:
        said = str(refused)
    assert "certificate" in said


@pytest.mark.parametrize("file", ["missing", "no certificate"])
async def test_a_file_that_cannot_be_used_is_refused_at_start(
    service_with: MakeService, tmp_path: Path, file: str
) -> None:
    (tmp_path / "no certificate").write_text("nothing of the sort")
    url = f"rediss://127.0.0.1:1/0?ssl_ca_certs={tmp_path / file}".replace(" ", "%20")
    with pytest.raises(
        OperatorError, match=r"AUTHSVC_REDIS_URL: a file .* cannot be used \(.*Name PEM files"
    ):
        await service_with(redis_url=SecretStr(url))


async def test_tls_spoken_to_a_plain_port_is_said_to_be_the_reason(
    service_with: MakeService, caller: Registered, server: RedisServer
) -> None:
    wrong = await service_with(
        redis_url=SecretStr(f"rediss://127.0.0.1:{server.port}/0"), redis_timeout_seconds=0.25
    )
    reason = (await readiness(wrong))["redis_reason"]
    assert "TLS" in reason
    await (await KnownTokens.of(wrong)).are_judged_rightly(wrong, caller)


async def test_a_plain_answer_to_tls_is_refused_at_start(service_with: MakeService) -> None:
    with web_server() as port, pytest.raises(OperatorError, match="Redis does not speak TLS"):
        await service_with(redis_url=SecretStr(f"rediss://127.0.0.1:{port}/0"))


async def test_a_tls_port_that_is_spoken_plain_is_said_to_be_the_reason(
    service_with: MakeService, caller: Registered, tls_port: int
) -> None:
    wrong = await service_with(redis_url=SecretStr(f"redis://127.0.0.1:{tls_port}/0"))
    assert "rediss://" in (await readiness(wrong))["redis_reason"]
    await (await KnownTokens.of(wrong)).are_judged_rightly(wrong, caller)


# What a user needs for a database but 0; the command of clusters is unknown to none.
RULES = ACL_RULE.split()
COMMANDS = [rule for rule in RULES if rule.startswith("+") and rule not in {"+select", "+cluster|slots"}]


async def asked(server: RedisServer, command: str, *arguments: str) -> object:
    async with Redis.from_url(server.url()) as client:
        return await client.execute_command(*command.split(), *arguments)  # type: ignore[no-untyped-call] # the library has no types here


def test_the_page_has_the_rule_that_is_tested_here(repository: Path) -> None:
    page = (repository / "docs/redis.md").read_text(encoding="utf-8")
    assert f"`ACL SETUSER authsvc on >PASSWORD {ACL_RULE}`" in page


async def set_user(server: RedisServer, *rules: str) -> None:
    await asked(server, "ACL SETUSER", "authsvc", "reset", "on", ">hunter2", *rules)


def as_user(server: RedisServer, database: int = 0) -> SecretStr:
    return SecretStr(f"redis://authsvc:hunter2@127.0.0.1:{server.port}/{database}")


@pytest.mark.parametrize("database", [0, 3])
async def test_a_user_who_may_do_what_the_page_says_and_nothing_else(
    service_with: MakeService, caller: Registered, server: RedisServer, database: int
) -> None:
    await set_user(server, *RULES)
    await asked(server, "FLUSHALL")  # so that all is loaded by that user
    await asked(server, "ACL LOG", "RESET")
    served = await service_with(redis_url=as_user(server, database))

    await serves(served, caller)
    suspended = await served.add_client()
    await served.stack.services.clients.disable(suspended.id)

    assert (await readiness(served))["status"] == "ready"
    assert await asked(server, "ACL LOG") == []


@pytest.mark.parametrize("missing", [*COMMANDS, "~{authsvc}:*"])
async def test_a_user_who_lacks_a_right_is_refused_at_start(
    service_with: MakeService, server: RedisServer, missing: str
) -> None:
    await set_user(server, *(rule for rule in RULES if rule != missing))
    with pytest.raises(OperatorError) as refused:
        await service_with(redis_url=as_user(server))

    sentence = str(refused.value)
    assert sentence.startswith("AUTHSVC_REDIS_URL: Redis lets its user do too little (")
    assert sentence.endswith(f"Give it all that it needs: redis-cli ACL SETUSER USER {ACL_RULE}")
    assert "hunter2" not in sentence


async def test_a_right_that_is_taken_while_it_runs_is_redis_away(
    service_with: MakeService, caller: Registered, server: RedisServer
) -> None:
    await set_user(server, *RULES)
    served = await service_with(redis_url=as_user(server))
    tokens = await KnownTokens.of(served)

    await set_user(server, *(rule for rule in RULES if rule != "+mget"))
    await tokens.are_judged_rightly(served, caller)
    await served.stack.look()
    await tokens.are_judged_rightly(served, caller)

    await set_user(server, *RULES)
    await becomes(served, "ready")
    await tokens.are_judged_by_redis(served, caller)


async def test_nobody_is_there(service_with: MakeService, caller: Registered) -> None:
    alone = await service_with(redis_url=SecretStr(f"redis://127.0.0.1:{free_port()}/0"))
    assert (await readiness(alone))["redis_reason"] == "it cannot be reached, or not in time"
    await (await KnownTokens.of(alone)).are_judged_rightly(alone, caller)
