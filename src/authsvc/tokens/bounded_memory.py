"""So many values, by what each is about: the SHA-256 of a text, which itself is kept nowhere, or an id."""

from itertools import islice
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_PART = 256  # what goes is freed at once, and holds up the event loop meanwhile


class BoundedMemory(Generic[K, V]):
    """Keeps the values that came last. With none at most it keeps nothing."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._values: dict[K, V] = {}

    def __contains__(self, key: K) -> bool:
        """Whether there is a value."""
        return key in self._values

    def get(self, key: K) -> V | None:
        """Return the value, if it is kept."""
        return self._values.get(key)

    def take(self, key: K) -> V | None:
        """Return the value, if it was kept, and keep it no more."""
        return self._values.pop(key, None)

    def keep(self, key: K, value: V) -> None:
        """Keep *value*; those that were kept longest may go."""
        if not self._at_most:
            return
        if len(self._values) >= self._at_most:
            # Several at once: to find the oldest a dict goes through the places of all that went before.
            for oldest in list(islice(self._values, -(-self._at_most // _PART))):
                del self._values[oldest]
        self._values[key] = value
