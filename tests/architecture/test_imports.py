"""The direction of imports, as `pyproject.toml` states it, holds; and the tool that says so would notice."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.command import environment


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of the package below *root*."""
    program = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=root,
        env=environment({}) | {"PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_contract_is_kept(repository: Path) -> None:
    checked = lint_imports(repository)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 broken" in checked.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("storage/accounts.py", "from authsvc import accounts", "Imports point down this list, never up"),
        ("tokens/jwt.py", "from authsvc.settings import Settings", "Settings stop at the composition root"),
        ("sessions.py", "from authsvc.storage import tables", "Only storage sees the tables"),
        ("clients.py", "import fastapi", "Only the outside of the service knows that it is a web service"),
        ("accounts.py", "import sqlalchemy", "Only storage knows SQL and Redis"),
        ("sessions.py", "from jose import jwt", "Only tokens sign and only passwords hash"),
        (
            "endpoints/login.py",
            "from authsvc.storage import accounts",
            "Endpoints ask operations, never a store",
        ),
    ],
    ids=["upwards", "settings", "tables", "web", "SQL", "crypto", "endpoint"],
)
def test_an_import_against_a_contract_is_named(
    repository: Path, tmp_path: Path, module: str, line: str, contract: str
) -> None:
    shutil.copy(repository / "pyproject.toml", tmp_path)
    shutil.copytree(
        repository / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "static")
    )
    file = tmp_path / "src/authsvc" / module
    file.write_text(file.read_text() + f"\n{line}\n")

    checked = lint_imports(tmp_path)

    assert checked.returncode == 1
    assert f"{contract} BROKEN" in checked.stdout
