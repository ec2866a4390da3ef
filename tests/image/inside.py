"""The part of `make image` that has no network: build, start, log in, stop. Started by `run`."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.image import stores
from tests.image.base import python_of
from tests.image.build import Build
from tests.image.compose import services
from tests.image.composed import Composed
from tests.image.container import Image
from tests.image.dockerfile import stages
from tests.image.report import PAGE, Report

REPOSITORY = Path(__file__).parents[2]
URL = "http://127.0.0.1:8000"
NAME, PASSWORD = "ada", "correct horse battery staple"
NO_CAPABILITY = "0" * 16


def main(folder: Path, base: Path, *, is_to_write: bool) -> int:
    """Carry out both files; return 1 where the page says something else."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    (folder / "hosts").write_text("127.0.0.1 localhost postgres redis\n")
    report = Report()
    image = build(folder, base, report)
    given = {"AUTHSVC_SECRET_KEYS": "a secret that is made for this run alone"}
    composed = Composed(services(REPOSITORY / "compose.yaml", given), image, folder, report)
    with composed.stores():
        make_account(composed)
        serve_alone(composed)
        serve_with_workers(composed)
        refuse_workers_without_tmp(composed)
    if is_to_write:
        report.write(REPOSITORY)
    elif not report.is_in(REPOSITORY):
        print(f"{PAGE} says something else: python -m tests.image.run --write", file=sys.stderr)
        return 1
    print(f"{len(report.rows)} lines, as {PAGE} says")
    return 0


def build(folder: Path, base: Path, report: Report) -> Image:
    """Build all stages; the last one is the image."""
    found = stages(REPOSITORY / "Dockerfile")
    for stage in found:
        named = re.fullmatch(r"python:([\d.]+)-slim", stage.base)
        expect(named is not None and named[1] == python_of(base), f"the base has the Python of {stage.base}")
    work = Build(REPOSITORY, base, folder / "wheels", folder, report)
    return [work.stage(stage) for stage in found][-1]


def make_account(composed: Composed) -> None:
    """Make an account as the head of compose.yaml says."""
    command = ["python", "-m", "authsvc", "users", "add", NAME, "--password-stdin", "--json"]
    made = json.loads(composed.run("authsvc", command, stdin=PASSWORD.encode()))
    expect(made["username"] == NAME, "an account is made")


def serve_alone(composed: Composed) -> None:
    """Start the image's command, look at its process, log in, and stop it."""
    with composed.serving() as server:
        status = server.status()
        expect(status["Uid"].split() == ["10001"] * 4, "it runs as the image's user")
        expect(status["NSpid"].split()[-1] == "1", "it is process 1")
        expect(status["CapEff"] == status["CapBnd"] == NO_CAPABILITY, "it has no capability")
        expect(status["NoNewPrivs"] == "1", "it cannot gain any")
        log_in()
        expect(server.stop() == 0, "SIGTERM ends it with status 0")
    expect(not stores.is_healthy(composed.health()), "the health check tells that it is gone")
    write = ["python", "-c", "open('/opt/authsvc/x', 'w')"]
    try:
        composed.run("authsvc", write)
    except subprocess.CalledProcessError:
        expect(True, "nothing can be written beside it")
    else:
        expect(False, "nothing can be written beside it")


def serve_with_workers(composed: Composed) -> None:
    """Start two workers, which share a folder in /tmp."""
    with composed.serving("--workers", "2") as server:
        log_in()
        counted = curl(f"{URL}/metrics")
        expect("authsvc_request_seconds_count" in counted, "two workers count together")
        expect(server.stop() == 0, "SIGTERM ends both and their parent with status 0")


def refuse_workers_without_tmp(composed: Composed) -> None:
    """Start two workers where there is no /tmp to write to."""
    refused = composed.without_tmp("--workers", "2")
    expect(
        refused.returncode == 1 and "--tmpfs /tmp" in refused.stderr and "Traceback" not in refused.stderr,
        f"without a /tmp two workers are a sentence: {refused.stderr.strip()}",
    )


def log_in() -> None:
    """Log in and ask who that is, with curl."""
    form = ["--data-urlencode", f"username={NAME}", "--data-urlencode", f"password={PASSWORD}"]
    token = json.loads(curl(f"{URL}/login", *form))["access_token"]
    me = json.loads(curl(f"{URL}/me", "--header", f"Authorization: Bearer {token}"))
    expect(me["username"] == NAME, "curl logs in, and /me knows who that is")
    states = json.loads(curl(f"{URL}/readyz"))
    expect("away" not in json.dumps(states), f"both stores are used: {states}")


def curl(url: str, *options: str) -> str:
    """Return what curl gets."""
    command = ["curl", "--silent", "--show-error", "--fail", "--noproxy", "*", *options, url]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def expect(holds: bool, sentence: str) -> None:
    """Print what holds; end where it does not."""
    print(f"{'ok' if holds else 'NOT'}: {sentence}", flush=True)
    if not holds:
        sys.exit(1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), is_to_write="--write" in sys.argv))
