"""The password grant (RFC 6749 §4.3): a login by a first-party app."""

from dataclasses import dataclass, replace

from authsvc import audit
from authsvc.accounts import Accounts, VerifiedAccount
from authsvc.audit import Origin
from authsvc.clients import Client, narrow_for, require_grant
from authsvc.clock import Clock
from authsvc.errors import InvalidGrant
from authsvc.grants.issuing import Granted, IssuedTokens, TokenIssuer
from authsvc.scopes import Scope
from authsvc.secret_tokens import new_id, new_random_bytes
from authsvc.server_keys import ServerKeys
from authsvc.sessions import EndReason, Sessions
from authsvc.storage import accounts, sessions
from authsvc.storage.database import Database, Transaction
from authsvc.storage.sessions import EndedSession, Session
from authsvc.tokens.refresh_handle import SALT_LENGTH

_EVICTED: EndReason = "too_many_sessions"
_TRIES = 2
"""Another login may have rehashed the same password meanwhile; it is then verified once more."""


@dataclass(frozen=True)
class PasswordGrant:
    """Exchanges a username and a password for a new session's tokens."""

    database: Database
    accounts: Accounts
    sessions: Sessions
    issuer: TokenIssuer
    server_keys: ServerKeys
    sessions_per_account: int
    clock: Clock

    async def exchange(
        self, client: Client, *, username: str, password: str, scope: Scope | None, origin: Origin
    ) -> IssuedTokens:
        """Sign in.

        Raises:
            UnauthorizedClient, InvalidScope: the client may not ask for this.
            InvalidGrant: the name or the password is wrong, or changed meanwhile.
            TooManyAttempts: too many were wrong lately, for this name or from this address.
            Unavailable: the database is away, or too many passwords are being hashed.
        """
        require_grant(client, "password")
        granted = narrow_for(client, scope, for_itself=False)
        with audit.concerning(client_id=client.id):
            for _ in range(_TRIES):
                account = await self.accounts.authenticate(username, password, origin)
                issued = await self._sign_in(account, client, granted, origin)
                if issued is not None:
                    return issued
            audit.record("login_failed", account_id=account.id)
        raise InvalidGrant("The username or the password is wrong.")

    async def _sign_in(
        self, account: VerifiedAccount, client: Client, granted: Scope, origin: Origin
    ) -> IssuedTokens | None:
        session = self._new_session(account, client, granted, origin)
        async with self.database.transaction() as tx:
            if not await self._claim(tx, account):
                return None
            evicted = await self._make_room(tx, account)
            await sessions.insert(tx, session)
            issued = await self.issuer.for_session(tx, session, Granted(client, account.username, granted))
        await self.sessions.deny(evicted, reason=_EVICTED)
        audit.record("login_succeeded", account_id=account.id, session_id=session.id)
        return issued

    async def _claim(self, tx: Transaction, account: VerifiedAccount) -> bool:
        # The account may have been disabled, or its password changed, while this one was hashed.
        if not await accounts.lock(tx, account.id, password_hash=account.verified_hash):
            return False
        if account.better_hash is not None:
            await accounts.replace_hash(
                tx, account.id, verified=account.verified_hash, new=account.better_hash
            )
        if account.addresses is not None:
            known, new = account.addresses
            await accounts.remember_addresses(tx, account.id, known=known, new=new)
        return True

    async def _make_room(self, tx: Transaction, account: VerifiedAccount) -> list[EndedSession]:
        surplus = sessions.beyond_newest(self.sessions_per_account - 1, self.sessions.alive(account.id))
        return await self.sessions.mark_ended(tx, surplus, reason=_EVICTED)

    def _new_session(self, account: VerifiedAccount, client: Client, scope: Scope, origin: Origin) -> Session:
        now = self.clock()
        session = Session(
            id=new_id(),
            account_id=account.id,
            client_id=client.id,
            scope=scope,
            salt=new_random_bytes(SALT_LENGTH),
            server_key_id=self.server_keys.current.id,
            generation=1,
            rotated_at=now,
            repeats=0,
            access_tokens_issued=1,
            created_at=now,
            last_used_at=now,
            access_until=now,
            address=origin.address,
            user_agent=origin.user_agent,
        )
        return replace(session, access_until=self.issuer.access_until(now, created_at=now))
