"""What the settings that are more than a number must look like; each refusal says what to write."""

from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from authsvc.urls import is_loopback_host, origin_of

MIN_SECRET_LENGTH = 32
HOW_TO_MAKE_A_SECRET = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"  # noqa: S105 - a command, no secret
_DRIVERS = {
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}
_WAYS_TO_REDIS = {"redis", "rediss", "redis+sentinel", "rediss+sentinel", "unix"}


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _database_url(value: SecretStr) -> SecretStr:
    scheme, separator, rest = value.get_secret_value().partition("://")
    driver = _DRIVERS.get(scheme)
    if driver is None or not separator:
        raise ValueError(
            "is no URL of Postgres; write postgresql://USER:PASSWORD@HOST:5432/DATABASE "
            "(or sqlite+aiosqlite:///FILE for a single process)"
        )
    if scheme.startswith("sqlite") and rest in {"", "/", "/:memory:"}:
        raise ValueError("names no file, so nothing would be kept; write sqlite+aiosqlite:///FILE")
    return SecretStr(f"{driver}://{rest}")


def _redis_url(value: SecretStr) -> SecretStr:
    scheme, separator, rest = value.get_secret_value().partition("://")
    if scheme not in _WAYS_TO_REDIS or not separator:
        raise ValueError(
            "is no Redis URL; write redis://HOST:6379/0 (rediss:// with TLS), "
            "redis+sentinel://HOST:26379,HOST:26379/NAME/0 or unix:///PATH?db=0"
        )
    database = rest.partition("?")[0].partition("/")[2]
    if scheme.endswith("+sentinel"):
        name, _, database = database.partition("/")
        if not name:
            raise ValueError(
                "does not name the primary that the sentinels watch; "
                "write redis+sentinel://HOST:26379,HOST:26379/NAME/0"
            )
    if scheme != "unix" and database and not database.isdecimal():  # the driver would take 0 instead
        raise ValueError(
            "does not end in a number; write redis://USER:PASSWORD@HOST:6379/0, "
            "in USER and PASSWORD %40 for @, %3A for : and %2F for /"
        )
    return value


def _secret_keys(value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    secrets = [secret.get_secret_value() for secret in value]
    if not secrets or any(len(secret) < MIN_SECRET_LENGTH for secret in secrets):
        raise ValueError(
            f"needs secrets of at least {MIN_SECRET_LENGTH} characters; make one with: {HOW_TO_MAKE_A_SECRET}"
        )
    if len(set(secrets)) < len(secrets):
        raise ValueError("holds the same secret twice; write each one once")
    return value


def _issuer(value: str) -> str:
    if origin_of(value) != value:
        raise ValueError(
            "must be a bare https URL such as https://auth.example.com: "
            "no path, query, fragment, user or slash at the end"
        )
    if value.startswith("http://") and not is_loopback_host(value):
        raise ValueError("is http beyond loopback, where anyone can read tokens; write it with https://")
    return value


def _origins(value: tuple[str, ...]) -> tuple[str, ...]:
    for origin in value:
        if origin_of(origin) != origin:
            raise ValueError(
                f"holds '{origin}'; write exact origins such as https://app.example.com, "
                "separated by commas (no *, no path, no slash at the end)"
            )
    return value


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for network in value:
        try:
            ip_network(network)
        except ValueError:
            raise ValueError(
                f"holds '{network}'; write addresses or networks such as 10.0.0.5 or 10.0.0.0/24"
            ) from None
    return value


DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis_url)]
SecretKeys = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split), AfterValidator(_secret_keys)]
Issuer = Annotated[str, AfterValidator(_issuer)]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_origins)]
Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_networks)]
