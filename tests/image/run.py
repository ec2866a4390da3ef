"""Build the image and run compose.yaml without a container engine: `make image`.

It does what each line of both files says, in root folders of its own, and compares what it did with the
table of docs/container.md; `--write` writes that table. `BASE=folder` keeps the base for the next time.
Needs Linux, root, debootstrap, a Postgres and a Redis; packages come from wherever apt and pip get theirs.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.image import stores
from tests.image.base import fetch_wheels, make_base

REPOSITORY = Path(__file__).parents[2]
# In the network of its own every port is free, and nothing beyond this machine can be reached.
ALONE = ["unshare", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]


def main() -> int:
    """Prepare what needs a network, then do the rest where there is none."""
    lacking = stores.missing() or (None if shutil.which("debootstrap") else "debootstrap")
    if sys.platform != "linux" or os.geteuid() != 0 or lacking:
        need = f"; on Debian: apt-get install {lacking}" if lacking else ""
        print(f"This needs Linux and root, as a container engine does{need}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="authsvc-image-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the stores run as another user, in folders of their own below it
        base = Path(os.environ.get("BASE") or folder / "base").absolute()
        make_base(base)
        fetch_wheels(REPOSITORY / "requirements.lock", folder / "wheels")
        inside = [sys.executable, "-m", "tests.image.inside", str(folder), str(base), *sys.argv[1:]]
        return subprocess.run([*ALONE, *inside], cwd=REPOSITORY, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
