"""python-jose brings `ecdsa`, `rsa` and `pyasn1` along, the first with a timing leak that nobody mends.

None of them is ever loaded: signing and verifying go through `cryptography`. So what scanners say of
CVE-2024-23342 does not concern this service.
"""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.command import environment

UNWANTED = {"ecdsa", "rsa", "pyasn1"}
SIGN_AND_VERIFY = """
import json, sys
from datetime import UTC, datetime

import authsvc.app
from authsvc.server_keys import ServerKeys
from authsvc.tokens import strict_jwt
from authsvc.tokens.key_material import KeyMaterial
from authsvc.tokens.keys import SigningKey
from jose import jwk


class Ring:
    def __init__(self, key): self.key = key
    def get(self, kid): return self.key if kid == self.key.kid else None


material = KeyMaterial(ServerKeys(["a secret, of more than 32 characters"]))
good = []
for algorithm in ("ES256", "RS256"):
    public, encrypted = material.new_pair(algorithm)
    private = jwk.construct(material.decrypt(encrypted), algorithm)
    key = SigningKey("kid", algorithm, jwk.construct(public, algorithm), private, datetime.now(UTC))
    token = strict_jwt.sign(key, {"x": 1}, typ="at+jwt")
    for text in (token, token[:-8] + "AAAAAAAA"):
        good.append(strict_jwt.claims_of(text, Ring(key)) is not None)
print(json.dumps({"good": good, "loaded": sorted({name.partition(".")[0] for name in sys.modules})}))
"""


def imports(file: Path) -> set[str]:
    """The packages that *file* imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").partition(".")[0])
    return found


def test_signing_and_verifying_load_none_of_the_libraries_that_scanners_warn_of() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SIGN_AND_VERIFY],
        env=environment({}),
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["good"] == [True, False, True, False]
    assert "jose" in said["loaded"]
    assert UNWANTED & set(said["loaded"]) == set()


def test_only_tokens_import_python_jose(repository: Path) -> None:
    source = repository / "src/authsvc"

    importers = {
        file.relative_to(source).as_posix() for file in source.rglob("*.py") if "jose" in imports(file)
    }

    assert importers
    assert {file for file in importers if not file.startswith("tokens/")} == set()


def test_only_one_file_lets_it_judge_a_signature(repository: Path) -> None:
    files = list((repository / "src/authsvc").rglob("*.py"))

    assert {file.name for file in files if asks_a_public_key(file)} == {"strict_jwt.py"}
    # What these read of a token by themselves is not what the one file has looked at.
    assert [file.name for file in files if {"jws", "jwt", "jwe"} & names_from_jose(file)] == []


def asks_a_public_key(file: Path) -> bool:
    """Whether something in *file* is called that ends in `.public.verify`."""
    calls = (
        node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
    )
    return any(ast.unparse(call.func).endswith(".public.verify") for call in calls)


def names_from_jose(file: Path) -> set[str]:
    """What *file* takes from python-jose itself, such as `jws`."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {
        name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "jose"
        for name in node.names
    }


@pytest.mark.parametrize("package", sorted(UNWANTED))
def test_the_service_imports_none_of_them(repository: Path, package: str) -> None:
    files = (repository / "src/authsvc").rglob("*.py")

    assert [file.name for file in files if package in imports(file)] == []
