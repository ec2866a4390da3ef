"""What it means when Redis refuses, for the person who set it up: why, and what to write instead."""

import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    InvalidResponse,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)

ACL_RULE = (
    "~{authsvc}:* +exists +get +mget +set +del +bitfield +setrange +pexpire +eval +info "
    "+select +cluster|slots"
)
"""All that a user needs (`select` for a database but 0, `cluster|slots` in a cluster)."""

COMMANDS = [rule.removeprefix("+").upper() for rule in ACL_RULE.split() if rule[0] == "+" and "|" not in rule]

FOREIGN = "FOREIGN"
"""What our scripts answer, with the key, where it holds what we never write."""

NO_SUCH_PRIMARY = "No such master with that name"
SENT_ROUND = "Its nodes send from one to another"
OF_SENTINEL = "A sentinel"
HUNG_UP = "It hung up"
HUNG_UP_ON_TLS = "TLS was spoken, and then it hung up"
NO_TLS = "It did not speak TLS in time"

AWAY = "it cannot be reached, or not in time"

_VARIABLE = "AUTHSVC_REDIS_URL"
_ADDRESS = "redis://USER:PASSWORD@HOST:6379/0"
_FOREIGN_CURE = "Keys that begin with {authsvc}: are ours: name a database of its own, or remove that key"

Chain = tuple[BaseException, ...]


@dataclass(frozen=True)
class Refusal:
    """One way in which Redis refuses. Where waiting mends nothing there is a *cure*."""

    is_meant: Callable[[Chain], bool]
    reason: str
    cure: str | None = None
    quotes: bool = True


def _is(*kinds: type[BaseException]) -> Callable[[Chain], bool]:
    return lambda chain: any(isinstance(error, kinds) for error in chain)


def _says(*words: str) -> Callable[[Chain], bool]:
    return lambda chain: any(word in str(error) for error in chain for word in words)


