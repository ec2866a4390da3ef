"""Make accounts, a client and tokens by the service's own code and keys, without its HTTP.

A program of its own, so that it can be that of another commit: the orders come as JSON on standard input,
one a line, and a line of JSON goes out for each. The settings are in the environment, as the server's are.
"""

import json
import sys
from typing import Any
from uuid import UUID

from authsvc.cli.running import with_services
from authsvc.clients import PUBLIC_CLIENT_ID, new_client
from authsvc.scopes import ACCOUNT
from authsvc.secret_tokens import new_id, new_random_bytes
from authsvc.storage import accounts, sessions
from authsvc.storage.accounts import Account
from authsvc.storage.clients import Client
from authsvc.storage.database import Transaction
from authsvc.storage.sessions import Session
from authsvc.tokens.access_token import AccessTokenRequest
from authsvc.tokens.refresh_handle import SALT_LENGTH
from authsvc.wiring import Services

USERNAME = "ada@example.com"
_SCOPE = frozenset({ACCOUNT})
_SESSIONS_AT_A_TIME = 100


class Mint:
    """Obeys the orders, each a method."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def add_accounts(self, names: list[str], password: str) -> list[str]:
        """Make accounts that have one password, hashed once; return their ids."""
        hashed, now = await self._services.hasher.hash(password), self._services.clock()
        made = [Account(new_id(), name, name, hashed, now, None) for name in names]
        async with self._services.stores.database.transaction() as tx:
            for account in made:
                await accounts.add(tx, account)
        return [str(account.id) for account in made]

    async def add_caller(self, secret: str) -> str:
        """Make a client that may introspect every token; return its id."""
        nothing: frozenset[str] = frozenset()
        client = new_client(
            "a caller",
            self._services.clock,
            secret=secret,
            grants=nothing,
            scope=nothing,
            default_scope=nothing,
            may_introspect=True,
        )
        await self._services.clients.add(client)
        return client.id

    async def tokens(self, account_ids: list[str], count: int, per_session: int) -> list[str]:
        """Return *count* access tokens of new sessions, *per_session* of each."""
        made: list[str] = []
        while len(made) < count:
            async with self._services.stores.database.transaction() as tx:
                client = await self._services.clients.find(PUBLIC_CLIENT_ID)
                assert client is not None
                until = min(len(made) + _SESSIONS_AT_A_TIME * per_session, count)
                while len(made) < until:
                    account_id = account_ids[len(made) // per_session % len(account_ids)]
                    made += await self._of_a_session(tx, client, UUID(account_id), per_session)
        return made[:count]

    async def _of_a_session(self, tx: Transaction, client: Client, account_id: UUID, count: int) -> list[str]:
        session = self._new_session(account_id)
        await sessions.insert(tx, session)
        issuer = self._services.password_grant.issuer
        request = AccessTokenRequest(
            client_id=client.id,
            subject=str(account_id),
            scope=_SCOPE,
            audience=client.audience or issuer.audience,
            issued_at=session.created_at.replace(microsecond=0),
            expires_at=session.access_until,
            session_id=session.id,
            username=USERNAME,
            number=session.access_tokens_issued,
        )
        return [await issuer.format.issue(tx, request) for _ in range(count)]

    def _new_session(self, account_id: UUID) -> Session:
        grant = self._services.password_grant
        now = self._services.clock()
        return Session(
            id=new_id(),
            account_id=account_id,
            client_id=PUBLIC_CLIENT_ID,
            scope=_SCOPE,
            salt=new_random_bytes(SALT_LENGTH),
            server_key_id=grant.server_keys.current.id,
            generation=1,
            rotated_at=now,
            repeats=0,
            access_tokens_issued=1,
            created_at=now,
            last_used_at=now,
            access_until=grant.issuer.access_until(now, created_at=now),
        )


async def obey(services: Services) -> None:
    """Carry out orders until standard input ends."""
    mint = Mint(services)
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        made = await getattr(mint, order.pop("do"))(**order)
        print(json.dumps(made), flush=True)


if __name__ == "__main__":
    with_services(obey)
