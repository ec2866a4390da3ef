"""One run of schemathesis against a service: every check it has, as a user and as a client."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from tests.fuzz.people import PEOPLE, SERVICE
from tests.suite_index import ROOT

_GENERATED = re.compile(r"^  ([\d,]+) generated", re.MULTILINE)


@dataclass(frozen=True)
class Asked:
    """What came of a run: how many requests it made up, whether all was well, and what it printed."""

    cases: int
    is_well: bool
    report: str


def ask(url: str, people: Mapping[str, str], *options: str) -> Asked:
    """Let schemathesis ask the service at *url*, whose own /openapi.json it reads.

    *people* names `username`, `password`, `client_id` and `client_secret`.
    """
    given = {
        "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks",
        SERVICE: url,
        PEOPLE: json.dumps(people),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "schemathesis.cli"]
    command += ["--config-file", str(ROOT / "tests/fuzz/schemathesis.toml"), "run", f"{url}/openapi.json"]
    done = subprocess.run(
        [*command, "--checks", "all", "--continue-on-failure", *options],
        env=os.environ | given,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    found = _GENERATED.search(done.stdout)
    return Asked(int(found[1].replace(",", "")) if found else 0, done.returncode == 0, done.stdout)
