"""Which audiences this service issues tokens for: its own, and those that clients have."""

import asyncio

from authsvc.storage import clients
from authsvc.storage.database import Database


class Audiences:
    """The audiences as this instance knows them."""

    def __init__(self, database: Database, own: str) -> None:
        self._database = database
        self._own = own
        self._of_clients: frozenset[str] = frozenset()
        self._looking = asyncio.Lock()

    async def load(self) -> None:
        """Read the clients' audiences.

        Raises:
            Unavailable: the database is away.
        """
        async with self._database.reading() as tx:
            self._of_clients = await clients.audiences(tx)

    async def include(self, audience: str) -> bool:
        """Whether we issue for *audience*; an unknown one makes us look again.

        Asked only of tokens that we signed, so a stranger cannot make us look.

        Raises:
            Unavailable: it is unknown and the database is away.
        """
        if not self.know(audience):
            async with self._looking:
                if not self.know(audience):
                    await self.load()
        return self.know(audience)

    def know(self, audience: str) -> bool:
        """Whether it is one of those known here, which need not be all."""
        return audience == self._own or audience in self._of_clients
