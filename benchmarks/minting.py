"""Have accounts, a client and tokens made by the service's own code, in a process beside the service."""

import base64
from collections.abc import Mapping

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks import cores
from benchmarks.program import Program
from tests.fixtures.command import environment


class Minting:
    """The program that mints, for one database."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._program = Program("benchmarks.mint", on=[cores.OTHERS], environment=environment(settings))

    def add_accounts(self, names: list[str], password: str) -> list[str]:
        """Make accounts with one password; return their ids."""
        order = {"do": "add_accounts", "names": names, "password": password}
        return [str(made) for made in self._program.ask(order)]

    def add_caller(self, secret: str) -> str:
        """Make a client that may introspect every token; return its id."""
        return str(self._program.ask({"do": "add_caller", "secret": secret}))

    def tokens(self, account_ids: list[str], count: int, *, per_session: int = 1) -> list[str]:
        """Return *count* access tokens of new sessions of these accounts, *per_session* of each."""
        order = {"do": "tokens", "account_ids": account_ids, "count": count, "per_session": per_session}
        return [str(token) for token in self._program.ask(order)]

    def close(self) -> None:
        """End it."""
        self._program.close()


def strangers(token: str) -> str:
    """Return a JWT that says what *token* says, signed by a key that is not ours."""
    claims = jwt.decode(token, options={"verify_signature": False})
    key = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(claims, key, algorithm="ES256", headers={"kid": "a-stranger", "typ": "at+jwt"})


def damaged(token: str) -> str:
    """Return a JWT with the header and the claims of *token* and a well-formed signature that is wrong."""
    signed, _, signature = token.rpartition(".")
    wrong = bytearray(base64.urlsafe_b64decode(signature + "=="))
    wrong[40] ^= 1
    return f"{signed}.{base64.urlsafe_b64encode(wrong).decode().rstrip('=')}"
