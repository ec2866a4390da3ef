"""Redis: guesses counted for all instances, in a fixed number of buckets.

510 buckets of 6 bytes share one key, made whole at once, so however many names and addresses an attacker
has, there are 3 x 2048 keys of 3 KiB at most, and less than 20 MiB. A key goes when all of its buckets are
empty. One connection of its own, so that a slow count delays no check of a token.
"""

from contextlib import suppress

from authsvc.storage.coalescing import CallbackCoalescer
from authsvc.storage.guess_slots import Full, LimitName, Slot
from authsvc.storage.redis_client import NAMESPACE, Command, RedisAway
from authsvc.storage.redis_link import RedisLink

KEY = f"{NAMESPACE}guesses:"
BUCKETS_OF_A_KEY = 510
_BYTES = 6 * BUCKETS_OF_A_KEY
_LONGER = 60_000
"""Milliseconds by which a key outlives its buckets: Redis may have another clock."""
_BATCH = 256

# A key's place, interval and capacity are three arguments in a row; the rule is that of `guess_slots.py`.
_RESERVE = f"""
local now, first, longest, full = tonumber(ARGV[1]), {{}}, 0, 0
for i, key in ipairs(KEYS) do
    local place, interval, capacity = ARGV[3 * i - 1], tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
    local emptied = redis.call('BITFIELD', key, 'GET', 'u48', '#' .. place)[1]
    local ahead = math.min(math.max(emptied - now, 0), interval * capacity) + interval
    local wait = ahead - interval * capacity
    if wait > longest then longest, full = wait, i end
    first[i] = now + ahead
end
if full > 0 then return {{full, longest}} end
for i, key in ipairs(KEYS) do
    local place, interval, capacity = ARGV[3 * i - 1], tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
    if redis.call('EXISTS', key) == 0 then redis.call('SETRANGE', key, {_BYTES - 1}, '\\0') end
    redis.call('BITFIELD', key, 'SET', 'u48', '#' .. place, string.format('%.0f', first[i]))
    redis.call('PEXPIRE', key, interval * capacity + {_LONGER})
end
return {{0, 0}}
"""

_GIVE_BACK = """
local now = tonumber(ARGV[1])
for i, key in ipairs(KEYS) do
    local place, interval = ARGV[3 * i - 1], tonumber(ARGV[3 * i])
    local emptied = redis.call('BITFIELD', key, 'GET', 'u48', '#' .. place)[1]
    if emptied > now then
        redis.call('BITFIELD', key, 'SET', 'u48', '#' .. place, string.format('%.0f', emptied - interval))
    end
end
return 0
"""


class RedisGuessCounters:
    """Counts in Redis, one round trip a time, shared by those who ask at the same time."""

    def __init__(self, link: RedisLink) -> None:
        self.link = link
        self._trips: CallbackCoalescer[Command, object] = CallbackCoalescer(link.put, at_most=_BATCH)

    async def reserve(self, slots: list[Slot], now: int) -> Full | None:
        """Count a guess in all of *slots*, or in none of them where one is full.

        Raises:
            RedisAway: it could not be asked; the guess may have been counted.
        """
        answer = await self._trips.ask(_command(_RESERVE, slots, now))
        match answer:
            case [int(full), int(wait)]:
                return Full(slots[full - 1].limit.name, wait) if full else None
            case _:
                raise RedisAway("it does not answer as it should")

    async def give_back(self, slots: list[Slot], now: int) -> None:
        """Take back a guess that was right, or was not looked at; raises as `reserve`."""
        await self._trips.ask(_command(_GIVE_BACK, slots, now))

    async def reach(self) -> None:
        """See that there is a connection and that it answers.

        Raises:
            RedisAway: it cannot be reached.
        """
        if self.link.node is not None:
            with suppress(RedisAway):
                await self.link.ask([("PING",)])
                return
        await self.link.open()


def key_of(limit: LimitName, bucket: int) -> str:
    """Return the key that a bucket is in."""
    return f"{KEY}{limit.replace(' ', '-')}:{bucket // BUCKETS_OF_A_KEY}"


def _command(script: str, slots: list[Slot], now: int) -> Command:
    keys = [key_of(slot.limit.name, slot.bucket) for slot in slots]
    numbers = [
        number
        for slot in slots
        for number in (slot.bucket % BUCKETS_OF_A_KEY, slot.limit.interval, slot.limit.capacity)
    ]
    return ("EVAL", script, len(keys), *keys, now, *numbers)
