"""The password grant (RFC 6749 §4.3): a login by a first-party app."""

from contextlib import suppress
from dataclasses import dataclass

from authsvc import audit
from authsvc.accounts import Accounts, VerifiedAccount
from authsvc.audit import Origin
from authsvc.clients import Client, narrow_for, require_grant
from authsvc.clock import Clock
from authsvc.errors import InvalidGrant, Unavailable
from authsvc.grants.issuing import Granted, IssuedTokens, TokenIssuer
from authsvc.scopes import Scope
from authsvc.secret_tokens import new_id, new_random_bytes
from authsvc.server_keys import ServerKeys
from authsvc.sessions import Sessions
from authsvc.storage.key_withdrawals import LatestWithdrawal
from authsvc.storage.sessions import Session
from authsvc.storage.sign_ins import SignIn, SignIns
from authsvc.tokens.refresh_handle import SALT_LENGTH

_TRIES = 2
"""Another login may have rehashed the same password meanwhile; it is then verified once more."""

_TRIES_TO_SIGN = 3
"""Each that is in vain means that a key was withdrawn just now."""


@dataclass(frozen=True)
class PasswordGrant:
    """Exchanges a username and a password for a new session's tokens."""

    sign_ins: SignIns
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
        for_whom = Granted(client, account.username, granted)
        written = await self._write(account, session, for_whom)
        if written is None:
            return None
        issued, signed_after = written
        with suppress(Unavailable):  # the session is there; the next login ends what this one could not
            withdrawal = await self.sessions.keep_newest(self.sessions_per_account, session)
            # While what was written had to wait, the key that signed may have been withdrawn.
            if signed_after is not None and signed_after.is_before(withdrawal):
                issued, _ = await self.issuer.for_session(session, for_whom, withdrawal)
        audit.record("login_succeeded", account_id=account.id, session_id=session.id)
        return issued

    async def _write(
        self, account: VerifiedAccount, session: Session, granted: Granted
    ) -> tuple[IssuedTokens, LatestWithdrawal | None] | None:
        """Write *session*; None where the account was disabled, or its password changed, meanwhile.

        Returns:
            its tokens, and the latest withdrawal that was known when the access token was signed, if it was.
        """
        withdrawal = None
        for _ in range(_TRIES_TO_SIGN):
            issued, prepared = await self.issuer.for_session(session, granted, withdrawal)
            sign_in = SignIn(
                session,
                verified_hash=account.verified_hash,
                better_hash=account.better_hash,
                addresses=account.addresses,
                token=prepared.row,
                signed_after=prepared.signed_after,
            )
            is_done, withdrawal = await self.sign_ins.write(sign_in)
            if is_done:
                return issued, prepared.signed_after
            if prepared.signed_after is None or not prepared.signed_after.is_before(withdrawal):
                return None
        raise Unavailable("Signing keys are being withdrawn now.")

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
        return session._replace(access_until=self.issuer.access_until(now, created_at=now))
