"""Clients: who is asking, what it may ask for, and the operator's changes to it."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from authsvc import audit
from authsvc.clock import Clock
from authsvc.errors import InvalidClient, OperatorError, UnauthorizedClient
from authsvc.remembered_clients import Copy, RememberedClients
from authsvc.scopes import INTROSPECT, Scope, narrow
from authsvc.secret_tokens import fingerprint, new_client_id, new_client_secret, same_secret
from authsvc.storage import clients
from authsvc.storage.clients import PUBLIC_CLIENT_ID, Client
from authsvc.storage.database import Database
from authsvc.storage.delivery import Delivery
from authsvc.storage.denial import LONGEST_LIFE, Denial
from authsvc.storage.lookups import Lookups

__all__ = ["PUBLIC_CLIENT_ID", "Client", "ClientCredentials", "Clients", "narrow_for", "require_grant"]

Grant = Literal["password", "refresh_token", "client_credentials"]
GRANTS: tuple[Grant, ...] = ("password", "refresh_token", "client_credentials")
_NOBODY = fingerprint("")


@dataclass(frozen=True)
class ClientCredentials:
    """What a request says of its client: one way of authenticating, or just a name, or nothing.

    Basic credentials have two readings, form-urlencoded (RFC 6749 §2.3.1) and raw, in that order.
    """

    readings: Sequence[tuple[str, str]] = field(default=(), repr=False)
    by_basic: bool = False

    @property
    def names_nobody(self) -> bool:
        """Whether the request named no client."""
        return not self.readings


@dataclass(frozen=True)
class Clients:
    """Authenticates clients, and makes and changes them."""

    database: Database
    lookups: Lookups[str]
    delivery: Delivery
    remembered: RememberedClients
    clock: Clock

    async def authenticate(self, credentials: ClientCredentials) -> Client:
        """Return the client that *credentials* prove, or name if it is public.

        Raises:
            InvalidClient: unknown, disabled, a wrong secret, or none where one is needed.
        """
        known = None
        for client_id, secret in dict.fromkeys(credentials.readings):
            client = await self.find(client_id)
            known = known or client
            let_in = self._let_in(client, secret, self.clock())
            if let_in is not None:
                return let_in
        # A name that is no client's stays out of the log: it may be a secret in the wrong field.
        audit.record("client_authentication_failed", client_id=None if known is None else known.id)
        raise InvalidClient("The client is unknown or disabled, or its secret is wrong or missing.")

    def recall(self, credentials: ClientCredentials) -> Copy | None:
        """Return what is remembered of a client that works and is proven by *credentials*, or None."""
        if len(credentials.readings) != 1:
            return None
        ((client_id, secret),) = credentials.readings
        return self._recalled(client_id, secret, self.clock())

    def recognise(self, client_id: str, secret: str, now: datetime) -> Copy | None:
        """Return what is remembered of a confidential client that works and has this secret, or None."""
        copy = self._recalled(client_id, secret, now)
        return copy if copy is not None and copy.client.is_confidential else None

    def _recalled(self, client_id: str, secret: str, now: datetime) -> Copy | None:
        copy = self.remembered.copy_of(client_id, now)
        return copy if copy is not None and self._let_in(copy.client, secret, now) is not None else None

    async def named_or_public(self, credentials: ClientCredentials) -> Client:
        """Return the client of a token request; one that names nobody is the row `public`."""
        if credentials.names_nobody:
            credentials = ClientCredentials([(PUBLIC_CLIENT_ID, "")])
        return await self.authenticate(credentials)

    def _let_in(self, client: Client | None, secret: str, now: datetime) -> Client | None:
        """Return the client if it works and has this secret; that of nobody takes as long to compare."""
        is_proven = self._proves(client, secret, now)
        return client if is_proven and client is not None and client.disabled_at is None else None

    @staticmethod
    def _proves(client: Client | None, secret: str, now: datetime) -> bool:
        if client is not None and not client.is_confidential:
            return secret == ""
        presented = fingerprint(secret)
        stored = client.secret_sha256 if client is not None else None
        previous = client.previous_secret_sha256 if client is not None else None
        until = client.previous_secret_until if client is not None else None
        # All of it, always: an unknown client must not answer sooner than a wrong secret.
        is_current = same_secret(stored or _NOBODY, presented)
        is_previous = same_secret(previous or _NOBODY, presented)
        overlaps = until is not None and until > now
        return bool(secret) and (
            (stored is not None and is_current) or (previous is not None and is_previous and overlaps)
        )

    async def find(self, client_id: str) -> Client | None:
        """Return the client with this id, enabled or not.

        Raises:
            Unavailable: what is remembered of the client proves nothing, and the database is away.
        """
        copy = self.remembered.copy_of(client_id, self.clock())
        if copy is not None and await self.remembered.ask(copy).is_current():
            return copy.client
        row = await self.lookups.find(client_id)
        if row is None:
            return None
        client = clients.read(row)
        self.remembered.remember(client)
        return client

    async def every(self) -> list[Client]:
        """Return all clients, oldest first."""
        async with self.database.reading() as tx:
            return await clients.every(tx)

    async def add(self, client: Client) -> None:
        """Register a client.

        Raises:
            OperatorError: its grants, scopes and kind do not fit together.
        """
        _check(client)
        async with self.database.transaction() as tx:
            await clients.add(tx, client)
        audit.record("client_changed", client_id=client.id, change="added")

    async def change(self, client_id: str, **changes: object) -> Client:
        """Change some fields of a client; raises as `add`, or if there is no such client."""
        async with self.database.transaction() as tx:
            client = await clients.find_for_update(tx, client_id)
            if client is None:
                raise OperatorError(f"There is no client '{client_id}'; list them with: authsvc clients list")
            changed = dataclasses.replace(client, version=client.version + 1, **changes)  # type: ignore[arg-type] # named by the caller
            _check(changed)
            now = self.clock()
            await clients.save(tx, changed, now=now, mark=self.delivery.mark)
        await self.delivery.deliver(
            [
                Denial.of_client(
                    client_id,
                    version=changed.version,
                    is_disabled=changed.disabled_at is not None,
                    until=now + LONGEST_LIFE,
                )
            ]
        )
        audit.record("client_changed", client_id=client_id, change=" ".join(sorted(changes)))
        return changed

    async def rotate_secret(self, client_id: str, *, overlap: timedelta) -> str:
        """Return a new secret; the old one works for *overlap* longer."""
        client = await self.find(client_id)
        if client is not None and not client.is_confidential:
            raise OperatorError(f"Client '{client_id}' is public and has no secret.")
        secret = new_client_secret()
        await self.change(
            client_id,
            secret_sha256=fingerprint(secret),
            previous_secret_sha256=client.secret_sha256 if client is not None and overlap else None,
            previous_secret_until=self.clock() + overlap if overlap else None,
        )
        return secret

    async def disable(self, client_id: str) -> None:
        """Suspend the client and every token issued to it, until it is enabled again."""
        await self.change(client_id, disabled_at=self.clock())

    async def enable(self, client_id: str) -> None:
        """Let the client work again; its tokens that have not expired live again."""
        await self.change(client_id, disabled_at=None)


def new_client(name: str, clock: Clock, *, secret: str | None, **fields: object) -> Client:
    """Return a client with a fresh id that is not registered yet; confidential if it has a secret."""
    defaults: dict[str, object] = {"id": new_client_id(), "audience": None, "may_introspect": False}
    return Client(
        name=name,
        is_confidential=secret is not None,
        secret_sha256=None if secret is None else fingerprint(secret),
        previous_secret_sha256=None,
        previous_secret_until=None,
        created_at=clock(),
        disabled_at=None,
        version=1,
        **defaults | fields,  # type: ignore[arg-type] # named by the caller
    )


def require_grant(client: Client, grant: Grant) -> None:
    """Refuse a grant the client does not have.

    Raises:
        UnauthorizedClient: it does not have it.
    """
    if grant not in client.grants:
        raise UnauthorizedClient(f"This client may not use the grant {grant}.")


def narrow_for(client: Client, requested: Scope | None, *, for_itself: bool) -> Scope:
    """Return the scope to grant; `introspect` only to a client's own token, if it has the permission.

    Raises:
        InvalidScope: the client may not have all of it.
    """
    extra = {INTROSPECT} if for_itself and client.may_introspect else set()
    return narrow(requested, default=client.default_scope, allowed=client.scope | extra)


def _check(client: Client) -> None:
    for what, text in (("name", client.name), ("audience", client.audience)):
        if text is not None and not (text.strip() and text.isprintable()):
            raise OperatorError(f"A client's {what} is printable text on one line, and not empty.")
    unknown = client.grants - set(GRANTS)
    if unknown:
        raise OperatorError(f"There is no grant '{min(unknown)}'; choose among {', '.join(GRANTS)}.")
    if not client.is_confidential and "client_credentials" in client.grants:
        raise OperatorError(
            "A public client cannot prove who it is, so it cannot have the grant client_credentials."
        )
    if not client.is_confidential and client.may_introspect:
        raise OperatorError(
            "A public client cannot prove who it is, so it may not introspect; add --confidential."
        )
    if INTROSPECT in client.scope:
        raise OperatorError("'introspect' is a permission and no scope to be given; use --introspect.")
    if not client.default_scope <= client.scope:
        missing = min(client.default_scope - client.scope)
        raise OperatorError(f"The default scope holds '{missing}', which is not among the client's scopes.")
