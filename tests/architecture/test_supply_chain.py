"""`make audit` says that all is well only if every package was looked up and nothing is known of any."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HASH = " \\\n    --hash=sha256:00\n"
LOCK = f"aiosqlite==0.22.1{HASH}uvloop==0.22.1 ; sys_platform != 'win32'{HASH}"
HOLE = {"id": "PYSEC-1", "fix_versions": ["0.23"], "aliases": [], "description": ""}


def found(**vulnerabilities: list[Any]) -> list[dict[str, Any]]:
    return [{"name": name, "version": "0.22.1", "vulns": holes} for name, holes in vulnerabilities.items()]


def audit(
    repository: Path, folder: Path, answer: str, *, status: int, complaint: str = ""
) -> tuple[int, str]:
    """Run the script where the tool, installed already, answers so; return its exit status and its words."""
    home = folder / ".venv/.audit"
    (home / "bin").mkdir(parents=True)
    (folder / "requirements.lock").write_text(LOCK)
    for lock in (folder / "requirements-audit.lock", home / "requirements-audit.lock"):
        lock.write_text("pip-audit==2.10.1\n")
    (folder / "answer").write_text(answer)
    (folder / "complaint").write_text(complaint)
    tool = home / "bin/pip-audit"
    tool.write_text(f"#!/bin/sh\ncat answer\ncat complaint >&2\nexit {status}\n")
    tool.chmod(0o755)
    script = repository / "scripts/supply_chain.py"
    done = subprocess.run(
        [sys.executable, str(script), "audit"], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_nothing_known_of_any_package_is_success(repository: Path, tmp_path: Path) -> None:
    answer = json.dumps({"dependencies": found(aiosqlite=[], uvloop=[])})

    status, said = audit(repository, tmp_path, answer, status=0)

    assert (status, said) == (0, "audit: 2 packages looked up, 0 known vulnerabilities\n")


def test_a_known_hole_is_named_with_the_version_that_mends_it(repository: Path, tmp_path: Path) -> None:
    answer = json.dumps({"dependencies": found(aiosqlite=[HOLE])})

    status, said = audit(repository, tmp_path, answer, status=1)

    assert status == 1
    assert said.startswith("aiosqlite 0.22.1: PYSEC-1, fixed in 0.23\n")


@pytest.mark.parametrize(
    ("answer", "status", "complaint"),
    [
        pytest.param("", 1, "ERROR: connection refused\n", id="the service cannot be reached"),
        pytest.param("", 0, "", id="no answer"),
        pytest.param(json.dumps({"dependencies": []}), 0, "", id="nothing was looked up"),
        pytest.param(
            json.dumps({"dependencies": [{"name": "aiosqlite", "skip_reason": "not found"}]}),
            0,
            "",
            id="skipped",
        ),
    ],
)
def test_an_audit_that_could_not_ask_says_so_and_fails(
    repository: Path, tmp_path: Path, answer: str, status: int, complaint: str
) -> None:
    ended, said = audit(repository, tmp_path, answer, status=status, complaint=complaint)

    assert ended == 2
    assert re.match(r"audit: not run: \S", said)
    assert "0 known" not in said
