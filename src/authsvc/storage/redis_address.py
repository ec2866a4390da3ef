"""AUTHSVC_REDIS_URL, read once: which places it names, and how to speak there."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from authsvc.errors import OperatorError

Place = tuple[str, int]
"""A host and a port."""


@dataclass(frozen=True)
class RedisAddress:
    """Where to begin: nodes of Redis, or the sentinels that know of one; no place at all is a socket file."""

    places: tuple[Place, ...]
    primary_name: str | None
    patience_seconds: float
    """How long finding a node may take in all."""

    _kind: type[AbstractConnection]
    _ours: Mapping[str, object]
    _sentinels: Mapping[str, object]

    @classmethod
    def read(cls, url: str, *, timeout_seconds: float) -> "RedisAddress":
        """Read *url*; each connection gives up after *timeout_seconds* and never tries twice.

        Raises:
            OperatorError: it cannot be read, has an unknown parameter, or names a file that cannot be used.
        """
        try:
            return cls._read(url, timeout_seconds)
        except (TypeError, RedisError):
            raise OperatorError(
                "AUTHSVC_REDIS_URL has a parameter that the driver does not know, or a value that it does "
                "not take; write redis://HOST:6379/0, or with TLS rediss://HOST:6379/0?ssl_ca_certs=FILE"
            ) from None
        except ValueError:  # its text may hold the password
            raise OperatorError(
                "AUTHSVC_REDIS_URL cannot be read as a URL; write redis://USER:PASSWORD@HOST:6379/0, "
                "in USER and PASSWORD %40 for @, %3A for : and %2F for /"
            ) from None

    @classmethod
    def _read(cls, url: str, timeout_seconds: float) -> "RedisAddress":
        scheme, _, rest = url.partition("://")
        scheme, by_sentinel, _ = scheme.partition("+")
        where, _, query = rest.partition("?")
        authority, _, path = where.partition("/")
        login, at, hosts = authority.rpartition("@")
        name, _, database = path.partition("/") if by_sentinel else ("", "", path)
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        theirs = _login_of_sentinels(parameters) if by_sentinel else {}
        if scheme == "unix":
            places: tuple[Place, ...] = ()
            plain = url
        else:
            port = 26379 if by_sentinel else 6379
            places = tuple(_place(host, port) for host in hosts.split(","))
            plain = f"{scheme}://{login}{at}{hosts.split(',')[0]}/{database}?{urlencode(parameters)}"
        pool = ConnectionPool.from_url(plain)  # reads it, and connects to nothing
        ours = pool.connection_kwargs | _manners(timeout_seconds)
        kept = {key: value for key, value in ours.items() if key not in {"username", "password", "db"}}
        primary_name = unquote(name) if by_sentinel else None
        address = cls(places, primary_name, 4 * timeout_seconds, pool.connection_class, ours, kept | theirs)
        address._try_out()
        return address

    def _try_out(self) -> None:
        connection = self.connection(self.places[0] if self.places else None)
        if isinstance(connection, SSLConnection):
            try:
                connection.ssl_context.get()
            except (OSError, ssl.SSLError) as error:
                raise OperatorError(
                    "AUTHSVC_REDIS_URL: a file that it names in ssl_ca_certs, ssl_ca_path, ssl_certfile or "
                    f"ssl_keyfile cannot be used ({getattr(error, 'strerror', None) or error}). "
                    "Name PEM files that this user may read"
                ) from None

    def connection(self, place: Place | None) -> AbstractConnection:
        """Return a connection to Redis at *place* that is not connected yet."""
        return self._made(place, self._ours)

    def to_sentinel(self, place: Place) -> AbstractConnection:
        """Return a connection to the sentinel at *place* that is not connected yet."""
        return self._made(place, self._sentinels)

    def _made(self, place: Place | None, manners: Mapping[str, object]) -> AbstractConnection:
        at = {} if place is None else {"host": place[0], "port": place[1]}
        return self._kind(**{**manners, **at})  # type: ignore[arg-type] # the driver's own reading


def _manners(timeout_seconds: float) -> dict[str, object]:
    return {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "retry": Retry(NoBackoff(), 0),
        "decode_responses": False,
        # The older protocol needs no more than the commands that we send; so does a driver without a name.
        "protocol": 2,
        "driver_info": None,
    }


def _login_of_sentinels(parameters: dict[str, str]) -> dict[str, str]:
    """Take what is theirs out of *parameters*, which are for the driver."""
    given = {name: parameters.pop(f"sentinel_{name}", None) for name in ("username", "password")}
    return {name: value for name, value in given.items() if value is not None}


def _place(host: str, port: int) -> Place:
    parts = urlsplit(f"//{host}")
    name = unquote(parts.hostname or "localhost")
    name.encode("idna")  # as the resolver will
    return name, parts.port or port
