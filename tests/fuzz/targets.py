"""What the fuzzer begins with for each target: input that is good, to be spoilt."""

from base64 import b64encode

from tests.fuzz.rules import RULES_OF_BYTES, RULES_OF_TEXT

SIGNED = "signed"
"""Bytes as the header and the payload of a token that our own key signs."""
JWT, OPAQUE = "jwt", "opaque"
"""Text as an access token, before the verifier of a whole service."""

_GOOD: dict[str, list[bytes]] = {
    "form": [b"grant_type=password&username=ada%40example.com&password=a+b%C3%A9", b"=&a=&&b=%00"],
    "basic": [b"Basic " + b64encode(b"client%20one:secret+two"), b"basic Og=="],
    "scope": [b"account read write"],
    "username": ["Zo\u00eb@Example.com".encode(), "\uff21\uff44\uff41".encode(), "\u0130\u03a3".encode()],
    "password": [b"correct horse battery staple", "e\u0301\U0001f5dd".encode()],
    SIGNED: [b'{"alg":"ES256","typ":"at+jwt","kid":"KID"}\n{"iss":"x","exp":1}'],
}
SEEDS = {
    name: _GOOD.get(name, [b"asvc_rt_AAAA", b"a.b.c"])
    for name in (JWT, OPAQUE, SIGNED, *RULES_OF_TEXT, *RULES_OF_BYTES)
}
