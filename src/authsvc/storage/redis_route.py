"""The way to the node that takes what we write: found anew at each connection.

A sentinel is asked which node is the primary; a cluster's node says itself that another owns our slot.
"""

import asyncio
from collections.abc import Iterable

from redis.asyncio.connection import AbstractConnection, SSLConnection
from redis.exceptions import AuthenticationError, MovedError, RedisError, ResponseError
from redis.exceptions import ConnectionError as DriverConnectionError

from authsvc.storage import redis_refusal
from authsvc.storage.redis_address import Place, RedisAddress
from authsvc.storage.redis_client import NAMESPACE, Command, connect, exchange, redis_errors

_TURNS = 5  # while a slot moves, two nodes may name each other

_WHO_OWNS: list[Command] = [("EXISTS", NAMESPACE), ("INFO", "cluster")]


class RedisRoute:
    """Leads to Redis. Remembers the nodes of a cluster, so that one of them may go for good."""

    def __init__(self, address: RedisAddress) -> None:
        self._address = address
        self._places: list[Place | None] = [*address.places] or [None]

    async def connect(self) -> AbstractConnection:
        """Return a new connection to the node that owns our keys.

        Raises:
            RedisAway: no such node could be found, or not in time.
        """
        with redis_errors():
            async with asyncio.timeout(self._address.patience_seconds):
                if self._address.primary_name is None:
                    return await self._by_any_node()
                return await self._followed(await self._primary(self._address.primary_name))

    async def _by_any_node(self) -> AbstractConnection:
        failures: list[Exception] = []
        for place in tuple(self._places):
            try:
                return await self._followed(place)
            except (RedisError, OSError, TimeoutError) as error:
                failures.append(error)
                self._try_last(place)
        raise _most_telling(failures)

    async def _primary(self, name: str) -> Place:
        failures: list[Exception] = []
        for place in tuple(self._places):
            if place is None:
                continue
            try:
                return await self._primary_by(place, name)
            except (RedisError, OSError, TimeoutError) as error:
                failures.append(error)
                self._try_last(place)
        raise _most_telling(failures)

    async def _primary_by(self, sentinel: Place, name: str) -> Place:
        connection = self._address.to_sentinel(sentinel)
        try:
            await connect(connection)
            question: Command = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name)
            [answer] = await exchange(connection, [question])
        except AuthenticationError as refused:
            raise AuthenticationError(f"{redis_refusal.OF_SENTINEL}: {refused}") from refused
        finally:
            await connection.disconnect(nowait=True)
        match answer:
            case [bytes(host), bytes(port)] if port.isdigit():
                return host.decode(errors="replace"), int(port)
            case _:
                raise ResponseError(redis_refusal.NO_SUCH_PRIMARY)

    async def _followed(self, place: Place | None) -> AbstractConnection:
        for _ in range(_TURNS):
            connection = self._address.connection(place)
            try:
                described = await _greet(connection)
                if b"cluster_enabled:1" in described:
                    await self._learn(connection, place)
            except MovedError as moved:
                await connection.disconnect(nowait=True)
                place = (moved.host or (place or ("", 0))[0], moved.port)
            except BaseException:
                await connection.disconnect(nowait=True)
                raise
            else:
                return connection
        raise ResponseError(redis_refusal.SENT_ROUND)

    async def _learn(self, connection: AbstractConnection, owner: Place | None) -> None:
        try:
            [ranges] = await exchange(connection, [("CLUSTER", "SLOTS")])
        except ResponseError:  # not granted: then those that the URL names are all there are
            ranges = []
        self._places = list(dict.fromkeys([owner, *_nodes(ranges), *self._address.places]))

    def _try_last(self, place: Place | None) -> None:
        # One that hangs may use up all the time there is; the next attempt begins with another.
        if place in self._places:
            self._places.remove(place)
            self._places.append(place)


async def _greet(connection: AbstractConnection) -> bytes:
    """Connect; return what the node says of its cluster."""
    try:
        await connect(connection)
        _, described = await exchange(connection, _WHO_OWNS)
    except DriverConnectionError as lost:
        if not redis_refusal.is_hang_up(lost):
            raise
        is_tls = isinstance(connection, SSLConnection)
        said = redis_refusal.HUNG_UP_ON_TLS if is_tls else redis_refusal.HUNG_UP
        raise DriverConnectionError(said) from lost
    return described if isinstance(described, bytes) else b""


def _nodes(ranges: object) -> Iterable[Place]:
    """Read the answer to CLUSTER SLOTS: for each range of slots its first, its last, its nodes."""
    for one in ranges if isinstance(ranges, list) else []:
        for node in one[2:] if isinstance(one, list) else []:
            match node:
                case [bytes(host), int(port), *_] if host and host != b"?":
                    yield host.decode(errors="replace"), port


def _most_telling(failures: list[Exception]) -> Exception:
    return min(failures, key=redis_refusal.vagueness)
