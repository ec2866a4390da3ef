"""What one client of the load does: sessions one after another, and looks at tokens dead and alive."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from random import Random

from tests.faults.asker import Asker, Tokens
from tests.faults.record import now

PAUSE_SECONDS = 0.04
RETRY_SECONDS = 0.25
APART_SECONDS = 0.08
# The shortest overlap that leaves an honest client time: the longest answer, a pause, the next answer.
MARGIN_SECONDS = 0.3
INSTANCES = ("a", "b")
ROUNDS = (3, 7)


@dataclass
class Held:
    """A session as its client holds it."""

    session: str
    now: Tokens
    access: list[str] = field(default_factory=list)
    older: list[str] = field(default_factory=list)
    """Refresh tokens that were exchanged, the latest last."""


@dataclass
class Life:
    """One asker's doings, until it is told to stop and has ended what it began."""

    asker: Asker
    ended: deque[tuple[str, str]]
    """Tokens that all clients know to be dead, each with its session."""
    stopping: asyncio.Event
    overlap: float
    random: Random
    is_late: bool
    """Holds its sessions long enough to present a predecessor after its overlap."""

    async def go_on(self) -> None:
        # Not all at once: passwords are hashed one after another.
        await asyncio.sleep(self.asker.number * APART_SECONDS)
        while not self.stopping.is_set():
            session = self.asker.new_session()
            tokens = await self._log_in(session)
            if tokens is None:
                continue
            held = Held(session, tokens, [tokens.access])
            if await (self._hold_long(held) if self.is_late else self._hold(held)):
                await self._end(held)

    async def _log_in(self, session: str) -> Tokens | None:
        tokens = await self.asker.log_in(self._either(), session)
        await asyncio.sleep(PAUSE_SECONDS if tokens else RETRY_SECONDS)
        return tokens

    async def _hold(self, held: Held) -> bool:
        """Use the session for some rounds; whether it is still there."""
        for _ in range(self.random.randint(*ROUNDS)):
            await self._look_around(held)
            if not await self._refresh(held):
                return False
            if self.random.random() < 0.25:
                await self._repeat(held)
            if self.random.random() < 0.35 and len(held.access) > 1:
                await self._revoke_one(held)
            if self.stopping.is_set():
                break
        return True

    async def _hold_long(self, held: Held) -> bool:
        """Present a predecessor as soon as its overlap is certainly over; whether the session survived."""
        if not await self._refresh(held):
            return False
        until = now() + self.overlap + MARGIN_SECONDS
        while now() < until:
            await self._look_around(held)
            if self.stopping.is_set():
                return True
        return not await self._replay(held, held.older[-1])

    async def _look_around(self, held: Held) -> None:
        """Check tokens of its own at both instances, and some that somebody ended lately or long ago."""
        for instance in INSTANCES:
            await self._check(instance, held.session, self.random.choice(held.access))
        for token, session in self._some_ended():
            await self._check(self._either(), session, token)

    def _some_ended(self) -> list[tuple[str, str]]:
        if not self.ended:
            return []
        return [self.ended[-1], self.random.choice(self.ended)]

    async def _check(self, instance: str, session: str, token: str) -> None:
        ask = self.asker.verify if self.random.random() < 0.3 else self.asker.introspect
        await ask(instance, session, token)
        await asyncio.sleep(PAUSE_SECONDS)

    async def _refresh(self, held: Held) -> bool:
        """Exchange the refresh token, again and again while no answer comes; False if it is refused."""
        while True:
            status, tokens = await self.asker.refresh(self._either(), held.session, held.now.refresh)
            if tokens is not None:
                held.older.append(held.now.refresh)
                held.now = tokens
                held.access.append(tokens.access)
                await asyncio.sleep(PAUSE_SECONDS)
                return True
            if status not in (0, 503):
                self._bury(held)
                return False
            await asyncio.sleep(RETRY_SECONDS)

    async def _repeat(self, held: Held) -> None:
        """Present the predecessor again at once, as a second tab of the same browser does."""
        asker, token = self.asker, held.older[-1]
        _, tokens = await asker.refresh(self._either(), held.session, token, meant="repeat")
        if tokens is not None:
            held.access.append(tokens.access)

    async def _replay(self, held: Held, token: str) -> bool:
        """Present a token that is too old; whether the session was ended for it."""
        while True:
            status, _ = await self.asker.refresh(self._either(), held.session, token, meant="replay")
            if status not in (0, 503):
                break
            await asyncio.sleep(RETRY_SECONDS)
        if status != 400:
            return False
        await self._after_the_end(held)
        return True

    async def _revoke_one(self, held: Held) -> None:
        token = held.access.pop(self.random.randrange(len(held.access) - 1))
        while True:
            if await self.asker.revoke(self._either(), held.session, token):
                break
            await asyncio.sleep(RETRY_SECONDS)
        self.ended.append((token, held.session))
        for instance in INSTANCES:
            await self._check(instance, held.session, token)

    async def _end(self, held: Held) -> None:
        """Look whether everything that was acknowledged is there, then end the session in one of the ways."""
        for instance in INSTANCES:
            await self._check(instance, held.session, held.now.access)
        way = self.random.random()
        if way < 0.15 and len(held.older) > 1 and await self._replay(held, held.older[-2]):
            return
        while not await self._end_once(held, way):
            await asyncio.sleep(RETRY_SECONDS)
            # A 503 says that the token still lives (RFC 7009 §2.2.1).
            await self._check(self._either(), held.session, held.now.access)
        await self._after_the_end(held)

    async def _end_once(self, held: Held, way: float) -> bool:
        if way < 0.6:
            return await self.asker.log_out(self._either(), held.session, held.now.access)
        if way < 0.8:
            return await self.asker.log_out(self._either(), held.session, held.now.refresh)
        return await self.asker.revoke(self._either(), held.session, held.now.refresh)

    async def _after_the_end(self, held: Held) -> None:
        self._bury(held)
        for instance in INSTANCES:
            await self._check(instance, held.session, held.now.access)

    def _bury(self, held: Held) -> None:
        self.ended.extend((token, held.session) for token in held.access)

    def _either(self) -> str:
        return self.random.choice(INSTANCES)
