"""Clients as they were read lately: they save reading them at every request, and serve when Postgres is away.

Saves: one database query for every request that names a client, and reading and hashing its secret again.
Invariant: a copy is used only where Redis, asked after the request came, knows of no later version, or where
Postgres has the same: asked along with an opaque token's row, or told by a refresh, which is not written
otherwise. Every change writes its version into Redis before it is answered, for longer than any copy is
kept, and a Redis that forgot is not asked (`storage/denylist.py`).
On failure: without Redis the database is asked; without both nothing is known of any client.
To switch it off: `REMEMBERED_FOR = timedelta(0)`.
"""

import asyncio  # noqa: TC003 - a type that says what the argument is
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from authsvc.clock import Clock
from authsvc.storage.clients import Client
from authsvc.storage.denial import ClientEntry
from authsvc.storage.denylist import Denylist, Found
from authsvc.storage.redis_client import RedisAway
from authsvc.storage.token_rows import Clients
from authsvc.tokens.bounded_memory import BoundedMemory

REMEMBERED_FOR = timedelta(minutes=10)
_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Copy:
    """A client, how long it is kept, how often the denylist had been loaded by then, and its entry there."""

    client: Client
    until: datetime
    loads: int
    entries: tuple[str]
    memory: "RememberedClients" = field(repr=False, compare=False)

    def is_current(self, found: Found) -> bool:
        """Whether nothing was changed since, by what was found when its entry was asked for."""
        changed = found.get(self.entries[0]) if found else None
        return changed is None or ClientEntry.read(changed).version == self.client.version

    def is_still(self, clients: Clients) -> bool:
        """Whether nothing was changed since, by what the database says of clients, this one among them.

        Else it is forgotten: Redis may not have heard of the change yet.
        """
        client, state = self.client, clients.get(self.client.id)
        if state == (client.version, client.disabled_at is not None):
            return True
        self.forget()
        return False

    def forget(self) -> None:
        """Keep it no more."""
        self.memory.forget(self)


class RememberedClients:
    """The clients that asked last, each with the moment it was read."""

    def __init__(self, denylist: Denylist | None, clock: Clock) -> None:
        self._denylist = denylist
        self._clock = clock
        self._clients: OrderedDict[str, Copy] = OrderedDict()
        self._proven: BoundedMemory[bytes, Copy] = BoundedMemory(_AT_MOST)

    def remember(self, client: Client) -> None:
        """Keep *client*, which was just read; the one that was read longest ago may go."""
        loads = 0 if self._denylist is None else self._denylist.loads
        self._clients[client.id] = Copy(
            client, self._clock() + REMEMBERED_FOR, loads, (f"client:{client.id}",), self
        )
        self._clients.move_to_end(client.id)
        if len(self._clients) > _AT_MOST:
            self._clients.popitem(last=False)

    def forget(self, copy: Copy) -> None:
        """Keep *copy* no more."""
        if self._clients.get(copy.client.id) is copy:
            del self._clients[copy.client.id]

    def copy_of(self, client_id: str, now: datetime) -> Copy | None:
        """Return what is remembered of the client, which Redis has yet to be asked about, or None."""
        copy, denylist = self._clients.get(client_id), self._denylist
        if copy is None or denylist is None or not denylist.is_trusted:
            return None
        # What was loaded since may be of a database that was restored, to before the copy was made.
        return copy if copy.loads == denylist.loads and now <= copy.until else None

    def copy_proven_by(self, sha256: bytes, now: datetime) -> Copy | None:
        """Return the copy that credentials with this digest proved, as `copy_of`, if it is still that one."""
        copy = self._proven.get(sha256)
        is_remembered = copy is not None and self.copy_of(copy.client.id, now) is copy
        return copy if is_remembered else None

    def keep_proven(self, sha256: bytes, copy: Copy) -> None:
        """Remember that credentials with this digest prove *copy*: its secrets are those it was read with.

        Not where it has two, of which one is good for a time only.
        """
        if copy.client.previous_secret_sha256 is None:
            self._proven.keep(sha256, copy)

    def ask(self, copy: Copy) -> "RememberedClient":
        """Return *copy* with the question under way whether it is still true."""
        denylist = self._denylist
        return RememberedClient(copy, None if denylist is None else denylist.find(copy.entries))


class RememberedClient:
    """A copy, and the answer to come whether it is still true."""

    def __init__(self, copy: Copy, found: "asyncio.Future[Found] | None") -> None:
        self.client = copy.client
        self._copy = copy
        self._found = found

    async def is_current(self) -> bool:
        """Whether nothing was changed since; False too where that cannot be known."""
        try:
            return self._found is not None and self._copy.is_current(await self._found)
        except RedisAway:
            return False
