"""Let a coverage-guided fuzzer at every parser: `python -m tests.fuzz.tokens [TARGET] [SECONDS]`.

Atheris (libFuzzer for Python): of what was looked at the only one that follows branches into the service's
own code. It is fetched into tests/fuzz/.venv and started once for each target. Exit status 1: a rule was
broken, and the input that broke it is in build/fuzz/. 2: there is no Atheris for this machine.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests.fuzz.targets import SEEDS
from tests.suite_index import ROOT

HERE = Path(__file__).parent
LOCK = HERE / "requirements.lock"
VENV = HERE / ".venv"
FOUND = ROOT / "build" / "fuzz"
SECONDS = 60


def main(arguments: list[str]) -> int:
    """Fuzz every target, or the one that is named."""
    if sys.platform != "linux":
        print("Atheris has wheels for Linux only.")
        return 2
    named = [argument for argument in arguments if not argument.isdecimal()]
    seconds = next((int(argument) for argument in arguments if argument.isdecimal()), SECONDS)
    if unknown := set(named) - SEEDS.keys():
        print(f"No target is called {', '.join(unknown)}; there are {', '.join(SEEDS)}.")
        return 2
    packages = installed()
    FOUND.mkdir(parents=True, exist_ok=True)
    return max(fuzz(target, seconds, packages) for target in named or SEEDS)


def installed() -> Path:
    """Return the folder of Atheris, fetched as the lock names it."""
    wanted = f"{sys.version_info[:2]} {hashlib.sha256(LOCK.read_bytes()).hexdigest()}"
    stamp = VENV / ".installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"pip install: fetching Atheris into {VENV}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
        pip = [str(VENV / "bin/python"), "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        subprocess.run([*pip, "-r", str(LOCK)], check=True)
        stamp.write_text(wanted)
    return next(VENV.glob("lib/python*/site-packages"))


def fuzz(target: str, seconds: int, packages: Path) -> int:
    """Fuzz one target for so long; return 1 if a rule was broken."""
    corpus = FOUND / target
    corpus.mkdir(exist_ok=True)
    for number, seed in enumerate(SEEDS[target]):
        (corpus / f"seed-{number}").write_bytes(seed)
    print(f"{target}: {seconds} s", flush=True)
    options = [f"-max_total_time={seconds}", "-max_len=9000", "-verbosity=0", "-print_final_stats=1"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.fuzz.one_target",
            target,
            *options,
            f"-artifact_prefix={corpus}-",
            str(corpus),
        ],
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{packages}"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout[-5000:])
        return 1
    stats = dict(
        line.removeprefix("stat::").split(": ", 1) for line in done.stdout.splitlines() if "stat::" in line
    )
    inputs = sum(1 for _ in corpus.iterdir())
    tried = int(stats["number_of_executed_units"])
    print(f"  {tried:,} inputs, {inputs} of them took new branches, no rule broken")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