_REFUSALS = (
    Refusal(
        _is(ssl.SSLCertVerificationError),
        "the certificate of Redis is not trusted",
        "Name the CA that signed it, and the host that it was made for: rediss://HOST:6379/0?ssl_ca_certs=FILE",
    ),
    Refusal(
        _says("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE", "UNKNOWN_CA", "BAD_CERTIFICATE"),
        "it does not take our certificate, or that we have none",
        "Name one that it trusts: rediss://HOST:6379/0?ssl_ca_certs=FILE&ssl_certfile=FILE&ssl_keyfile=FILE",
    ),
    Refusal(
        _says("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_MESSAGE"),
        "it does not speak TLS",
        f"Write {_ADDRESS} (rediss:// is for TLS), or name its TLS port",
    ),
    Refusal(
        _says("protected mode"),
        "it is in protected mode, so it answers its own host only",
        f"Give it a password and write that: {_ADDRESS}",
    ),
    Refusal(
        _says("max number of clients"),
        "it has no connection left (maxclients)",
    ),
    Refusal(
        _says(OF_SENTINEL),
        "the sentinels refuse the password",
        "Write theirs behind it: redis+sentinel://HOST:26379,HOST:26379/NAME/0?sentinel_password=PASSWORD "
        "(and &sentinel_username=USER)",
    ),
    Refusal(
        _is(AuthenticationError),
        "it refuses the password",
        f"Write the right one into it: {_ADDRESS}",
    ),
    Refusal(
        lambda chain: (
            _is(NoPermissionError)(chain)
            or _says("can't run this command", "can't access", "ACL failure", "NOPERM")(chain)
        ),
        "it lets its user do too little",
        f"Give it all that it needs: redis-cli ACL SETUSER USER {ACL_RULE}",
    ),
    Refusal(
        _says("DB index", "SELECT is not allowed"),
        "it has no such database",
        "Name one that it has (a cluster has 0 alone): redis://HOST:6379/0",
    ),
    Refusal(
        _says(NO_SUCH_PRIMARY),
        "the sentinels know no primary of that name",
        "Write the name that `sentinel monitor` gave it: redis+sentinel://HOST:26379,HOST:26379/NAME/0",
    ),
    Refusal(
        _says("unknown command 'SENTINEL'", "unknown command `SENTINEL`"),
        "what answers there is no sentinel",
        "Write the address of one: redis+sentinel://HOST:26379,HOST:26379/NAME/0",
        quotes=False,
    ),
    Refusal(
        _says("unknown command"),
        "it does not know a command that we need",
        f"Name a Redis of version 6.2 or newer that has them all: {' '.join(COMMANDS)}",
        quotes=False,  # it may repeat the password
    ),
    Refusal(
        _is(InvalidResponse),
        "what answers there is no Redis",
        "Write the address of one: redis://HOST:6379/0",
        quotes=False,  # who knows what it says
    ),
    Refusal(_says(FOREIGN), "the key KEY holds another application's value", _FOREIGN_CURE),
    # Only the marker is read by a command that minds.
    Refusal(_says("WRONGTYPE"), "the key {authsvc}:marker holds another application's value", _FOREIGN_CURE),
    Refusal(_is(BusyLoadingError), "it is still loading its data"),
    Refusal(_is(MasterDownError), "it is a replica that has lost its primary"),
    Refusal(_is(ClusterDownError), "its cluster is down"),
    Refusal(_is(AskError, TryAgainError), "our slot is being moved to another node of its cluster"),
    Refusal(_is(ReadOnlyError), "it is a replica"),
    Refusal(_is(OutOfMemoryError), "it is full (maxmemory)"),
    Refusal(_says("MISCONF", "NOREPLICAS"), "it takes no writes"),
    Refusal(_says(SENT_ROUND), "the nodes of its cluster send from one to another"),
    Refusal(_is(ResponseError), "it answers with an error that authsvc does not know"),
    Refusal(_says(HUNG_UP), "it hangs up without a word: is it Redis, and does it want TLS (rediss://)?"),
    Refusal(
        _says(HUNG_UP_ON_TLS),
        "it hangs up without a word: does it want a certificate of ours (ssl_certfile, ssl_keyfile)?",
    ),
    Refusal(_says(NO_TLS), "it cannot be reached, or not in time, or does not speak TLS"),
)


def reason(cause: BaseException) -> str:
    """Return why Redis cannot be asked, without what the driver says: that names hosts."""
    refusal = _find(cause)
    if refusal is None:
        return AWAY
    key = re.search(r"\{authsvc\}:\S+", str(cause))
    return refusal.reason.replace("KEY", key[0] if key else "")


def sentence(cause: BaseException | None) -> str | None:
    """Return the sentence for a Redis that waiting does not mend; None for one that is away."""
    refusal = None if cause is None else _find(cause)
    if cause is None or refusal is None or refusal.cure is None:
        return None
    why = re.sub("^it ", "Redis ", reason(cause))
    said = f" ({_said(cause)})" if refusal.quotes else ""
    return f"{_VARIABLE}: {why}{said}. {refusal.cure}"


def is_hang_up(error: BaseException) -> bool:
    """Whether *error* says that the other end closed the connection."""
    return any(
        isinstance(one, ConnectionResetError | BrokenPipeError) or "Connection closed by server" in str(one)
        for one in _chain(error)
    )


def _find(cause: BaseException) -> Refusal | None:
    chain = tuple(_chain(cause))
    return next((refusal for refusal in _REFUSALS if refusal.is_meant(chain)), None)


def vagueness(cause: BaseException) -> int:
    """Return how little *cause* says: 0 where waiting mends nothing, 2 where it is merely away."""
    refusal = _find(cause)
    if refusal is None:
        return 2
    return 1 if refusal.cure is None else 0


def _said(cause: BaseException) -> str:
    # Of TLS the driver says more, and names the host.
    for error in _chain(cause):
        if isinstance(error, ssl.SSLError):
            return str(getattr(error, "verify_message", None) or error.reason)
    return str(cause)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
