"""Every setting of the service, read from `AUTHSVC_…` once and refused with a sentence when wrong.

Imported by `cli`, `app` and `wiring` only: below them there are values, not settings.
"""

import os
from datetime import timedelta
from difflib import get_close_matches
from ipaddress import ip_network
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from authsvc.errors import OperatorError
from authsvc.urls import is_loopback_host, origin_of

PREFIX = "AUTHSVC_"
# Kubernetes injects the last two beside a Service named "authsvc".
IGNORED_PREFIXES = ("AUTHSVC_TEST_", "AUTHSVC_SERVICE_", "AUTHSVC_PORT")
MIN_SECRET_LENGTH = 32
_DRIVERS = {
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}
HOW_TO_MAKE_ONE = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


def _split(value: object) -> object:
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
SecretList = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)]


class Settings(BaseSettings):
    """The configuration of one process. Times are in seconds, sizes in the unit of their name."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    database_url: SecretStr = Field(
        description="Where Postgres is: postgresql://USER:PASSWORD@HOST:PORT/DATABASE. "
        "`sqlite+aiosqlite:///FILE` serves a single process."
    )
    redis_url: SecretStr | None = Field(
        default=None,
        description="Where Redis is: redis://HOST:PORT/0. Without it every check asks the database.",
    )
    secret_keys: SecretList = Field(
        description="One or more secrets of at least 32 characters; the first mints, all verify."
    )
    token_format: Literal["jwt", "opaque"] = Field(
        default="jwt", description="What is issued from now on. Tokens of the other format stay good."
    )
    issuer: str = Field(
        default="http://127.0.0.1:8000",
        description="The URL that clients reach this service under: `iss`, and the stem of its own URLs.",
    )
    audience: str | None = Field(default=None, description="`aud` in tokens. Default: the issuer.")
    access_token_seconds: int = Field(default=300, ge=5, le=86_400, description="Life of an access token.")
    refresh_overlap_seconds: int = Field(
        default=10, ge=0, le=60, description="How long the predecessor of a refresh token may come again."
    )
    session_idle_seconds: int = Field(
        default=14 * 86_400, ge=60, description="A session unused for so long is over."
    )
    session_max_seconds: int = Field(default=90 * 86_400, ge=60, description="No session outlives this.")
    sessions_per_account: int = Field(default=100, ge=1, le=10_000, description="One more ends the oldest.")
    signing_algorithm: Literal["ES256", "RS256"] = Field(
        default="ES256", description="For signing keys made from now on. RS256 has 3072 bits."
    )
    jwt_typ: Literal["at+jwt", "JWT"] = Field(
        default="at+jwt", description="`typ` of issued JWTs; Spring Security and Dovecot 2.3 want JWT."
    )
    jwks_max_age_seconds: int = Field(
        default=300, ge=0, le=86_400, description="How long others may keep our public keys."
    )
    cors_origins: CommaSeparated = Field(
        default=(), description="Origins of browser apps, exact: https://app.example.com"
    )
    trusted_proxies: CommaSeparated = Field(
        default=(), description="Addresses or networks whose X-Forwarded-For is believed."
    )
    data_dir: str = Field(
        default="./.authsvc", description="Where `authsvc dev` keeps its database and secret."
    )
    password_min_length: int = Field(
        default=15, ge=8, le=128, description="Code points; 15 where the password is the only factor."
    )
    hash_memory_kib: int = Field(
        default=19_456, ge=19_456, le=4_194_304, description="Memory of one argon2id hash."
    )
    hash_passes: int = Field(default=2, ge=2, le=20, description="Passes of argon2id.")
    hash_lanes: int = Field(default=1, ge=1, le=16, description="Lanes of argon2id.")
    hash_threads: int = Field(
        default=0, ge=0, le=256, description="Hashes computed at a time. 0: one for each core we may use."
    )
    hash_niceness: int = Field(
        default=10, ge=0, le=19, description="How far hashing steps back behind requests (Linux)."
    )
    hash_max_wait_seconds: float = Field(
        default=2.0, gt=0, le=60, description="A login that would wait longer is answered 503 at once."
    )
    database_pool_size: int = Field(default=10, ge=1, le=500, description="Connections of one process.")
    database_timeout_seconds: float = Field(
        default=1.0, gt=0, le=60, description="For connecting, for a free connection, and for one statement."
    )
    redis_timeout_seconds: float = Field(
        default=0.25, gt=0, le=60, description="A slower Redis counts as away."
    )
    max_body_kib: int = Field(default=64, ge=16, le=1_024, description="A larger request body is 413.")
    log_format: Literal["json", "console"] = Field(default="json", description="console is for people.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="One line per security event at info."
    )

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: SecretStr) -> SecretStr:
        scheme, separator, rest = value.get_secret_value().partition("://")
        driver = _DRIVERS.get(scheme)
        if driver is None or not separator:
            raise ValueError(
                "is no URL of Postgres; write postgresql://USER:PASSWORD@HOST:5432/DATABASE "
                "(or sqlite+aiosqlite:///FILE for a single process)"
            )
        return SecretStr(f"{driver}://{rest}")

    @field_validator("redis_url")
    @classmethod
    def _redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(
            ("redis://", "rediss://", "unix://")
        ):
            raise ValueError("is no Redis URL; write redis://HOST:6379/0 (rediss:// with TLS)")
        return value

    @field_validator("secret_keys")
    @classmethod
    def _secret_keys(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        secrets = [secret.get_secret_value() for secret in value]
        if not secrets or any(len(secret) < MIN_SECRET_LENGTH for secret in secrets):
            raise ValueError(
                f"needs secrets of at least {MIN_SECRET_LENGTH} characters; make one with: {HOW_TO_MAKE_ONE}"
            )
        if len(set(secrets)) < len(secrets):
            raise ValueError("holds the same secret twice; write each one once")
        return value

    @field_validator("issuer")
    @classmethod
    def _issuer(cls, value: str) -> str:
        origin = origin_of(value)
        if origin is None or origin != value:
            raise ValueError(
                "must be a bare https URL such as https://auth.example.com: "
                "no path, query, fragment, user or slash at the end"
            )
        if value.startswith("http://") and not is_loopback_host(value):
            raise ValueError("is http beyond loopback, where anyone can read tokens; write it with https://")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _cors_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if origin_of(origin) != origin:
                raise ValueError(
                    f"holds '{origin}'; write exact origins such as https://app.example.com, "
                    "separated by commas (no *, no path, no slash at the end)"
                )
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _trusted_proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ip_network(network)
            except ValueError:
                raise ValueError(
                    f"holds '{network}'; write addresses or networks such as 10.0.0.5 or 10.0.0.0/24"
                ) from None
        return value

    @model_validator(mode="after")
    def _limits_fit(self) -> Self:
        if self.session_idle_seconds > self.session_max_seconds:
            raise ValueError(
                f"{PREFIX}SESSION_IDLE_SECONDS is longer than {PREFIX}SESSION_MAX_SECONDS; "
                "make it shorter, or the other longer"
            )
        return self

    @property
    def audience_or_issuer(self) -> str:
        """The audience of tokens whose client has none of its own."""
        return self.audience or self.issuer

    @property
    def is_embedded(self) -> bool:
        """Whether the database is a SQLite file, which serves one process."""
        return self.database_url.get_secret_value().startswith("sqlite")

    @property
    def access_token_lifetime(self) -> timedelta:
        """Life of an access token."""
        return timedelta(seconds=self.access_token_seconds)


def load_settings(**overrides: object) -> Settings:
    """Return the settings of the environment; *overrides* win.

    Raises:
        OperatorError: a variable is unknown, missing or wrong; one line for each.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = [
        name
        for name in sorted(os.environ)  # noqa: TID251 - the one place where it enters
        if name.startswith(PREFIX) and name not in known and not name.startswith(IGNORED_PREFIXES)
    ]
    lines = [f"{name} is no setting of authsvc. {_nearest(name, known)}" for name in unknown]
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type] # checked by pydantic
    except ValidationError as error:
        lines += [_sentence(detail["loc"], detail["type"], detail["msg"]) for detail in error.errors()]
    if lines:
        raise OperatorError("\n".join(lines))
    return settings


def _nearest(name: str, known: set[str]) -> str:
    matches = get_close_matches(name, known, n=1)
    return f"Did you mean {matches[0]}?" if matches else "See .env.example for the list."


def _sentence(location: tuple[int | str, ...], kind: str, message: str) -> str:
    if not location:
        return message.removeprefix("Value error, ") + "."
    name = PREFIX + str(location[0]).upper()
    if kind == "missing":
        cure = {
            "AUTHSVC_DATABASE_URL": "write postgresql://USER:PASSWORD@HOST:5432/DATABASE, "
            "or start `authsvc dev`, which needs none",
            "AUTHSVC_SECRET_KEYS": f"make one with: {HOW_TO_MAKE_ONE}",
        }[name]
        return f"{name} is not set; {cure}."
    return f"{name} {message.removeprefix('Value error, ')}."
