"""The clients' packages: fetched as the lock files name them, once for each content of those."""

import hashlib
import json
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

HERE = Path(__file__).parent
NODE_MODULES = HERE / "node_modules"
PYTHON_LOCK = HERE / "requirements.lock"
VENV = HERE / ".venv"
VENV_PYTHON = VENV / "bin" / "python"


def install() -> None:
    """Fetch what is missing."""
    _install_node_modules()
    _install_virtual_environment()


def _install_node_modules() -> None:
    wanted = _digest(HERE / "package-lock.json")
    stamp = NODE_MODULES / ".installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"npm ci: fetching the clients for Node.js into {NODE_MODULES}", flush=True)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=HERE, check=True)
    stamp.write_text(wanted)


def _install_virtual_environment() -> None:
    wanted = f"{sys.version_info[:2]} {_digest(PYTHON_LOCK)}"
    stamp = VENV / ".installed"
    if VENV_PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"pip install: fetching the Python clients into {VENV}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    pip = [str(VENV_PYTHON), "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*pip, "-r", str(PYTHON_LOCK)], check=True)
    stamp.write_text(wanted)


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def node_version(package: str) -> str:
    """Return the version of an npm *package* that is installed."""
    return str(json.loads((NODE_MODULES / package / "package.json").read_text())["version"])


def python_version(package: str, *, executable: str) -> str:
    """Return the version of a Python *package* that *executable* would import."""
    own = executable == str(VENV_PYTHON)
    path = [str(folder) for folder in VENV.glob("lib/python*/site-packages")] if own else sys.path
    return next(iter(distributions(name=package, path=path))).version
