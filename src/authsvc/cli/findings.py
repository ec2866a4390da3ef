"""What `authsvc doctor` looks at, one function a subject: what it found, why it matters, what to type."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from authsvc.cli.address_probe import address
from authsvc.cli.demo import refuse_demo
from authsvc.cli.finding import Finding, refused
from authsvc.cli.issuer_probe import issuer
from authsvc.clock import Clock
from authsvc.errors import OperatorError
from authsvc.settings import PREFIX, Settings
from authsvc.storage import inspection, redis_refusal
from authsvc.storage.database import HELD_CONNECTIONS
from authsvc.storage.stores import Stores
from authsvc.urls import is_loopback_host
from authsvc.wiring import Services, build_server_keys

_WORST_OFFSET = timedelta(seconds=1)
_DISTINCT_CHARACTERS = 12


@dataclass(frozen=True)
class Surroundings:
    """How the service is to be started."""

    host: str
    port: int
    workers: int


async def examine(settings: Settings, services: Services, around: Surroundings) -> AsyncIterator[Finding]:
    """Yield every finding, in the order in which a start would fail."""
    stores = services.stores
    try:
        await stores.check_database()
        await refuse_demo(services)
    except OperatorError as error:
        yield refused("database", str(error))
    else:
        yield Finding("database", "ok", "reachable, and at this version's migration")
        yield await database_clock(stores, services.clock)
        yield await pool_size(settings, stores, around)
        yield await signing_keys(services)
        yield await old_secrets(settings, stores)
    yield await redis(stores)
    yield secret_strength(settings)
    yield listening(settings, around)
    if taken := await address(settings, around.host, around.port):
        yield taken
    yield proxies(settings, around)
    async for finding in issuer(settings):
        yield finding


async def database_clock(stores: Stores, clock: Clock) -> Finding:
    """Compare our clock with the database's."""
    offset = await inspection.clock_offset(stores.database, clock)
    if offset is None:
        return Finding("clock", "ok", "the embedded database has this host's clock")
    seconds = offset.total_seconds()
    if abs(offset) <= _WORST_OFFSET:
        return Finding("clock", "ok", f"{seconds:+.3f} s from the database's")
    return Finding(
        "clock",
        "problem",
        f"this host's clock is {abs(seconds):.0f} s {'behind' if seconds > 0 else 'ahead of'} the database's",
        "the service goes by the database's; if that is wrong, others reject or overtrust tokens",
        "timedatectl set-ntp true  (or start chrony), on the host that is wrong",
    )


async def pool_size(settings: Settings, stores: Stores, around: Surroundings) -> Finding:
    """Compare all workers' pools with what Postgres allows."""
    found = await inspection.connections(stores.database)
    held = HELD_CONNECTIONS if settings.database_prepared_statements else 0
    each = settings.database_pool_size + held
    wanted = around.workers * each
    if found is None and around.workers > 1:
        return Finding(
            "connections",
            "problem",
            f"a SQLite database serves one process, not {around.workers} workers",
            "the service refuses to start like this",
            f"{PREFIX}DATABASE_URL=postgresql://USER:PASSWORD@HOST:5432/DATABASE  (or --workers 1)",
        )
    if found is None:
        return Finding("connections", "ok", "the embedded database serves one process")
    if wanted <= found.allowed - found.taken:
        return Finding("connections", "ok", f"{wanted} wanted, {found.allowed - found.taken} free")
    return Finding(
        "connections",
        "problem",
        f"{around.workers} workers with {each} connections each want {wanted}, "
        f"and Postgres has {found.allowed - found.taken} of {found.allowed} free",
        "under load logins and refreshes are answered 503",
        f"{PREFIX}DATABASE_POOL_SIZE={max(1, (found.allowed - found.taken) // around.workers - held)}  "
        "(or raise max_connections in postgresql.conf)",
    )


