"""So many values, by the SHA-256 of the text that each is about; the text itself is kept nowhere."""

from itertools import islice
from typing import Generic, TypeVar

V = TypeVar("V")

_PART = 8


class BoundedMemory(Generic[V]):
    """Keeps the values that came last. With none at most it keeps nothing."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._values: dict[bytes, V] = {}

    def __contains__(self, sha256: bytes) -> bool:
        """Whether there is a value."""
        return sha256 in self._values

    def get(self, sha256: bytes) -> V | None:
        """Return the value, if it is kept."""
        return self._values.get(sha256)

    def keep(self, sha256: bytes, value: V) -> None:
        """Keep *value*; those that were kept longest may go."""
        if not self._at_most:
            return
        if len(self._values) >= self._at_most:
            # Several at once: to find the oldest a dict goes through the places of all that went before.
            for oldest in list(islice(self._values, -(-self._at_most // _PART))):
                del self._values[oldest]
        self._values[sha256] = value
