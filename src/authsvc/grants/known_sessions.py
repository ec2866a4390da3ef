"""What sessions were when they were refreshed last, by this process.

Saves: asking for a session before the statement that rotates it.
Invariant: nothing is written by it that is not true then, and no refresh token is refused by it. That
statement is told it, and writes only if the generation, the account and the last withdrawal of a key are
still those and the session has not ended. Believed is what never changes: whose session it is.
On failure: nothing can fail; a session that was forgotten, or is another by now, is looked up.
To switch it off: `at_most=0`.
"""

from uuid import UUID

from authsvc.storage.sessions import FoundSession
from authsvc.tokens.bounded_memory import BoundedMemory

MOST_SESSIONS = 8_192  # some 1.5 KiB each, and up to 5 with the longest names and scopes


class KnownSessions(BoundedMemory[UUID, FoundSession]):
    """The sessions that were refreshed last, by their ids."""

    def __init__(self, at_most: int = MOST_SESSIONS) -> None:
        super().__init__(at_most)

    def learn(self, found: FoundSession) -> None:
        """Keep a session as it stands in the database now, without what tells where its user was."""
        session = found.session._replace(address=None, user_agent=None)
        self.keep(session.id, found._replace(session=session, is_remembered=True))
