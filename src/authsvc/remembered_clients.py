"""Clients as they were read lately: who may introspect while the database is away (P10)."""

from collections import OrderedDict
from datetime import datetime, timedelta

from authsvc.clock import Clock
from authsvc.errors import Unavailable
from authsvc.storage.clients import Client
from authsvc.storage.denial import ClientEntry
from authsvc.storage.denylist import Denylist
from authsvc.storage.redis_client import RedisAway

REMEMBERED_FOR = timedelta(minutes=10)
_AT_MOST = 1000


class RememberedClients:
    """The clients that asked last, each with the moment it was read."""

    def __init__(self, denylist: Denylist | None, clock: Clock) -> None:
        self._denylist = denylist
        self._clock = clock
        self._clients: OrderedDict[str, tuple[Client, datetime]] = OrderedDict()

    def remember(self, client: Client) -> None:
        """Keep *client*, which was just read; the one that was read longest ago may go."""
        self._clients[client.id] = (client, self._clock())
        self._clients.move_to_end(client.id)
        if len(self._clients) > _AT_MOST:
            self._clients.popitem(last=False)

    async def recall(self, client_id: str, *, away: Unavailable) -> Client:
        """Return the client as it is now, by what is remembered and what Redis knows of changes since.

        Raises:
            Unavailable: *away*, if that proves nothing.
        """
        client, read_at = self._clients.get(client_id, (None, self._clock()))
        if client is None or self._denylist is None or self._clock() - read_at > REMEMBERED_FOR:
            raise away
        try:
            found = await self._denylist.find([f"client:{client_id}"])
        except RedisAway:
            raise away from None
        # A change stands in Redis for longer than anybody remembers what was before it.
        if any(ClientEntry.read(value).version != client.version for value in found.values()):
            raise away
        return client
