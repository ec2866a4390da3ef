"""Every setting of the service; `environment.py` reads them from `AUTHSVC_…`.

Imported by `cli`, `app`, `opening` and `wiring` only: below them there are values, not settings.
"""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from authsvc.setting_values import (
    DatabaseUrl,
    Issuer,
    Networks,
    Origins,
    RedisUrl,
    SecretKeys,
)

PREFIX = "AUTHSVC_"
_AN_HOUR = 3_600
_CENTURY = 36_525 * 86_400  # a date beyond it may be none that can be written down


class Settings(BaseSettings):
    """The configuration of one process. Times are in seconds, sizes in the unit of their name."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    database_url: DatabaseUrl = Field(
        description="Where Postgres is: postgresql://USER:PASSWORD@HOST:PORT/DATABASE. "
        "`sqlite+aiosqlite:///FILE` serves a single process."
    )
    redis_url: RedisUrl | None = Field(
        default=None,
        description=(
            "Where Redis is: redis://HOST:PORT/0, by Sentinel redis+sentinel://HOST:26379,HOST:26379/NAME/0. "
            "Without it every check asks the database."
        ),
    )
    secret_keys: SecretKeys = Field(
        description="One or more secrets of at least 32 characters; the first mints, all verify."
    )
    token_format: Literal["jwt", "opaque"] = Field(
        default="jwt", description="What is issued from now on. Tokens of the other format stay good."
    )
    issuer: Issuer = Field(
        default="http://127.0.0.1:8000",
        description="The URL that clients reach this service under: `iss`, and the stem of its own URLs.",
    )
    audience: str | None = Field(default=None, description="`aud` in tokens. Default: the issuer.")
    access_token_seconds: int = Field(default=300, ge=5, le=86_400, description="Life of an access token.")
    refresh_overlap_seconds: int = Field(
        default=10,
        ge=0,
        le=60,
        description="How long the predecessor of a refresh token may come again. With 0, one that is sent "
        "again because its answer was lost, or was a 503, may count as replayed and end its session.",
    )
    session_idle_seconds: int = Field(
        default=14 * 86_400, ge=60, le=_CENTURY, description="A session unused for so long is over."
    )
    session_max_seconds: int = Field(
        default=90 * 86_400, ge=60, le=_CENTURY, description="No session outlives this."
    )
    sessions_per_account: int = Field(default=100, ge=1, le=10_000, description="One more ends the oldest.")
    signing_algorithm: Literal["ES256", "RS256"] = Field(
        default="ES256", description="For signing keys made from now on. RS256 has 3072 bits."
    )
    signing_key_seconds: int = Field(
        default=90 * 86_400,
        ge=0,
        le=_CENTURY,
        description="How long a signing key signs before the next takes over by itself. 0: rotate by hand.",
    )
    jwt_typ: Literal["at+jwt", "JWT"] = Field(
        default="at+jwt", description="`typ` of issued JWTs; Spring Security and Dovecot 2.3 want JWT."
    )
    jwks_max_age_seconds: int = Field(
        default=300, ge=0, le=86_400, description="How long others may keep our public keys."
    )
    cors_origins: Origins = Field(
        default=(), description="Origins of browser apps, exact: https://app.example.com"
    )
    trusted_proxies: Networks = Field(
        default=(), description="Addresses or networks whose X-Forwarded-For is believed."
    )
    data_dir: str = Field(
        default="./.authsvc", description="Where `authsvc dev` keeps its database and secret."
    )
    password_min_length: int = Field(
        default=15, ge=8, le=128, description="Code points; 15 where the password is the only factor."
    )
    guesses_per_account_and_address: int = Field(
        default=20,
        ge=1,
        le=1_000_000,
        description="Wrong passwords an hour for one account from one address.",
    )
    guesses_per_address: int = Field(
        default=90,
        ge=1,
        le=1_000_000,
        description="Wrong passwords an hour from one address (IPv6: one /64).",
    )
    guesses_per_account: int = Field(
        default=90,
        ge=1,
        le=1_000_000,
        description="The same for one account, from addresses new to it.",
    )
    password_min_score: int = Field(
        default=3,
        ge=0,
        le=4,
        description="What zxcvbn must give a new password, of 4; one of 8 characters gets 2 at most.",
    )
    hash_memory_kib: int = Field(
        default=19_456, ge=19_456, le=4_194_304, description="Memory of one argon2id hash."
    )
    hash_passes: int = Field(default=2, ge=2, le=20, description="Passes of argon2id.")
    hash_lanes: int = Field(default=1, ge=1, le=16, description="Lanes of argon2id.")
    hash_threads: int = Field(
        default=0,
        ge=0,
        le=256,
        description="Hashes at a time; a busy event loop keeps a core. 0: one for each core we may use.",
    )
    hash_niceness: int = Field(
        default=15, ge=0, le=19, description="How far hashing steps back behind requests (Linux)."
    )
    hash_max_wait_seconds: float = Field(
        default=2.0, gt=0, le=60, description="A login that would wait longer is answered 503 at once."
    )
    database_pool_size: int = Field(
        default=10, ge=1, le=500, description="Connections of one process; up to nine come on top."
    )
    database_timeout_seconds: float = Field(
        default=0.8, gt=0, le=60, description="For connecting, for a free connection, and for one statement."
    )
    database_prepared_statements: bool = Field(
        default=True, description="false behind a pooler of transactions (PgBouncer in transaction mode)."
    )
    redis_timeout_seconds: float = Field(
        default=0.25, gt=0, le=60, description="A slower Redis counts as away."
    )
    purge_seconds: int = Field(
        default=60, ge=0, le=86_400, description="How often old rows are removed. 0: by hand."
    )
    start_wait_seconds: int = Field(
        default=30, ge=0, le=3_600, description="How long a starting server waits for its database."
    )
    drain_seconds: int = Field(
        default=0,
        ge=0,
        le=600,
        description="How long a server told to stop still accepts, while /readyz says 503. "
        "Behind a load balancer: as long as that takes to notice.",
    )
    stop_seconds: int = Field(
        default=20, ge=1, le=600, description="How long it then waits for the requests it has accepted."
    )
    keep_alive_seconds: int = Field(
        default=75,
        ge=1,
        le=3_600,
        description="An idle connection is closed after so long; longer than the proxy in front keeps one.",
    )
    max_body_kib: int = Field(default=64, ge=16, le=1_024, description="A larger request body is 413.")
    body_seconds: float = Field(default=10, gt=0, le=600, description="A slower request body is 408.")
    header_seconds: float = Field(
        default=10,
        gt=0,
        le=600,
        description="Slower request headers are 408; a new connection that asks nothing is closed after it.",
    )
    max_requests: int = Field(
        default=1_000,
        ge=1,
        le=100_000,
        description="Requests of one process in work at a time; one more is 503, the probes excepted.",
    )
    max_connections: int = Field(
        default=2_000,
        ge=10,
        le=100_000,
        description="Connections of one process; for one more, the one that has waited longest is closed.",
    )
    hsts_seconds: int = Field(
        default=31_536_000,
        ge=0,
        le=2 * 31_536_000,
        description="How long browsers keep to https (RFC 6797), where the issuer is https. 0: not said.",
    )
    log_format: Literal["json", "console"] = Field(default="json", description="console is for people.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="One line per security event at info."
    )

    @model_validator(mode="after")
    def _limits_fit(self) -> Self:
        if self.session_idle_seconds > self.session_max_seconds:
            raise ValueError(
                f"{PREFIX}SESSION_IDLE_SECONDS is longer than {PREFIX}SESSION_MAX_SECONDS; "
                "make it shorter, or the other longer"
            )
        return self

    @model_validator(mode="after")
    def _keys_are_known_in_time(self) -> Self:
        shortest = self.jwks_max_age_seconds + _AN_HOUR
        if 0 < self.signing_key_seconds < shortest:
            raise ValueError(
                f"{PREFIX}SIGNING_KEY_SECONDS is too short for a key to be known everywhere before it signs; "
                f"write {shortest} or more ({PREFIX}JWKS_MAX_AGE_SECONDS and an hour), or 0 to rotate by hand"
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
