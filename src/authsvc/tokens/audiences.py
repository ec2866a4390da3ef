"""Which audiences this service issues tokens for: its own, and those that clients have."""

from datetime import datetime, timedelta

from authsvc.clock import Clock
from authsvc.storage import clients
from authsvc.storage.database import Database

_RELOAD_INTERVAL = timedelta(seconds=1)


class Audiences:
    """The audiences as this instance knows them."""

    def __init__(self, database: Database, own: str, clock: Clock) -> None:
        self._database = database
        self._own = own
        self._clock = clock
        self._of_clients: frozenset[str] = frozenset()
        self._loaded_at: datetime | None = None

    async def load(self) -> None:
        """Read the clients' audiences.

        Raises:
            Unavailable: the database is away.
        """
        now = self._clock()
        async with self._database.reading() as tx:
            self._of_clients = await clients.audiences(tx)
        self._loaded_at = now

    async def include(self, audience: str) -> bool:
        """Whether we issue for *audience*; an unknown one makes us look again, once a second at most.

        Raises:
            Unavailable: it is unknown and the database is away.
        """
        if audience == self._own or audience in self._of_clients:
            return True
        if self._loaded_at is None or abs(self._clock() - self._loaded_at) >= _RELOAD_INTERVAL:
            await self.load()
        return audience in self._of_clients
