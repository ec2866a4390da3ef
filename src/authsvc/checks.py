"""One check of a token, for which nothing has to be awaited but what the stores say of it now."""

from collections.abc import Callable
from typing import Generic, TypeVar

from authsvc.errors import AuthError, Unavailable
from authsvc.remembered_clients import Copy
from authsvc.storage.database import Row
from authsvc.storage.denylist import Denylist, Found
from authsvc.tokens.access_token import AccessToken, Glance

T = TypeVar("T")


class Check(Generic[T]):
    """A token, perhaps the caller that asks about it, and what the stores have said of both by now."""

    __slots__ = ("_caller", "_found", "_is_told", "_left", "_row", "_say", "_tell", "_token")

    def __init__(self, token: Glance, caller: Copy | None, say: Callable[[AccessToken | None], T]) -> None:
        """*say* makes the answer, or raises the refusal: of the token, or of None if it is not live."""
        self._token = token
        self._caller = caller
        self._say = say
        self._found: Found = {}
        self._row: Row | None = None
        self._left = 0
        self._is_told = False

    def begin(self, denylist: Denylist | None, tell: Callable[[T | AuthError | None], None]) -> bool:
        """Ask the stores; *tell* is told the answer, or the refusal, or None where it takes more to know it.

        Returns:
            whether they were asked; if not, nothing is told.
        """
        token = self._token
        entries = token.entries if self._caller is None else token.entries + self._caller.entries
        row = token.row
        self._tell = tell
        self._left = bool(entries) + (row is not None)
        if not self._left or (entries and denylist is None):
            return False
        if entries and denylist is not None:
            denylist.find_for(self, entries)
        if row is not None:
            lookups, sha256 = row
            lookups.find_for(_OfRow(self), sha256)
        return True

    # It waits for Redis, as `Receiver`.
    def done(self) -> bool:
        """Whether it was told all, or that something cannot be known."""
        return self._is_told

    def set_result(self, found: Found) -> None:
        """Take what the denylist says."""
        self._found = found
        self._go_on()

    def set_exception(self, error: Exception) -> None:
        """Know no more: a store could not be asked.

        Where there is none to ask instead, whoever asked anew would wait as long once more.
        """
        self._finish(error if isinstance(error, Unavailable) else None)

    def take_row(self, row: Row | None) -> None:
        """Take what the database says."""
        self._row = row
        self._go_on()

    def _go_on(self) -> None:
        self._left -= 1
        if not self._left and not self._is_told:
            self._finish(self._answer())

    def _answer(self) -> T | AuthError | None:
        try:
            if self._caller is not None and not self._caller.is_current(self._found):
                return None
            return self._say(self._token.live(self._found, self._row))
        except AuthError as refusal:
            return refusal
        except Exception:  # noqa: BLE001 - `RowChanged`, or whatever the long way meets too
            return None

    def _finish(self, answer: T | AuthError | None) -> None:
        self._is_told = True
        self._tell(answer)


class _OfRow:
    """The part of a check that waits for the database."""

    __slots__ = ("_check",)

    def __init__(self, check: "Check[T]") -> None:
        self._check = check

    def done(self) -> bool:
        return self._check.done()

    def set_result(self, row: Row | None) -> None:
        self._check.take_row(row)

    def set_exception(self, error: Exception) -> None:
        self._check.set_exception(error)
