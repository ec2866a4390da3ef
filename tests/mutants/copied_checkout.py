"""A copy of the checkout in which mutants are made and tests run, so that the real one is never touched."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from tests.mutants import witness

LIMIT_SECONDS = 300
_GREEN_OR_RED = (0, 1)
_WYCHEPROOF = "AUTHSVC_TEST_VECTORS"


class Ending(NamedTuple):
    """How one test ended: one of the verdicts of `witness`, and the first line of what it said."""

    node: str
    verdict: str
    why: str


class SuiteCrashedError(Exception):
    """pytest did not get as far as a report on every test; the message is the end of its output."""


@dataclass(frozen=True)
class CopiedCheckout:
    """What git knows of a checkout, or would if asked to add it, in *tree*; scratch files beside it."""

    tree: Path
    source: Path

    @classmethod
    def make(cls, source: Path, folder: Path) -> "CopiedCheckout":
        """Copy *source* into *folder*."""
        tree = folder.resolve() / "checkout"
        listing = subprocess.run(
            ["git", "-C", source, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            check=True,
            capture_output=True,
            text=True,
        )
        for name in filter(None, listing.stdout.split("\0")):
            if (source / name).exists():  # one that was deleted is still in the index
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source / name, tree / name, follow_symlinks=False)
        return cls(tree, source)

    @contextmanager
    def edited(self, name: str, text: str, number: int) -> Iterator[None]:
        """Let *name* hold *text* for a while. *number* is another one for each edit.

        Python takes compiled code for fresh when the source's size and second of change agree: so
        every edit gets a second of its own, else a mutant could run the code of another.
        """
        path = self.tree / name
        original, changed_at = path.read_bytes(), int(path.stat().st_mtime)
        try:
            path.write_text(text, encoding="utf-8")
            os.utime(path, (changed_at + number, changed_at + number))
            yield
        finally:
            path.write_bytes(original)
            os.utime(path, (changed_at, changed_at))

    def run_tests(self, nodes: list[str], limit_seconds: int = LIMIT_SECONDS) -> list[Ending]:
        """Run the tests *nodes* on the copy's code.

        Raises:
            SuiteCrashedError: pytest broke off, ran too long, or found no such test.
        """
        report, log = self.tree.parent / "report.xml", self.tree.parent / "pytest.log"
        report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider"]
        command += ["-p", witness.__name__, f"--junitxml={report}", *nodes]
        with log.open("w") as output:
            process = subprocess.Popen(
                command,
                cwd=self.tree,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code: object = process.wait(limit_seconds)
            except subprocess.TimeoutExpired:
                code = f"none after {limit_seconds} s"
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        if code not in _GREEN_OR_RED or not report.exists():
            tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])
            raise SuiteCrashedError(f"pytest's exit status: {code}\n{tail}")
        return _endings(report)

    def _environment(self) -> dict[str, str]:
        environment = dict(os.environ)
        search_path = [str(self.tree / "src"), str(self.tree), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, search_path))
        environment[witness.TREE_VARIABLE] = str(self.tree)
        # The default is a folder beside the checkout, and beside the copy there is none.
        if (vectors := self.source.parent / "shared" / "vectors").is_dir():
            environment.setdefault(_WYCHEPROOF, str(vectors))
        return environment


def _endings(report: Path) -> list[Ending]:
    """Read what the witness wrote; a test that fails in more than one phase ends more than once."""
    endings = []
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it a moment ago
        notes = [(note.get("name", ""), note.get("value", "")) for note in case.iter("property")]
        columns = ([value for name, value in notes if name == column] for column in Ending._fields)
        endings += [Ending(*row) for row in zip(*columns, strict=True)]
    return endings
