"""One check of a token, for which nothing has to be awaited but what one store says of it now."""

from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

from authsvc.errors import AuthError, Unavailable
from authsvc.remembered_clients import Copy
from authsvc.storage.denylist import Denylist, Found
from authsvc.storage.token_rows import TokenAnswer, TokenQuestion
from authsvc.tokens.access_token import AccessToken, DeniableGlance, Glance, RowGlance

S = TypeVar("S")
T = TypeVar("T")

Say: TypeAlias = Callable[[AccessToken | None], T]
"""Makes the answer, or raises the refusal: of the token, or of None if it is not live."""

Tell: TypeAlias = Callable[[T | AuthError | None], None]
"""Takes the answer, or the refusal, or None where it takes more to know it."""


class _Check(Generic[S, T]):
    """A token, and perhaps the caller that asks about it. The same store is asked about both."""

    __slots__ = ("_caller", "_is_told", "_say", "_tell")

    _tell: Tell[T]

    def __init__(self, caller: Copy | None, say: Say[T]) -> None:
        self._caller = caller
        self._say = say
        self._is_told = False

    # It waits for the store, as `Receiver`.
    def done(self) -> bool:
        """Whether it was told all, or that something cannot be known."""
        return self._is_told

    def set_result(self, said: S) -> None:
        """Take what the store says."""
        self._finish(self._answer(said))

    def set_exception(self, error: Exception) -> None:
        """Know no more: the store could not be asked.

        Where there is none to ask instead, whoever asked anew would wait as long once more.
        """
        self._finish(error if isinstance(error, Unavailable) else None)

    def _answer(self, said: S) -> T | AuthError | None:
        try:
            if self._caller is not None and not self._is_current(self._caller, said):
                return None
            return self._say(self._live(said))
        except AuthError as refusal:
            return refusal
        except Exception:  # noqa: BLE001 - `RowChanged`, or whatever the long way meets too
            return None

    def _is_current(self, caller: Copy, said: S) -> bool:
        raise NotImplementedError

    def _live(self, said: S) -> AccessToken | None:
        raise NotImplementedError

    def _finish(self, answer: T | AuthError | None) -> None:
        self._is_told = True
        self._tell(answer)


class DenialCheck(_Check[Found, T]):
    """Asks the denylist."""

    __slots__ = ("_token",)

    def __init__(self, token: DeniableGlance, caller: Copy | None, say: Say[T]) -> None:
        super().__init__(caller, say)
        self._token = token

    def begin(self, denylist: Denylist | None, tell: Tell[T]) -> bool:
        """Ask; return whether there was anything to ask for, and whom. If not, nothing is told."""
        entries = self._token.entries if self._caller is None else self._token.entries + self._caller.entries
        if not entries or denylist is None:
            return False
        self._tell = tell
        denylist.find_for(self, entries)
        return True

    def _is_current(self, caller: Copy, said: Found) -> bool:
        return caller.is_current(said)

    def _live(self, said: Found) -> AccessToken | None:
        return self._token.live(said)


class RowCheck(_Check[TokenAnswer, T]):
    """Asks the database."""

    __slots__ = ("_token",)

    def __init__(self, token: RowGlance, caller: Copy | None, say: Say[T]) -> None:
        super().__init__(caller, say)
        self._token = token

    def begin(self, denylist: Denylist | None, tell: Tell[T]) -> bool:  # noqa: ARG002 - it holds no opaque token
        """Ask; return True."""
        token, caller = self._token, self._caller
        clients = token.clients if caller is None else (*token.clients, caller.client.id)
        self._tell = tell
        token.rows.find_for(self, TokenQuestion(token.sha256, clients))
        return True

    def _is_current(self, caller: Copy, said: TokenAnswer) -> bool:
        return caller.is_still(said.clients)

    def _live(self, said: TokenAnswer) -> AccessToken | None:
        return self._token.live(said)


Check: TypeAlias = DenialCheck[T] | RowCheck[T]


def check_of(token: Glance, caller: Copy | None, say: Say[T]) -> Check[T]:
    """Return the check of a token that was glanced at."""
    return RowCheck(token, caller, say) if isinstance(token, RowGlance) else DenialCheck(token, caller, say)
