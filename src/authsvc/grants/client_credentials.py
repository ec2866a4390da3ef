"""The client credentials grant (RFC 6749 §4.4): a token of the client's own."""

from dataclasses import dataclass

from authsvc import audit
from authsvc.clients import Client, narrow_for, require_grant
from authsvc.grants.issuing import IssuedTokens, TokenIssuer
from authsvc.scopes import Scope
from authsvc.storage.database import Database


@dataclass(frozen=True)
class ClientCredentialsGrant:
    """Exchanges a client's authentication for an access token without a session."""

    database: Database
    issuer: TokenIssuer

    async def exchange(self, client: Client, *, scope: Scope | None) -> IssuedTokens:
        """Issue the token.

        Raises:
            UnauthorizedClient, InvalidScope: the client may not ask for this.
            Unavailable: the database is away.
        """
        require_grant(client, "client_credentials")
        granted = narrow_for(client, scope, for_itself=True)
        async with self.database.transaction() as tx:
            issued = await self.issuer.for_client(tx, client, granted)
        audit.record("client_tokens_issued", client_id=client.id)
        return issued
