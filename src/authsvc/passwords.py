"""Passwords: argon2id through passlib, in threads of their own that step back behind requests."""

import asyncio
import os
import threading
import time
import unicodedata
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2.low_level import error_to_str
from passlib.context import CryptContext
from passlib.hash import argon2

from authsvc.errors import Unavailable
from authsvc.hash_cores import cores_for_hash, move_to, usable_cores
from authsvc.hash_estimate import HashEstimate, HashTime
from authsvc.hash_turns import HashTurns
from authsvc.metrics import HASHES, HASHES_REFUSED

MAX_LENGTH = 1024
_CHEAPEST_PREFIX = "$argon2id$v=19$m=8,t=1,p=1$"
_NO_MEMORY, _NO_THREAD = -22, -33  # of argon2.h: for the hash, for one of its lanes
_OUT_OF_MEMORY = frozenset({error_to_str(_NO_MEMORY), error_to_str(_NO_THREAD)})

T = TypeVar("T")


class PasswordHasher:
    """Hashes and verifies, a bounded number at a time, refusing early what would wait too long."""

    def __init__(
        self,
        *,
        memory_kib: int,
        passes: int,
        lanes: int,
        threads: int,
        niceness: int,
        max_wait_seconds: float,
    ) -> None:
        self._context = CryptContext(
            schemes=["argon2"],
            argon2__type="ID",
            argon2__memory_cost=memory_kib,
            argon2__time_cost=passes,
            argon2__parallelism=lanes,
        )
        self._cost = memory_kib * passes
        self.policy_prefix = f"$argon2id$v=19$m={memory_kib},t={passes},p={lanes}$"
        cores = len(usable_cores())
        self._threads = threads or cores
        self._niceness = niceness
        self._max_wait = max_wait_seconds
        self._pool = ThreadPoolExecutor(self._threads, "hash", initializer=self._step_back)
        self._turns = HashTurns(self._threads, cores)
        self._waiting = 0
        self._estimate = HashEstimate()

    async def hash(self, password: str) -> str:
        """Return a new hash of *password*.

        Raises:
            Unavailable: the wait would be too long, or there is no memory for it; nothing was computed.
        """
        return await self._run(lambda: str(self._context.hash(normalise(password))))

    async def verify(self, password: str, stored: str) -> bool:
        """Whether *password* is the one that was stored; where nothing is, `StandInHashes` has one for it.

        A password that cannot be anyone's, and a stored hash that is broken, cost one hash all the same, so
        that time tells nothing.

        Raises:
            Unavailable: the wait would be too long, or there is no memory for it; nothing was computed.
        """
        return await self._run(lambda: self._verify(password, stored))

    def _verify(self, password: str, stored: str) -> bool:
        secret = normalise(password)
        is_possible = is_storable(secret)
        try:
            # Not by the context, which would first find out what it is: a thread that steps back makes the
            # event loop wait while it holds the interpreter's lock.
            return bool(argon2.verify(secret if is_possible else "", stored)) and is_possible
        except (ValueError, TypeError, NotImplementedError) as error:  # a broken stored hash
            if _is_out_of_memory(error):
                raise
            argon2.verify("", nobodys_hash(self.policy_prefix))
            return False

    def is_outdated(self, stored: str) -> bool:
        """Whether the policy has moved above what *stored* cost; a stronger hash is left alone."""
        if stored.startswith(self.policy_prefix):
            return False
        try:
            hashed = argon2.from_string(stored)
        except (ValueError, NotImplementedError):
            return True
        return str(hashed.type) != "id" or hashed.memory_cost * hashed.rounds < self._cost

    def expect_turn(self) -> None:
        """See that a password that came now would be hashed in time; what is refused here cost nothing.

        Raises:
            Unavailable: the wait would be too long.
        """
        at_a_time = self._turns.at_most
        estimate = self._waiting / at_a_time * self._estimate.seconds
        if estimate > self._max_wait:
            HASHES_REFUSED.inc()
            # By then all who wait had their turn, as it was foreseen when they were let in.
            raise Unavailable(
                "Too many passwords are being checked now.", retry_after=int(self._max_wait) + 1
            )

    async def warm_up(self) -> None:
        """Hash once, as cheaply as can be, or the first login would wait for library and thread."""
        await self.beside_hashing(lambda: self._verify("", nobodys_hash(_CHEAPEST_PREFIX)))

    def close(self) -> None:
        """Let running hashes finish and end the threads."""
        self._pool.shutdown(cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            result, took = await self._queue(work)
        except (MemoryError, ValueError) as error:
            if not _is_out_of_memory(error):
                raise
            HASHES_REFUSED.inc()
            raise Unavailable("There is no memory to hash a password now.") from error
        HASHES.observe(took.seconds)
        self._estimate.learn(took)
        return result

    async def beside_hashing(self, work: Callable[[], T]) -> T:
        """Return what *work* returns, which blocks as a hash does, from one of the same threads.

        Raises:
            Unavailable: the wait would be too long; nothing was done.
        """
        result, _ = await self._queue(work)
        return result

    async def _queue(self, work: Callable[[], T]) -> tuple[T, HashTime]:
        self.expect_turn()
        self._waiting += 1
        try:
            await self._turns.take()
            expected = self._estimate.seconds
            try:
                loop = asyncio.get_running_loop()
                cores = cores_for_hash(loop_is_busy=self._turns.loop_is_busy)
                result, seconds, cpu_seconds = await loop.run_in_executor(self._pool, _timed, work, cores)
            finally:
                self._turns.give_back()
            return result, HashTime(seconds, cpu_seconds, expected)
        finally:
            self._waiting -= 1

    def _step_back(self) -> None:
        if hasattr(os, "setpriority"):
            try:
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), self._niceness)
            except OSError:
                return  # where it is not allowed, hashing keeps the priority of requests


def prefix_of(stored: str) -> str:
    """Return what a stored hash begins with: its scheme, and the parameters that say what it costs."""
    beginning, *salt_and_digest = stored.rsplit("$", 2)
    return f"{beginning}$" if len(salt_and_digest) == 2 else stored  # noqa: PLR2004 - or it is none


def nobodys_hash(prefix: str) -> str:
    """Return a hash of these parameters that no password has, but for one of 2^256."""
    return f"{prefix}{'A' * 22}${'A' * 43}"


def normalise(password: str) -> str:
    """Return the form that is hashed: NFC (NIST SP 800-63B-4 §3.1.1.2).

    What is far too long stays as it is: sorting combining marks takes quadratic time.
    """
    return unicodedata.normalize("NFC", password) if len(password) <= 2 * MAX_LENGTH else password


def is_storable(password: str) -> bool:
    """Whether *password* could ever have been stored: not too long, no control characters, real text."""
    return len(password) <= MAX_LENGTH and not any(
        unicodedata.category(char) in {"Cc", "Cs"} for char in password
    )


def _is_out_of_memory(error: Exception) -> bool:
    """Whether it was memory that argon2 lacked; passlib says then, too, that the hash is malformed."""
    return isinstance(error, MemoryError) or str(error.__context__) in _OUT_OF_MEMORY


def _timed(work: Callable[[], T], cores: AbstractSet[int]) -> tuple[T, float, float]:
    """Do *work* on *cores*; return its result, the seconds it took, and those of the processor among them."""
    move_to(cores)
    started, used = time.perf_counter(), time.thread_time()
    return work(), time.perf_counter() - started, time.thread_time() - used
