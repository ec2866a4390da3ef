"""Accounts: prove a password, change it, and the operator's changes."""

from dataclasses import dataclass
from uuid import UUID

from authsvc import audit
from authsvc.audit import Origin
from authsvc.clock import Clock
from authsvc.errors import Forbidden, InvalidGrant, OperatorError
from authsvc.password_policy import PasswordPolicy
from authsvc.passwords import PasswordHasher, prefix_of
from authsvc.secret_tokens import new_id
from authsvc.sessions import EndReason, Sessions
from authsvc.stand_in_hashes import StandInHashes
from authsvc.storage import accounts, sessions
from authsvc.storage.accounts import Account
from authsvc.storage.database import Database
from authsvc.storage.lookups import Lookups
from authsvc.throttling import Guess, Throttle
from authsvc.usernames import acceptable_username, username_key

__all__ = ["Account", "Accounts", "VerifiedAccount"]


@dataclass(frozen=True)
class VerifiedAccount:
    """An account whose password was right a moment ago: for the hash that stood there then."""

    id: UUID
    username: str
    verified_hash: str
    better_hash: str | None
    addresses: tuple[bytes | None, bytes] | None
    """The known addresses as they stood there, and as they will with this one; None if it is among them."""


@dataclass(frozen=True)
class Accounts:
    """Authenticates accounts, and makes and changes them."""

    database: Database
    lookups: Lookups[str]
    sessions: Sessions
    hasher: PasswordHasher
    throttle: Throttle
    stand_ins: StandInHashes
    policy: PasswordPolicy
    clock: Clock

    async def authenticate(self, username: str, password: str, origin: Origin) -> VerifiedAccount:
        """Return the account that this name and password prove.

        No connection is held while the password is hashed; so whoever writes afterwards demands
        `verified_hash` once more, in its own transaction.

        Raises:
            InvalidGrant: unknown, disabled, or a wrong password; all in the same words.
            TooManyAttempts: too many were wrong lately, for this name or from this address.
            Unavailable: the database is away, or too many passwords are being hashed.
        """
        account = await self._find_by_name(username)

        async def check() -> bool:
            proven = await self.hasher.verify(password, self._compared_with(account, username))
            return proven and account is not None and account.disabled_at is None

        guess = Guess(username_key(username) or username, account, origin.address)
        if not await self.throttle.guard(guess, check) or account is None:
            audit.record("login_failed", account_id=None if account is None else account.id)
            raise InvalidGrant("The username or the password is wrong.")
        better = await self.hasher.hash(password) if self.hasher.is_outdated(account.password_hash) else None
        addresses = self.throttle.addresses_with(guess)
        return VerifiedAccount(account.id, account.username, account.password_hash, better, addresses)

    def _compared_with(self, account: Account | None, username: str) -> str:
        return (
            self.stand_ins.of(username_key(username) or username)
            if account is None
            else account.password_hash
        )

    async def learn_hash_costs(self) -> None:
        """See which costs the stored hashes have, so that a name that is nobody's is told by none of them.

        Raises:
            Unavailable: the database is away.
        """
        async with self.database.reading() as tx:
            self.stand_ins.learn(await accounts.count_hashes(tx, prefix_of))

    async def _find_by_name(self, username: str) -> Account | None:
        key = username_key(username)
        row = None if key is None else await self.lookups.find(key)
        return None if row is None else accounts.read(row)

    async def find(self, account_id: UUID) -> Account | None:
        """Return the account with this id."""
        async with self.database.reading() as tx:
            return await accounts.find(tx, account_id)

    async def change_password(
        self, account_id: UUID, *, current: str, new: str, keep: UUID, origin: Origin
    ) -> None:
        """Replace the password and end every session of the account but *keep*.

        Raises:
            Forbidden: *current* is wrong, or was changed by somebody else meanwhile.
            Unprocessable: *new* is not acceptable.
            TooManyAttempts, Unavailable: as `authenticate`, which counts the same guesses.
        """
        wrong = Forbidden("The current password is wrong.")
        account = await self.find(account_id)
        if account is None or not await self._is_current(account, current, origin):
            audit.record("login_failed", account_id=account_id)
            raise wrong
        await self._set_hash(account, new, verified=account.password_hash, keep=keep, refused=wrong)

    async def _is_current(self, account: Account, password: str, origin: Origin) -> bool:
        guess = Guess(account.username_key or "", account, origin.address)
        return await self.throttle.guard(guess, lambda: self.hasher.verify(password, account.password_hash))

    async def set_password(self, account: Account, password: str) -> None:
        """Replace the password, as the operator, and end every session of the account."""
        gone = OperatorError(f"There is no account '{account.username}' any more.")
        await self._set_hash(account, password, verified=None, keep=None, refused=gone)

    async def _set_hash(
        self, account: Account, password: str, *, verified: str | None, keep: UUID | None, refused: Exception
    ) -> None:
        account_id = account.id
        hashed = await self.hasher.hash(await self.policy.accept(password, username=account.username))
        reason: EndReason = "password_changed"
        async with self.database.transaction() as tx:
            if not await accounts.replace_hash(tx, account_id, verified=verified, new=hashed):
                raise refused
            ended = await self.sessions.mark_ended(
                tx, sessions.of_account(account_id, but=keep), reason=reason
            )
        await self.sessions.deny(ended, reason=reason)
        audit.record("password_changed", account_id=account_id)

    async def add(self, username: str, password: str, *, account_id: UUID | None = None) -> Account:
        """Make an account.

        Raises:
            Unprocessable: the name or the password is not acceptable.
            OperatorError: the name is taken.
        """
        shown, key = acceptable_username(username)
        hashed = await self.hasher.hash(await self.policy.accept(password, username=shown))
        account = Account(account_id or new_id(), shown, key, hashed, self.clock(), None)
        async with self.database.transaction() as tx:
            if not await accounts.add(tx, account):
                raise OperatorError(f"The name '{shown}' is taken; see: authsvc users list")
        audit.record("account_changed", account_id=account.id, change="added")
        return account

    async def named(self, username: str) -> Account:
        """Return the account with this name.

        Raises:
            OperatorError: there is none.
        """
        account = await self._find_by_name(username)
        if account is None:
            raise OperatorError(f"There is no account '{username}'; list them with: authsvc users list")
        return account

    async def page(self, *, after: UUID | None = None, limit: int = 1000) -> list[Account]:
        """Return at most *limit* accounts in the order of their making, from behind *after*."""
        async with self.database.reading() as tx:
            return await accounts.page(tx, after=after, limit=limit)

    async def rename(self, account: Account, username: str) -> str:
        """Give the account another name; tokens already issued keep the old one until they expire."""
        shown, key = acceptable_username(username)
        async with self.database.transaction() as tx:
            if not await accounts.rename(tx, account.id, username=shown, username_key=key):
                raise OperatorError(f"The name '{shown}' is taken; see: authsvc users list")
        audit.record("account_changed", account_id=account.id, change="renamed")
        return shown

    async def disable(self, account: Account) -> int:
        """Stop sign-ins and end every session of the account; return how many sessions."""
        return await self._disable(account, free_name=False)

    async def delete(self, account: Account) -> int:
        """Disable the account and free its name; purge removes it once its last access token is over."""
        return await self._disable(account, free_name=True)

    async def _disable(self, account: Account, *, free_name: bool) -> int:
        reason: EndReason = "account_disabled"
        async with self.database.transaction() as tx:
            await accounts.set_disabled(tx, account.id, self.clock())
            if free_name:
                await accounts.free_name(tx, account.id)
            ended = await self.sessions.mark_ended(tx, sessions.of_account(account.id), reason=reason)
        await self.sessions.deny(ended, reason=reason)
        audit.record("account_changed", account_id=account.id, change="deleted" if free_name else "disabled")
        return len(ended)

    async def enable(self, account: Account) -> None:
        """Allow sign-ins again. Sessions that were ended stay ended."""
        async with self.database.transaction() as tx:
            await accounts.set_disabled(tx, account.id, None)
        audit.record("account_changed", account_id=account.id, change="enabled")
