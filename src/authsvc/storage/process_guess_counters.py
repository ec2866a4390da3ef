"""Guesses counted in this process: where there is no Redis, or while it is away."""

import mmap

from authsvc.storage.guess_slots import BUCKETS, Full, LimitName, Slot

_NUMBER = 8


class ProcessGuessCounters:
    """As many buckets as in Redis. Of their 24 MiB only the pages that guesses fell into take memory."""

    def __init__(self) -> None:
        self._emptied_at: dict[LimitName, memoryview] = {}

    async def reserve(self, slots: list[Slot], now: int) -> Full | None:
        """Count a guess in all of *slots*, or in none of them where one is full."""
        moved = []
        full = None
        for slot in slots:
            ahead = min(max(self._buckets(slot)[slot.bucket] - now, 0), slot.limit.span) + slot.limit.interval
            wait = ahead - slot.limit.span
            if wait > 0 and (full is None or wait > full.wait):
                full = Full(slot.limit.name, wait)
            moved.append(now + ahead)
        if full is None:
            for slot, emptied_at in zip(slots, moved, strict=True):
                self._buckets(slot)[slot.bucket] = emptied_at
        return full

    async def give_back(self, slots: list[Slot], now: int) -> None:
        """Take back a guess that was right, or was not looked at."""
        for slot in slots:
            emptied_at = self._buckets(slot)[slot.bucket]
            if emptied_at > now:
                self._buckets(slot)[slot.bucket] = emptied_at - slot.limit.interval

    def _buckets(self, slot: Slot) -> memoryview:
        if slot.limit.name not in self._emptied_at:
            # Of the kernel, which gives a page when it is first written to.
            self._emptied_at[slot.limit.name] = memoryview(mmap.mmap(-1, _NUMBER * BUCKETS)).cast("Q")
        return self._emptied_at[slot.limit.name]
