"""What a build needs from outside: a base to start from, and the packages of the lock."""

import re
import subprocess
import sys
from pathlib import Path

SUITE = "bookworm"
"""The Debian whose own Python is the one that the Dockerfile names."""
_PACKAGES = "python-is-python3,python3.11-venv,python3-distutils"


def make_base(folder: Path) -> None:
    """Make a root folder with Python, unless it is there already."""
    done = folder / "usr/bin/python"
    if done.exists():
        return
    options = ["--variant=minbase", f"--include={_PACKAGES}"]
    log = folder.with_suffix(".log")
    with log.open("wb") as output:
        made = subprocess.run(
            ["debootstrap", *options, SUITE, str(folder), _mirror()],
            stdout=output,
            stderr=output,
            check=False,
        )
    if made.returncode != 0 or not done.exists():
        sys.exit(f"debootstrap failed: {log.read_text()[-1000:]}")
    (folder / "etc/hosts").touch()


def _mirror() -> str:
    """Return where apt gets Debian from on this machine."""
    listed = ["apt-get", "indextargets", "--format", "$(SITE) $(CODENAME)", "Created-By: Packages"]
    lines = subprocess.run(listed, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    found = [line.split()[0] for line in lines if line.split()[1:] == [SUITE]]
    if not found:
        sys.exit(f"apt knows no mirror of Debian {SUITE} here")
    return found[0]


def fetch_wheels(lock: Path, folder: Path) -> None:
    """Fetch all packages of the lock for the base's Python; the build itself has no network."""
    folder.mkdir()
    # Without the markers: the Python that judges them is the base's, not this one.
    whole = folder / "lock"
    whole.write_text(re.sub(r" ; .* \\$", r" \\", lock.read_text(), flags=re.MULTILINE))
    for_base = ["--only-binary=:all:", "--python-version=3.11"]
    checked = ["--require-hashes", "--no-deps", "--requirement", str(whole)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *for_base, *checked]
    subprocess.run([*command, "--dest", str(folder)], check=True)


def python_of(base: Path) -> str:
    """Return the version of the base's Python, as 3.11."""
    asked = ["chroot", str(base), "python", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
