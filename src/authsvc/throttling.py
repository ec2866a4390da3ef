"""Guesses at passwords are counted before they are looked at; a right one is given back."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from authsvc import audit
from authsvc.clock import Clock
from authsvc.errors import TooManyAttempts, Unavailable
from authsvc.known_addresses import KnownAddresses
from authsvc.networks import network_of
from authsvc.server_keys import ServerKeys
from authsvc.storage.accounts import Account
from authsvc.storage.guess_counters import GuessCounters, Reserved
from authsvc.storage.guess_slots import BUCKETS, Full, Limit, Slot


@dataclass(frozen=True)
class Guess:
    """Whose password is tried, and from where. *name* is the key of a name, also of one that is nobody's."""

    name: str
    account: Account | None
    address: str | None


@dataclass(frozen=True)
class Throttle:
    """Bounds wrong guesses: of an account from an address, from an address, of an account."""

    counters: GuessCounters
    of_pair: Limit
    of_address: Limit
    of_account: Limit
    server_keys: ServerKeys
    known_addresses: KnownAddresses
    clock: Clock
    _under_way: Counter[Slot] = field(default_factory=Counter)

    async def guard(self, guess: Guess, check: Callable[[], Awaitable[bool]]) -> bool:
        """Return what *check* says of *guess*, which is counted meanwhile, and afterwards if it was wrong.

        Raises:
            TooManyAttempts: nothing was checked.
            Unavailable: as *check*; the guess does not count.
        """
        pair, *others = self._slots(guess)
        reserved = await self._reserve(guess, [pair, *others])
        self._under_way[pair] += 1
        try:
            return await self._checked(reserved, check)
        finally:
            self._under_way.subtract([pair])
            if not self._under_way[pair]:
                del self._under_way[pair]

    async def _checked(self, reserved: Reserved, check: Callable[[], Awaitable[bool]]) -> bool:
        try:
            is_right = await check()
        except Unavailable:
            await self._give_back(reserved)
            raise
        if is_right:
            await self._give_back(reserved)
        return is_right

    def addresses_with(self, guess: Guess) -> tuple[bytes | None, bytes] | None:
        """Return the known addresses of the guess's account, and those that tell of this one too."""
        account = guess.account
        if account is None:
            return None
        known, now = account.known_addresses, self.clock()
        seen = self.known_addresses.seen(known, account.id, guess.address, now)
        return None if seen is None else (known, seen)

    def _slots(self, guess: Guess) -> list[Slot]:
        network, name = network_of(guess.address), guess.name.encode(errors="surrogatepass")
        slots = [
            self._slot(self.of_pair, network, name),
            self._slot(self.of_address, network),
        ]
        if not self._is_from_known_address(guess):
            slots.append(self._slot(self.of_account, name))
        return slots

    def _slot(self, limit: Limit, *who: bytes) -> Slot:
        mac = self.server_keys.current.guess_mac(limit.name.encode(), *who)
        return Slot(limit, int.from_bytes(mac[:8]) % BUCKETS)

    def _is_from_known_address(self, guess: Guess) -> bool:
        account = guess.account
        return account is not None and self.known_addresses.include(
            account.known_addresses, account.id, guess.address, self.clock()
        )

    async def _reserve(self, guess: Guess, slots: list[Slot]) -> Reserved:
        answer = await self.counters.reserve(slots, self._now())
        if isinstance(answer, Reserved):
            return answer
        account = guess.account
        audit.record(
            "login_throttled", account_id=None if account is None else account.id, limit=answer.limit
        )
        raise TooManyAttempts(
            "Too many wrong passwords. Wait before the next.", retry_after=self._wait(answer, slots[0])
        )

    def _wait(self, full: Full, pair: Slot) -> int:
        # Those of the same user's that are being checked are given back in a moment if they are right.
        if full.limit == pair.limit.name and self._under_way[pair]:
            return 1
        return -(-full.wait // 1000)

    async def _give_back(self, reserved: Reserved) -> None:
        await self.counters.give_back(reserved, self._now())

    def _now(self) -> int:
        return int(self.clock().timestamp() * 1000)
