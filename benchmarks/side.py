"""Which commit's service is measured: the checkout's own, or that of another beside it."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Side:
    """A name for the tables, and the folder that `authsvc` is imported from."""

    name: str
    source: Path


HERE = Side("here", ROOT / "src")


@contextmanager
def checked_out(revision: str) -> Iterator[Side]:
    """Check *revision* out for the length of the block, beside this checkout, whose packages it uses."""
    with tempfile.TemporaryDirectory(prefix="authsvc-bench-") as folder:
        place = Path(folder) / "then"
        _git("worktree", "add", "--quiet", "--detach", str(place), revision)
        try:
            yield Side(revision, place / "src")
        finally:
            _git("worktree", "remove", "--force", str(place))


def commit() -> str:
    """Return the short id of the commit that is checked out, with a plus if files differ from it."""
    return _git("describe", "--always", "--dirty=+", "--exclude=*")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S607 - whichever git the developer uses
    return done.stdout.strip()
