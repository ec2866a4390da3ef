"""Somebody who does one thing after the other, at moments that a load would hardly meet."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx

from tests.faults.asker import Asker, Tokens
from tests.faults.life import INSTANCES
from tests.faults.load import PATIENCE_SECONDS
from tests.faults.record import Record
from tests.faults.world import Pair

Answered = TypeVar("Answered")


class Person:
    """One session after the other at the instances of *pair*, each answer recorded for the checker."""

    def __init__(self, pair: Pair, overlap: float) -> None:
        self.record = Record(pair.token_format, overlap)
        self.session = "none"
        self._target = pair.target
        self._sessions = 0

    def log_in(self, instance: str) -> Tokens:
        """Begin a session, which is the one that all else is about."""
        self._sessions += 1
        self.session = f"0.{self._sessions}"
        tokens = self._do(lambda asker: asker.log_in(instance, self.session))
        assert tokens is not None, self.record.answers[-1]
        return tokens

    def refresh(self, instance: str, token: str) -> Tokens:
        _, tokens = self._do(lambda asker: asker.refresh(instance, self.session, token))
        assert tokens is not None, self.record.answers[-1]
        return tokens

    def replay(self, instance: str, token: str) -> int:
        """Present a token that is too old; return the status of the answer."""
        self._do(lambda asker: asker.refresh(instance, self.session, token, meant="replay"))
        return self.record.answers[-1].status

    def log_out(self, instance: str, token: str) -> int:
        """Return the status of the answer."""
        self._do(lambda asker: asker.log_out(instance, self.session, token))
        return self.record.answers[-1].status

    def check_everywhere(self, token: str) -> list[bool | None]:
        """Return what introspection says of the token, at each instance."""
        for instance in INSTANCES:
            self._check(instance, token)
        return [answer.live for answer in self.record.answers[-len(INSTANCES) :]]

    def _check(self, instance: str, token: str) -> None:
        self._do(lambda asker: asker.introspect(instance, self.session, token))

    def _do(self, work: Callable[[Asker], Awaitable[Answered]]) -> Answered:
        async def ask() -> Answered:
            urls = self._target.urls
            async with (
                httpx.AsyncClient(base_url=urls["a"], timeout=PATIENCE_SECONDS, trust_env=False) as a,
                httpx.AsyncClient(base_url=urls["b"], timeout=PATIENCE_SECONDS, trust_env=False) as b,
            ):
                instances = {"a": a, "b": b}
                asker = Asker(0, self._target.usernames[0], self._target.caller, instances, self.record)
                return await work(asker)

        return asyncio.run(ask())
