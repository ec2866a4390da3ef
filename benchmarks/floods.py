"""What a stranger can flood the service with: requests by the kind, each unlike the others."""

import base64
import json
import os
from collections.abc import Callable
from urllib.parse import quote

VARIANTS = 2_000
_FORM = "Content-Type: application/x-www-form-urlencoded"


def request(method: str, path: str, *headers: str, body: str = "") -> bytes:
    """Return the bytes of a request on a connection that is kept."""
    lines = [f"{method} {path} HTTP/1.1", "Host: auth", *headers]
    if body:
        lines += [_FORM, f"Content-Length: {len(body)}"]
    return ("\r\n".join([*lines, "", ""]) + body).encode()


def bearer(token: str) -> str:
    """Return the header that presents a token."""
    return f"Authorization: Bearer {token}"


def basic(client_id: str, secret: str) -> str:
    """Return the header that presents a client's credentials."""
    return "Authorization: Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def bad_tokens(good: str) -> list[bytes]:
    """Presented at /verify: with a signature of ours on other claims, cut, and made up."""
    header, claims, signature = good.split(".") if good.count(".") == 2 else ("", "", "")
    made = []
    for number in range(VARIANTS):
        forged = f"{header}.{_altered(claims, number)}.{signature}" if claims else "asvc_at_" + _made_up(64)
        made.append((forged, good[:-4] + _made_up(4), _made_up(700))[number % 3])
    return [request("GET", "/verify", bearer(token)) for token in made]


def unknown_clients(_: str) -> list[bytes]:
    """They ask about tokens."""
    return [
        request("POST", "/introspect", basic(_made_up(22), _made_up(43)), body=f"token={_made_up(40)}")
        for _ in range(VARIANTS)
    ]


def huge_scopes(_: str) -> list[bytes]:
    """Logins that ask for as many scopes as a form may hold, written in the two ways there are."""
    scopes = ("a+" * 31_000 + "a", "%61%20" * 10_000 + "a")
    return [
        request("POST", "/login", body=f"username=u{number}&password=p{number}&scope={scopes[number % 2]}")
        for number in range(40)
    ]


def refused_logins(_: str) -> list[bytes]:
    """Wrong passwords, for names that are known and names that are not."""
    return [
        request("POST", "/login", body=f"username={quote(name)}&password={_made_up(20)}")
        for number in range(VARIANTS)
        for name in ("ada@example.com", f"nobody{number}@example.com")
    ]


KINDS: dict[str, Callable[[str], list[bytes]]] = {
    "bad tokens": bad_tokens,
    "unknown clients": unknown_clients,
    "huge scopes": huge_scopes,
    "refused logins": refused_logins,
}


def _altered(claims: str, number: int) -> str:
    read = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    read["jti"] = f"{number}"
    return base64.urlsafe_b64encode(json.dumps(read).encode()).decode().rstrip("=")


def _made_up(length: int) -> str:
    return base64.urlsafe_b64encode(os.urandom(length)).decode()[:length]
