"""What sessions were when they were refreshed last, by this process.

Saves: asking for a session before the statement that rotates it.
Invariant: nothing is believed. What is remembered is told to that statement, which writes only if the
generation, the account and the last withdrawal of a key are still those and the session has not ended;
and nobody is refused by it.
On failure: nothing can fail; a session that was forgotten, or is another by now, is looked up.
To switch it off: `at_most=0`.
"""

from uuid import UUID

from authsvc.storage.sessions import FoundSession
from authsvc.tokens.bounded_memory import BoundedMemory

MOST_SESSIONS = 8_192  # some 2 KiB each


class KnownSessions(BoundedMemory[UUID, FoundSession]):
    """The sessions that were refreshed last, by their ids."""

    def __init__(self, at_most: int = MOST_SESSIONS) -> None:
        super().__init__(at_most)
