"""The programs' second guard, which checks the JWT itself: what it lets in, and what it cannot see."""

from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from authsvc.demo_credentials import DEMO_USERNAME
from tests.docs.conftest import Ask, Authsvc
from tests.docs.stacks import PROGRAMS, Guarded, guarded

pytestmark = [
    pytest.mark.parametrize("service", PROGRAMS, indirect=True),
    pytest.mark.parametrize("authsvc", ["jwt"], indirect=True),
]


def test_a_signed_token_gets_in(authsvc: Authsvc, ask: Ask) -> None:
    assert ask(authsvc.login(), "/catalogue").json() == {"shown_to": DEMO_USERNAME}


def test_a_logout_is_not_seen_before_the_token_expires(authsvc: Authsvc, ask: Ask) -> None:
    token = authsvc.login()
    authsvc.logout(token)

    assert ask(token, "/orders").status_code == 401
    assert ask(token, "/catalogue").status_code == 200


@pytest.mark.parametrize("token", [None, "rubbish", "a.b.c", "asvc_at_rubbish"])
def test_a_stranger_is_told_to_bring_a_bearer_token(ask: Ask, token: str | None) -> None:
    answer = ask(token, "/catalogue", headers={"X-Auth-User": "mallory"})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].lower().startswith("bearer")


@pytest.mark.parametrize("algorithm", ["ES256", "none"])
def test_a_token_that_somebody_else_signed_is_refused(authsvc: Authsvc, ask: Ask, algorithm: str) -> None:
    assert ask(forged(authsvc.login(), algorithm), "/catalogue").status_code == 401


@pytest.mark.parametrize("path", ["/orders", "/catalogue"])
def test_a_token_for_another_audience_is_refused_by_both_guards(
    authsvc: Authsvc, elsewhere: Guarded, path: str
) -> None:
    assert elsewhere.get(path, authsvc.login()).status_code == 401


@pytest.fixture
def elsewhere(authsvc: Authsvc, service: Guarded, tmp_path: Path) -> Iterator[Guarded]:
    """The same service, of another audience than the tokens."""

    def change(program: str) -> str:
        assert program.count("AUDIENCE = AUTHSVC") == 1
        return program.replace("AUDIENCE = AUTHSVC", "AUDIENCE = 'https://other.example'")

    with guarded(service.kind, authsvc.server.port, tmp_path, change) as running:
        yield running


def forged(token: str, algorithm: str) -> str:
    """Return *token* with the same header and the same claims, and another signature."""
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, options={"verify_signature": False})
    key = ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else ""
    return jwt.encode(claims, key, algorithm, headers={"kid": header["kid"], "typ": header["typ"]})
