"""Redis: the denylist, an index of what Postgres says was withdrawn.

It is believed only while its marker is that of the very node we are connected to: then everything
that Postgres held was loaded into it, and everything since was delivered. `denylist_upkeep.py` sees to that.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain

from authsvc.metrics import DENIALS
from authsvc.secret_tokens import new_id
from authsvc.storage.coalescing import CallbackCoalescer, Receiver, Settle
from authsvc.storage.denial import DENIED, SAFETY, Denial, is_entry
from authsvc.storage.redis_client import NAMESPACE, Command, RedisAway
from authsvc.storage.redis_link import RedisLink
from authsvc.storage.redis_node import RedisNode
from authsvc.storage.redis_refusal import FOREIGN

MARKER = f"{NAMESPACE}marker"
_BATCH = 256
_PORTION = 500  # packing twenty thousand commands at once would hold up the event loop for a second

# Of two that tell what a client is now, the later one may be overtaken by the earlier.
# What no authsvc wrote is not overwritten: somebody else would miss it, and write it again.
_SET_NEWER = f"""
local there = redis.pcall('GET', KEYS[1])
local is_refused = type(there) == 'table' and there.err
if is_refused and not string.find(there.err, 'WRONGTYPE') then return there end
if there then
  local version = type(there) == 'string' and string.match(there, '^(%d+) %l+$')
  if not version then return redis.error_reply('{FOREIGN} ' .. KEYS[1]) end
  if tonumber(version) > tonumber(ARGV[1]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return 1
"""

# What a user may not do, a script of that user may not do either.
_TRY_OUT = """
redis.call('MGET', KEYS[1], KEYS[2])
redis.call('GET', KEYS[2])
redis.call('DEL', KEYS[1])
redis.call('EXISTS', KEYS[1])
redis.call('BITFIELD', KEYS[1], 'GET', 'u48', '#0')
redis.call('SETRANGE', KEYS[1], 0, '')
redis.call('PEXPIRE', KEYS[1], 1)
local answer = redis.pcall('SET', KEYS[1], '1', 'PX', '0')
if string.find(answer.err, 'expire time') then return 1 end
return answer
"""

Found = Mapping[str, bytes]
"""The entries that there are, by their keys, those among them that others asked for at the same time."""


class Denylist:
    """The denylist as this process knows it: one connection to ask, one to write."""

    def __init__(self, checks: RedisLink, writes: RedisLink) -> None:
        self.checks = checks
        self.writes = writes
        self.needs_look = asyncio.Event()
        self.reason: str | None = "it has not been looked at yet"
        self.loads = 0
        self.refused: str | None = None
        self._trusted: RedisNode | None = None
        self._foreign: set[str] = set()
        self._lookups: CallbackCoalescer[Sequence[str], Found] = CallbackCoalescer(self._put, at_most=_BATCH)

    @property
    def is_trusted(self) -> bool:
        """Whether checks ask it."""
        return self._trusted is not None

    def trust(self, node: RedisNode) -> None:
        """Believe *node* from now on: it holds everything."""
        # The same object where it is the same node: a batch under way holds on to it.
        self._trusted = self._trusted if self._trusted == node else node
        self.reason = None

    def distrust(self, reason: str) -> None:
        """Ask it nothing until it has been looked at."""
        self._trusted, self.reason = None, reason

    def find(self, keys: Sequence[str]) -> "asyncio.Future[Found]":
        """Return the entries under *keys* to come; one round trip, shared with whoever asks at the same time.

        Awaiting it raises:
            RedisAway: it could not be asked, has forgotten something, or holds what we do not write.
        """
        return self._lookups.ask(keys)

    def find_for(self, receiver: Receiver[Found], keys: Sequence[str]) -> None:
        """Find the same for *receiver*, which is told in the very moment that the answer comes."""
        self._lookups.ask_for(receiver, keys)

    async def try_out(self) -> None:
        """Do all that we shall ever do, and change nothing.

        Raises:
            RedisAway: Redis could not be asked, or refuses something.
        """
        key = f"{NAMESPACE}trial:{new_id()}"
        await self.checks.ask([("EVAL", _TRY_OUT, 2, key, MARKER)])

    async def expect_no_foreign(self) -> None:
        """See that what we do not write, and was found, has gone.

        Raises:
            RedisAway: it has not, or Redis could not be asked.
        """
        if not self._foreign:
            return
        keys = sorted(self._foreign)
        [values] = await self.checks.ask([("MGET", *(NAMESPACE + key for key in keys))])
        found = zip(keys, values if isinstance(values, list) else [], strict=True)
        self._foreign = {key for key, value in found if value is not None and not is_entry(key, value)}
        if self._foreign:
            raise RedisAway(_holds_foreign(self._foreign))

    def _put(self, batch: Sequence[Sequence[str]], settle: Settle[Found]) -> None:
        node = self._trusted
        if node is None:
            settle(RedisAway(self.reason or "it is not trusted"))
            return
        names = list(dict.fromkeys(chain.from_iterable(batch)))

        def tell(told: list[object] | RedisAway) -> None:
            found = told if isinstance(told, RedisAway) else self._found(told, node, names, batch)
            if isinstance(found, RedisAway) and self._trusted is node:
                self._lose(found.reason)
            settle(found)

        self.checks.put([("MGET", MARKER, *[NAMESPACE + name for name in names])], tell)

    def _found(
        self,
        answers: list[object],
        node: RedisNode,
        names: Sequence[str],
        batch: Sequence[Sequence[str]],
    ) -> list[Found] | RedisAway:
        try:
            return self._read(answers, node, names, batch)
        except RedisAway as away:
            return away
        except Exception:  # noqa: BLE001 - whatever it stumbles over: those who wait must be told
            return RedisAway("it does not answer as it should")

    def _read(
        self,
        answers: list[object],
        node: RedisNode,
        names: Sequence[str],
        batch: Sequence[Sequence[str]],
    ) -> list[Found]:
        marker, *values = answers[0] if isinstance(answers[0], list) else [None]
        if marker != node.marker:
            raise RedisAway("it has forgotten what it held")
        if self._trusted is not node:
            raise RedisAway("it has to be looked at first")
        there = {name: value for name, value in zip(names, values, strict=True) if value is not None}
        if foreign := {name for name, value in there.items() if not is_entry(name, value)}:
            self._foreign |= foreign
            raise RedisAway(_holds_foreign(foreign))
        return [there] * len(batch)

    def _lose(self, reason: str) -> None:
        self.distrust(reason)
        self.needs_look.set()

    async def deny(self, denials: Iterable[Denial], *, now: datetime) -> RedisNode:
        """Write *denials*, each for its life (a relative one: Redis may have another clock).

        Returns:
            the node that has all of them now.

        Raises:
            RedisAway: some or all could not be written.
        """
        commands = [command(denial, now) for denial in denials]
        portions = (commands[at : at + _PORTION] for at in range(0, len(commands), _PORTION))
        try:
            nodes = {await self._write(portion) for portion in portions}
        except RedisAway as away:
            self.refused = away.reason
            raise
        if len(nodes) != 1:
            raise RedisAway("its primary changed in the middle")
        DENIALS.inc(len(commands))
        return nodes.pop()

    async def _write(self, commands: Sequence[Command]) -> RedisNode:
        if self.writes.was_silent_lately:
            raise RedisAway("it gave no answer a moment ago")
        try:
            node = self.writes.node or await self.writes.open()
            await self.writes.ask(commands)
        except RedisAway as away:
            if away.is_silence and not self.is_trusted:  # those who check wait in vain too
                raise
            # The connection may have been closed while it was idle, or by a start in between, after which
            # others believe the node already; writing twice is the same.
            node = await self.writes.open()
            await self.writes.ask(commands)
        return node

    async def close(self) -> None:
        """Close both connections."""
        await self.checks.close()
        await self.writes.close()


def command(denial: Denial, now: datetime) -> Command:
    """Return the command that writes *denial*."""
    life = max(1, (denial.until - now + SAFETY) // timedelta(milliseconds=1))
    key = NAMESPACE + denial.key
    if denial.version is None:
        return ("SET", key, DENIED, "PX", life)
    state = "enabled" if denial.is_lifted else "disabled"
    return ("EVAL", _SET_NEWER, 1, key, denial.version, state, life)


def _holds_foreign(keys: Iterable[str]) -> str:
    return f"the key {NAMESPACE}{min(keys)} holds another application's value"
