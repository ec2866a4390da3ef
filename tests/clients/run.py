"""Run published OAuth 2.0 clients, unmodified, against authsvc in both token formats: `make clients`.

The programs that `docs/clients.md` prints are run too, and `--write` puts the table into it. The names of
packages run only those. `AUTHSVC_URL` names a running `authsvc dev` to use instead of one started here, and
`AUTHSVC_TOKEN_FORMAT` the format it issues.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from authsvc import demo_credentials
from tests.clients import packages, printed
from tests.clients.published import CLIENTS, FORMATS, Client
from tests.clients.service import running_service

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "clients.md"
TABLE_ON_PAGE = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- end of table -->)", re.DOTALL)
HEADING = ("client", "version", "format", "steps", "result")
CLIENT_SECONDS = 180
# Every client reports in TAP: one line for each step.
STEP = re.compile(r"^(not )?ok \d+", re.MULTILINE)
RED_STEP = re.compile(r"^not ok \d+.*?(?=^ok |^not ok |^# |\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Outcome:
    """What one client found in one format."""

    client: Client
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

    @property
    def cells(self) -> tuple[str, ...]:
        """This outcome's line of the table."""
        steps = f"{self.green} of {self.steps}"
        result = "green" if self.is_green else "RED"
        return (self.client.name, self.client.version, self.token_format, steps, result)


def main() -> int:
    """Run everything that is asked for; return 1 if anything was red."""
    arguments = read_arguments()
    if missing := [tool for tool in ("node", "npm") if shutil.which(tool) is None]:
        print(f"{' and '.join(missing)} not found; install Node.js 20 or later.", file=sys.stderr)
        return 2
    packages.install()
    asked = [client for client in CLIENTS if not arguments.names or {*client.packages} & {*arguments.names}]
    outcomes = sorted(run_all(asked), key=lambda outcome: asked.index(outcome.client))
    for outcome in outcomes:
        if not outcome.is_green:
            title = f"--- {outcome.client.name}, {outcome.token_format}, exit {outcome.exited}"
            print(f"{title}\n{outcome.red_output}")
    table = table_of(outcomes)
    print(table)
    failures = [] if arguments.names or os.environ.get("AUTHSVC_URL") else run_printed()
    print("\n".join(failures))
    if arguments.write:
        PAGE.write_text(TABLE_ON_PAGE.sub(lambda _: f"{table}\n", PAGE.read_text()))
    return 0 if all(outcome.is_green for outcome in outcomes) and not failures else 1


def read_arguments() -> argparse.Namespace:
    """Read the command line. A table of some clients only is never written."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients.run")
    known = sorted(name for client in CLIENTS for name in client.packages)
    parser.add_argument("names", nargs="*", metavar="PACKAGE", help=f"one of {', '.join(known)}")
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE.relative_to(ROOT)}")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in known]:
        parser.error(f"no client is called {', '.join(unknown)}; there are {', '.join(known)}")
    if arguments.write and (arguments.names or {"AUTHSVC_URL", "AUTHSVC_TOKEN_FORMAT"} & os.environ.keys()):
        parser.error("--write needs a run of every client in every format")
    return arguments


def run_all(clients: list[Client]) -> list[Outcome]:
    """Run each client in each format that it has a use for."""
    url = os.environ.get("AUTHSVC_URL", "").rstrip("/")
    chosen = os.environ.get("AUTHSVC_TOKEN_FORMAT", "")
    formats = (chosen,) if chosen else FORMATS[:1] if url else FORMATS
    outcomes: list[Outcome] = []
    for token_format in formats:
        wanted = [client for client in clients if token_format in client.formats]
        if wanted:
            with nullcontext(url) if url else running_service(token_format) as base:
                outcomes += [run(client, token_format, base) for client in wanted]
    return outcomes


def run_printed() -> list[str]:
    """Run the programs of the page itself, and return what the failing ones say."""
    with running_service(FORMATS[0]) as url:
        return printed.failures(url)


def run(client: Client, token_format: str, url: str) -> Outcome:
    """Run *client* and count its steps."""
    print(f"{client.name} {client.version}, {token_format}, {url}", flush=True)
    demo_values = {
        name: str(value) for name, value in vars(demo_credentials).items() if name.startswith("DEMO_")
    }
    switches = {"OAUTHLIB_INSECURE_TRANSPORT": "1"} if url.startswith("http:") else {}
    place = {"AUTHSVC_URL": url, "AUTHSVC_TOKEN_FORMAT": token_format}
    finished = subprocess.run(
        client.command,
        env=os.environ | demo_values | switches | place,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=CLIENT_SECONDS,
        check=False,
    )
    steps = [match.group(1) is None for match in STEP.finditer(finished.stdout)]
    return Outcome(client, token_format, sum(steps), len(steps), finished.returncode, finished.stdout)


def table_of(outcomes: list[Outcome]) -> str:
    """Return the outcomes as a table of Markdown, its columns aligned."""
    lines = [HEADING, *(outcome.cells for outcome in outcomes)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    rows = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    sys.exit(main())
