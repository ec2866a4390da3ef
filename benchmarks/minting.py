"""Have accounts, a client and tokens made by the service's own code, in a process beside the service."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
import jwt

from benchmarks import cores
from tests.fixtures.command import environment

ROOT = Path(__file__).parents[1]


class Minting:
    """The program that mints, for one database."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.mint"],
            cwd=ROOT,
            env=environment(settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        os.sched_setaffinity(self._process.pid, [cores.OTHERS])

    def add_accounts(self, names: list[str], password: str) -> list[str]:
        """Make accounts with one password; return their ids."""
        return [str(made) for made in self._ask("add_accounts", names=names, password=password)]

    def add_caller(self, secret: str) -> str:
        """Make a client that may introspect every token; return its id."""
        return str(self._ask("add_caller", secret=secret))

    def tokens(self, account_ids: list[str], count: int, *, stored: bool) -> list[str]:
        """Return the access tokens of *count* new sessions of these accounts."""
        made = self._ask("tokens", account_ids=account_ids, count=count, stored=stored)
        return [str(token) for token in made]

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def _ask(self, order: str, **details: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": order, **details}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


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
