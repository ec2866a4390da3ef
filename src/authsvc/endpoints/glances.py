"""Checks for which a glance is enough: all but what the stores say is known, and those are asked once.

Saves: a task, the coroutines in it and their futures, which cost as much as the check.
Invariant: the answer is made of the parts that make the endpoint's: only the waiting is another.
On failure, and wherever more has to be known: the request goes the endpoint's way, which asks anew.
To switch it off: a server that does not ask for `RequestFrame.glance`.
"""

from collections.abc import Callable, Mapping
from functools import partial

from authsvc.checks import Check
from authsvc.clients import Client
from authsvc.endpoints.ordinary import Headers, Told, described, identified, introspected, verified
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
    return None if glance is None else Check(glance, caller, partial(_describe, caller.client))


def _describe(caller: Client, live: AccessToken | None) -> Told:
    return described(description_for(caller, live))


def _verification(services: Services, headers: Headers, body: bytes) -> Check[Told] | None:  # noqa: ARG001 - it has none
    token = verified(headers)
    glance = None if token is None else services.verifier.glance(token, services.clock())
    return None if glance is None else Check(glance, None, identified)


GLANCES: Mapping[str, Callable[[Services, Headers, bytes], Check[Told] | None]] = {
    "/introspect": _introspection,
    "/verify": _verification,
}