async def signing_keys(services: Services) -> Finding:
    """See whether a configured secret decrypts them; before the first start there are none."""
    await services.keys.load()
    if services.keys.can_sign() or not services.keys.jwks()["keys"]:
        older = await services.key_rotation.needing_older_secrets()
        note = f"; {older} still need an older secret: authsvc keys reencrypt" if older else ""
        return Finding("signing keys", "ok", f"can be decrypted, or are still to be made{note}")
    return Finding(
        "signing keys",
        "problem",
        "no configured secret decrypts those in the database",
        "the service refuses to start like this",
        f"append the secret that it ran with before to {PREFIX}SECRET_KEYS; then: authsvc keys reencrypt",
    )


async def old_secrets(settings: Settings, stores: Stores) -> Finding:
    """Count what would be lost if a secret had been removed too early."""
    known = [key.id for key in build_server_keys(settings).all]
    lost = await inspection.sessions_minted_by_others(stores.database, known)
    waiting = await inspection.sessions_minted_by_others(stores.database, known[:1]) - lost
    if lost:
        return Finding(
            "secrets",
            "problem",
            f"{lost} open sessions have refresh tokens of a secret that is not configured",
            "those users must log in again",
            f"append the removed secret to {PREFIX}SECRET_KEYS until they have refreshed",
        )
    note = f"; {waiting} open sessions still need an older one" if waiting else ""
    return Finding("secrets", "ok", f"{len(known)} configured, every open session's among them{note}")


async def redis(stores: Stores) -> Finding:
    """Say how Redis is; nothing is written to it."""
    if stores.denylist is None:
        return Finding(
            "redis",
            "warning",
            "not configured",
            "every check of a JWT asks the database, and attempts are counted in each process alone",
            f"{PREFIX}REDIS_URL=redis://HOST:6379/0",
        )
    try:
        problem = await stores.check_redis()
    except OperatorError as error:
        return refused("redis", str(error))
    if problem is None:
        return Finding("redis", "ok", "reachable, and it keeps what it is told")
    if problem != redis_refusal.AWAY:
        return Finding(
            "redis",
            "problem",
            f"it cannot be asked about revocations: {problem}",
            "checks fall back to the database: right, and slower",
            f"{PREFIX}REDIS_URL=redis://HOST:6379/0  (of a primary; docs/redis.md has the other ways)",
        )
    return Finding(
        "redis",
        "problem",
        "configured, and it does not answer",
        "checks fall back to the database: right, and slower",
        f"redis-cli -u ${PREFIX}REDIS_URL ping",
    )


def secret_strength(settings: Settings) -> Finding:
    """Look for secrets that are long and not random."""
    for secret in settings.secret_keys:
        if len(set(secret.get_secret_value())) < _DISTINCT_CHARACTERS:
            return Finding(
                "secret strength",
                "problem",
                "a secret repeats a few characters",
                "with it and a copy of the database anyone can mint refresh tokens",
                "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
            )
    return Finding("secret strength", "ok", "long and varied")


def listening(settings: Settings, around: Surroundings) -> Finding:
    """Compare the issuer with the address that is listened at."""
    local_issuer, local_host = is_loopback_host(settings.issuer), is_loopback_host(around.host)
    if local_issuer and not local_host:
        return Finding(
            "issuer",
            "problem",
            f"{settings.issuer} is loopback, and the service is to listen at {around.host}",
            "tokens and metadata name an address that nobody else can reach",
            f"{PREFIX}ISSUER=https://auth.example.com",
        )
    return Finding("issuer", "ok", f"{settings.issuer}, listening at {around.host}:{around.port}")


def proxies(settings: Settings, around: Surroundings) -> Finding:
    """Look for a proxy in front that is not named."""
    if settings.issuer.startswith("https://") and not settings.trusted_proxies:
        return Finding(
            "proxies",
            "warning",
            "the issuer is https, so a proxy stands in front, and none is named",
            "every request seems to come from the proxy, wherever addresses are shown or counted",
            f"{PREFIX}TRUSTED_PROXIES={'127.0.0.1' if is_loopback_host(around.host) else '10.0.0.0/8'}",
        )
    named = ", ".join(settings.trusted_proxies) or "none, and none is needed"
    return Finding("proxies", "ok", named)
