"""A service that checks access tokens before it serves: by the published keys, or by asking.

A program of its own, as such a service is: the orders come as JSON on standard input, one a line, and a line
of JSON goes out for each.
"""

import json
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

import httpx
import jwt

Outcome = Literal["active", "inactive", "503", "no answer"]
Check = Callable[[str], Outcome]

_BYTES_AT = 120
"""Where Linux says in `struct tcp_info` how many bytes were acknowledged and how many received."""


class ByKeys:
    """Reads the key set once, then checks signature, issuer, audience and `exp` by itself, with PyJWT."""

    def __init__(self, url: str, issuer: str) -> None:
        keys = jwt.PyJWKSet.from_dict(httpx.get(f"{url}/.well-known/jwks.json", trust_env=False).json())
        self._keys = {key.key_id: key for key in keys.keys}
        self._issuer = issuer
        self.wire = 0

    def check(self, token: str) -> Outcome:
        """Judge *token*; nobody is asked."""
        key = self._keys[jwt.get_unverified_header(token)["kid"]]
        try:
            jwt.decode(token, key, algorithms=["ES256"], issuer=self._issuer, audience=self._issuer)
        except jwt.InvalidTokenError:
            return "inactive"
        return "active"


class ByAsking:
    """Asks `/introspect` over one connection, with httpx."""

    def __init__(self, url: str, client_id: str, secret: str) -> None:
        self._url = f"{url}/introspect"
        self._http = httpx.Client(auth=(client_id, secret), trust_env=False, timeout=10)
        self.wire = 0

    def check(self, token: str) -> Outcome:
        """Ask about *token*."""
        try:
            answer = self._http.post(self._url, data={"token": token})
        except httpx.TransportError:
            return "no answer"
        self.wire = _bytes_of(answer.extensions["network_stream"].get_extra_info("socket"))
        if answer.status_code == 503 and "retry-after" in answer.headers:
            return "503"
        return "active" if answer.raise_for_status().json()["active"] else "inactive"


def _bytes_of(connection: socket.socket) -> int:
    facts = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_AT + 16)
    return sum(struct.unpack_from("=QQ", facts, _BYTES_AT))


Consumer = ByKeys | ByAsking


def check_for(consumer: Consumer, token: str, seconds: float) -> dict[str, Any]:
    """Check one token over and over; return outcomes, latencies in seconds, CPU seconds and bytes of each."""
    outcomes: Counter[str] = Counter()
    latencies: list[float] = []
    wire, used = consumer.wire, time.process_time()
    until = time.perf_counter() + seconds
    while (began := time.perf_counter()) < until or not latencies:
        outcomes[consumer.check(token)] += 1
        latencies.append(time.perf_counter() - began)
    used = time.process_time() - used
    latencies.sort()
    return {
        "outcomes": outcomes,
        "checks": len(latencies),
        "p50": latencies[len(latencies) // 2],
        "p99": latencies[len(latencies) * 99 // 100],
        "longest": latencies[-1],
        "cpu": used / len(latencies),
        "wire": (consumer.wire - wire) / len(latencies),
    }


def watch(consumer: Consumer, token: str) -> float:
    """Check until *token* is no longer active; return when that was said, by the clock of this machine."""
    while consumer.check(token) == "active":
        time.sleep(0.001)
    return time.perf_counter()


def main() -> None:
    """Check on demand until standard input ends; the first line says how, and where authsvc is."""
    made: dict[str, Any] = json.loads(sys.stdin.readline())
    consumer: Consumer = {"keys": ByKeys, "asking": ByAsking}[made.pop("by")](**made)
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        seconds = order.get("seconds")
        token = order["token"]
        seen = watch(consumer, token) if seconds is None else check_for(consumer, token, seconds)
        print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main()
