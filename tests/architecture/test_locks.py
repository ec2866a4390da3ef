"""The locks name what to install and its hashes, and no place to fetch it from."""

import re
import tomllib
from pathlib import Path

import pytest

LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-audit.lock"]
_PINNED = re.compile(r"^(?P<name>[a-z0-9][a-z0-9.-]*)(\[[a-z0-9,-]+\])?==[^ ]+( ; .+)? \\$")
_HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def pins(text: str) -> dict[str, int]:
    """Return every package that *text* locks, with the number of its hashes."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        if match := _PINNED.match(line):
            found[match["name"]] = 0
        elif _HASH.match(line):
            found[list(found)[-1]] += 1
        else:
            assert re.match(r"^ *#|^$", line), f"neither a pin nor a hash nor a comment: {line}"
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_and_hashed(repository: Path, name: str) -> None:
    locked = pins((repository / name).read_text())

    assert len(locked) > 30
    assert [package for package, hashes in locked.items() if hashes == 0] == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_host(repository: Path, name: str) -> None:
    text = (repository / name).read_text()

    for place in ("://", "--index-url", "--extra-index-url", "--find-links", "--trusted-host", " @ "):
        assert place not in text


def test_every_dependency_is_locked(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())
    run, dev, audit = (pins((repository / name).read_text()) for name in LOCKS)

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[^A-Za-z0-9._-]", one)[0].lower() for one in requirements}

    wanted = names(project["project"]["dependencies"])
    assert wanted - run.keys() == set()
    assert (wanted | names(project["dependency-groups"]["dev"])) - dev.keys() == set()
    assert names(project["dependency-groups"]["audit"]) - audit.keys() == set()


def test_the_lock_for_development_contains_the_other(repository: Path) -> None:
    run, dev = ((repository / name).read_text().splitlines() for name in LOCKS[:2])

    assert [line for line in run if not line.lstrip().startswith("#") and line not in dev] == []
