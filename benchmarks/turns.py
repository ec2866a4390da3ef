"""What a connection sends next: the requests of a list in turn, or the next link of its own chain."""

import re
from collections.abc import Sequence
from itertools import count

_REFRESH_TOKEN = re.compile(rb'"refresh_token": *"([^"]+)"')
_FORM = re.compile(rb"(?<=refresh_token=)[^&]*")
_LENGTH = re.compile(rb"(?<=Content-Length: )\d+")


class Turns:
    """All connections take from one list, over and over, or *most* requests altogether."""

    def __init__(self, requests: Sequence[bytes], most: int | None) -> None:
        self._requests = requests
        self._most = most
        self._turn = count()

    def first(self, connection: int) -> bytes | None:  # noqa: ARG002 - any connection may send any of them
        """Return what a connection begins with; None when nothing is left."""
        return self._take()

    def after(self, connection: int, answer: bytes) -> bytes | None:  # noqa: ARG002 - the answer changes nothing
        """Return what it sends when it has got *answer*."""
        return self._take()

    def rest(self) -> Sequence[bytes]:
        """Return the requests of the next run."""
        return self._requests

    def _take(self) -> bytes | None:
        turn = next(self._turn)
        if self._most is not None and turn >= self._most:
            return None
        return self._requests[turn % len(self._requests)]


class Chains:
    """Each connection has a request of its own, and puts the refresh token of each answer into the next."""

    def __init__(self, requests: Sequence[bytes], most: int | None) -> None:
        self._next = list(requests)
        self._left = most

    def first(self, connection: int) -> bytes | None:
        """Return what a connection begins with; None when nothing is left."""
        return self._take(connection)

    def after(self, connection: int, answer: bytes) -> bytes | None:
        """Return what it sends when it has got *answer*."""
        found = _REFRESH_TOKEN.search(answer)
        if found is not None:
            self._next[connection] = with_refresh_token(self._next[connection], found[1])
        return self._take(connection)

    def rest(self) -> Sequence[bytes]:
        """Return the requests of the next run, which goes on where this one ended."""
        return self._next

    def _take(self, connection: int) -> bytes | None:
        if self._left is not None:
            if self._left == 0:
                return None
            self._left -= 1
        return self._next[connection]


def with_refresh_token(request: bytes, token: bytes) -> bytes:
    """Return *request* with another refresh token in its form."""
    head, _, form = request.partition(b"\r\n\r\n")
    form = _FORM.sub(lambda _: token, form)
    return _LENGTH.sub(b"%d" % len(form), head) + b"\r\n\r\n" + form
