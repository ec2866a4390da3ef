"""Make `.venv` what a lock says: `environment.py run` or `environment.py dev`.

Any Python from 3.11 runs this, with nothing but its standard library. A stamp, `.venv/.run` or
`.venv/.dev`, is written last and holds the folder it was made in, so neither an interrupted nor a
moved environment passes for whole.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path.cwd()
VENV = Path(".venv")
PYTHON = VENV / "bin" / "python"
STAMPS = {"run": VENV / ".run", "dev": VENV / ".dev"}
LOCKS = {"run": Path("requirements.lock"), "dev": Path("requirements-dev.lock")}


def main(purpose: str) -> None:
    """Install the lock of `purpose` over what is there; a running server keeps its packages."""
    held = take_turn()
    if is_current(purpose):
        return
    if not is_whole():
        say(f"Making the virtual environment (.venv) with Python {sys.version.split()[0]} …")
        call(held, "making .venv", sys.executable, "-m", "venv", "--clear", str(VENV))
    remove_half_installed()
    lock = LOCKS[purpose]
    packages = sum("==" in line for line in lock.read_text(encoding="utf-8").splitlines())
    say(f"Installing {packages} packages …")
    # A lock is complete, and pip before 23.3 forgets its pins where a package asks for another with extras.
    pip = (str(PYTHON), "-m", "pip", "install", "--quiet", "--no-deps")
    call(held, f"installing {lock}", *pip, "--require-hashes", "-r", str(lock))
    call(held, "installing authsvc itself", *pip, "--no-build-isolation", "-e", ".")
    # The dev lock contains the other one; scripts/lock.sh checks that.
    for stamp in STAMPS.values() if purpose == "dev" else (STAMPS[purpose],):
        stamp.write_text(f"{ROOT}\n", encoding="utf-8")


def take_turn() -> int:
    """Lock the folder, so that a `make test` beside a first `make run` waits instead of clearing it.

    pip inherits the lock: where this process alone was killed, the next one waits until that pip is done.
    """
    VENV.mkdir(exist_ok=True)
    folder = os.open(VENV, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Another make is working on .venv: waiting for it …")
        fcntl.flock(folder, fcntl.LOCK_EX)
    return folder


def is_whole() -> bool:
    """Whether some installation was finished, in this very folder, with a Python that is still there."""
    stamps = [stamp.read_text(encoding="utf-8") for stamp in STAMPS.values() if stamp.exists()]
    return bool(stamps) and set(stamps) == {f"{ROOT}\n"} and PYTHON.exists()


def is_current(purpose: str) -> bool:
    """Whether the one we waited for did our work."""
    stamp, inputs = STAMPS[purpose], (LOCKS[purpose], Path("pyproject.toml"))
    return is_whole() and stamp.exists() and all(made(stamp) >= made(path) for path in inputs)


def made(path: Path) -> int:
    """Say when `path` was last written."""
    return path.stat().st_mtime_ns


def remove_half_installed() -> None:
    """Make pip install again what it was killed in: it writes RECORD last, and believes one without."""
    for packages in VENV.glob("lib/python*/site-packages"):
        unfinished = [info for info in packages.glob("*.dist-info") if not (info / "RECORD").exists()]
        for folder in (*unfinished, *packages.glob("~*")):
            shutil.rmtree(folder)


def call(held: int, what: str, *command: str) -> None:
    """Run a command that keeps our turn; its failure is a sentence under its own output."""
    if subprocess.run(command, pass_fds=(held,), check=False).returncode:
        sys.exit(f"{what} failed, see above. The same make command continues from here.")


def say(line: str) -> None:
    """Print at once, also into a pipe."""
    print(line, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        sys.exit("Interrupted. The same make command continues from here.")
    except OSError as error:
        sys.exit(f"The environment cannot be made in {ROOT}: {error}")
