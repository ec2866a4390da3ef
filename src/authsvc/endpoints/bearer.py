"""Read the access token of a request: in the Authorization header, nowhere else (RFC 6750 §2.1)."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from authsvc.endpoints.services import ServicesOf
from authsvc.errors import InsufficientScope, InvalidBearerToken, MissingBearerToken
from authsvc.scopes import ACCOUNT
from authsvc.tokens.access_token import AccessToken


def bearer_token(request: Request) -> str | None:
    """Return the token of the Authorization header, if it is of the scheme Bearer."""
    headers = request.headers.getlist("authorization")
    scheme, _, token = (headers[0] if len(headers) == 1 else "").partition(" ")
    return token.strip(" ") or None if scheme.lower() == "bearer" else None


async def live_token(request: Request, services: ServicesOf) -> AccessToken:
    """Return the live access token of the request.

    Raises:
        MissingBearerToken, InvalidBearerToken: there is none.
        Unavailable: the stores that could tell are away.
    """
    token = bearer_token(request)
    if token is None:
        raise MissingBearerToken
    facts = await services.verifier.verify(token)
    if facts is None:
        raise InvalidBearerToken
    return facts


LiveToken = Annotated[AccessToken, Depends(live_token)]


@dataclass(frozen=True)
class SignedInUser:
    """The user behind a live access token."""

    token: AccessToken
    account_id: UUID
    session_id: UUID


async def signed_in_user(token: LiveToken) -> SignedInUser:
    """Return the user of *token*.

    Raises:
        InsufficientScope: the token is a client's own.
    """
    if token.account_id is None or token.session_id is None:
        raise InsufficientScope("This token is a client's own; a user's is needed.")
    return SignedInUser(token, token.account_id, token.session_id)


User = Annotated[SignedInUser, Depends(signed_in_user)]


async def account_manager(user: User) -> SignedInUser:
    """Return the user, whose token has the scope to manage the account.

    Raises:
        InsufficientScope: it has not.
    """
    if ACCOUNT not in user.token.scope:
        raise InsufficientScope("This needs the scope 'account'.", scope=ACCOUNT)
    return user


AccountManager = Annotated[SignedInUser, Depends(account_manager)]
