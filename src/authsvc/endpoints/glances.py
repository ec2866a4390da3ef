"""Requests for which a glance is enough: all but what the stores say is known, and those are asked once.

They are checks of tokens, and logins that have to be refused because too many passwords wait to be hashed.

Saves: a task, the coroutines in it and their futures, which cost as much as a check.
Invariant: the answer is made of the parts that make the endpoint's: only the waiting is another.
On failure, and wherever more has to be known: the request goes the endpoint's way, which asks anew.
To switch it off: a server that does not ask for `RequestFrame.glance`.
"""

from collections.abc import Callable, Mapping
from functools import partial

from authsvc.checks import Check, check_of
from authsvc.clients import Client
from authsvc.endpoints.ordinary import (
    Headers,
    Told,
    described,
    identified,
    introspected,
    is_form,
    verified,
)
from authsvc.errors import AuthError, Unavailable
from authsvc.introspection import description_for
from authsvc.tokens.access_token import AccessToken
from authsvc.wiring import Services


def _introspection(services: Services, headers: Headers, body: bytes) -> Check[Told] | None:
    now = services.clock()
    presented = introspected(services, headers, body, now)
    if presented is None:
        return None
    token, caller = presented
    glance = services.introspector.glance(token, now)
    return None if glance is None else check_of(glance, caller, partial(_describe, caller.client))


def _describe(caller: Client, live: AccessToken | None) -> Told:
    return described(description_for(caller, live))


def _verification(services: Services, headers: Headers, body: bytes) -> Check[Told] | None:  # noqa: ARG001 - it has none
    token = verified(headers)
    glance = None if token is None else services.verifier.glance(token, services.clock())
    return None if glance is None else check_of(glance, None, identified)


def _refused_login(services: Services, headers: Headers, body: bytes) -> Unavailable | None:  # noqa: ARG001 - it is not read
    if is_form(headers):
        try:
            services.hasher.expect_turn()
        except Unavailable as refusal:
            return refusal
    return None


GLANCES: Mapping[str, Callable[[Services, Headers, bytes], Check[Told] | AuthError | None]] = {
    "/introspect": _introspection,
    "/verify": _verification,
    "/login": _refused_login,
}
"""By path, what tells a check that is to begin, or a refusal, or None if it takes more."""
