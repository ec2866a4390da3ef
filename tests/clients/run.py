"""Run published OAuth 2.0 clients, unmodified, against authsvc in both token formats: `make clients`.

`AUTHSVC_URL` names a running `authsvc dev` to use instead of one started here; `AUTHSVC_TOKEN_FORMAT`
says which format it issues, or which one to start.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from authsvc.cli import demo
from tests.clients.service import running_service

HERE = Path(__file__).parent
TOKEN_FORMATS = ("jwt", "opaque")
CLIENT_SECONDS = 180
# Both clients report in TAP: one line for each step.
STEP = re.compile(r"^(not )?ok \d+", re.MULTILINE)
RED_STEP = re.compile(r"^not ok \d+.*?(?=^ok |^not ok |^# |\Z)", re.MULTILINE | re.DOTALL)
ROW = "| {:<12} | {:<7} | {:<6} | {:<8} | {:<6} |"


@dataclass(frozen=True)
class Outcome:
    """What one client found in one format."""

    client: str
    version: str
    token_format: str
    green: int
    steps: int
    exited: int
    output: str

    @property
    def is_green(self) -> bool:
        """Whether every step passed, and there was at least one."""
        return self.exited == 0 and 0 < self.green == self.steps

    @property
    def red_output(self) -> str:
        """The red steps with what the client says of them; everything if there was none."""
        return "\n".join(RED_STEP.findall(self.output)) or self.output

    def row(self) -> str:
        """Return this outcome's line of the table."""
        result = "green" if self.is_green else "RED"
        return ROW.format(
            self.client, self.version, self.token_format, f"{self.green} of {self.steps}", result
        )


def main() -> int:
    """Run everything; return 1 if anything was red."""
    if missing := [tool for tool in ("node", "npm") if shutil.which(tool) is None]:
        print(f"{' and '.join(missing)} not found; install Node.js 20 or later.", file=sys.stderr)
        return 2
    install_packages()
    url = os.environ.get("AUTHSVC_URL", "").rstrip("/")
    chosen = os.environ.get("AUTHSVC_TOKEN_FORMAT", "")
    formats = (chosen,) if chosen else TOKEN_FORMATS[:1] if url else TOKEN_FORMATS
    outcomes: list[Outcome] = []
    for token_format in formats:
        with nullcontext(url) if url else running_service(token_format) as base:
            outcomes += [run_oauth4webapi(base, token_format), run_authlib(base, token_format)]
    for outcome in outcomes:
        if not outcome.is_green:
            print(
                f"--- {outcome.client}, {outcome.token_format}, exit {outcome.exited}\n{outcome.red_output}"
            )
    print(ROW.format("client", "version", "format", "steps", "result"))
    print(ROW.format(*("-" * 6 for _ in range(5))))
    print("\n".join(outcome.row() for outcome in outcomes))
    return 0 if all(outcome.is_green for outcome in outcomes) else 1


def install_packages() -> None:
    """Install what the lock file names, unless that was done since it last changed."""
    installed = HERE / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= (HERE / "package-lock.json").stat().st_mtime:
        return
    print("npm ci: fetching oauth4webapi and jose", flush=True)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=HERE, check=True)


def run_oauth4webapi(url: str, token_format: str) -> Outcome:
    """Run the client of the npm package oauth4webapi."""
    package = json.loads((HERE / "node_modules" / "oauth4webapi" / "package.json").read_text())
    command = ["node", "--test-reporter=tap", str(HERE / "oauth4webapi.test.mjs")]
    return run("oauth4webapi", package["version"], token_format, url, command)


def run_authlib(url: str, token_format: str) -> Outcome:
    """Run the client of the Python package Authlib."""
    command = [sys.executable, "-m", "tests.clients.authlib_steps", url, token_format]
    return run("Authlib", version("authlib"), token_format, url, command)


def run(client: str, client_version: str, token_format: str, url: str, command: list[str]) -> Outcome:
    """Run *command* and count its steps."""
    print(f"{client} {client_version}, {token_format}, {url}", flush=True)
    demo_values = {name: str(value) for name, value in vars(demo).items() if name.startswith("DEMO_")}
    finished = subprocess.run(
        command,
        env=os.environ | demo_values | {"AUTHSVC_URL": url, "AUTHSVC_TOKEN_FORMAT": token_format},
        cwd=HERE.parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=CLIENT_SECONDS,
        check=False,
    )
    steps = [match.group(1) is None for match in STEP.finditer(finished.stdout)]
    return Outcome(
        client, client_version, token_format, sum(steps), len(steps), finished.returncode, finished.stdout
    )


if __name__ == "__main__":
    sys.exit(main())
