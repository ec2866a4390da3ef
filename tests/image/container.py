"""Run a program below a root folder, as a container engine runs one in an image. Needs root, and Linux."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

WHEELS = "/mnt"
"""Where a build finds the packages: Debian keeps that folder for such use."""

# In its own namespaces, so all of it goes with the program. The engine makes the same mounts.
_ENTER = r"""
set -eu
root=$1 hosts=$2 read_only=$3 tmp=$4 wheels=$5; shift 5
mount --bind "$root" "$root"
if [ -n "$wheels" ]; then mount --bind "$wheels" "$root/mnt"; fi
mount --bind "$hosts" "$root/etc/hosts"
mount --rbind /dev "$root/dev"
if [ -n "$read_only" ]; then mount -o remount,bind,ro "$root"; fi
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
if [ -n "$tmp" ]; then mount -t tmpfs -o "nosuid,nodev,noexec,mode=1777,$tmp" tmpfs "$root/tmp"; fi
exec chroot "$root" "$@"
"""
_ALONE = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
_UNPRIVILEGED = ["--no-new-privs", "--bounding-set=-all"]


@dataclass(frozen=True)
class Image:
    """A root folder and how its programs are started."""

    root: Path
    hosts: Path
    environment: Mapping[str, str] = field(
        default_factory=lambda: {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    )
    user: str = "0:0"
    folder: str = "/"
    command: tuple[str, ...] = ()
    health: tuple[str, ...] = ()

    def having(self, variables: Mapping[str, str]) -> "Image":
        """Return the same image with more variables set."""
        return replace(self, environment={**self.environment, **variables})

    @property
    def home(self) -> str:
        """What HOME is set to: the user's line in the image's /etc/passwd decides."""
        uid = self.user.partition(":")[0]
        lines = [line.split(":") for line in (self.root / "etc/passwd").read_text().splitlines()]
        return next((fields[5] for fields in lines if fields[2] == uid), "/")


def in_build(image: Image, command: list[str], *, wheels: Path) -> list[str]:
    """Return the command line that runs one step of a build."""
    packages = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": WHEELS}
    return _entering(image.having(packages), command, read_only=False, tmp="", wheels=str(wheels), drop=[])


def locked_up(image: Image, command: list[str], *, tmp: str) -> list[str]:
    """Return the command line that runs *command* with a read-only root and without any capability.

    *tmp* are the options of a file system in memory at /tmp; without them there is none.
    """
    return _entering(image, command, read_only=True, tmp=tmp, wheels="", drop=_UNPRIVILEGED)


def _entering(
    image: Image, command: list[str], *, read_only: bool, tmp: str, wheels: str, drop: list[str]
) -> list[str]:
    uid, gid = image.user.split(":")
    mounts = [str(image.root), str(image.hosts), "yes" if read_only else "", tmp, wheels]
    # `env` looks the program up on the image's own PATH, and every step replaces the one before: the
    # program ends up as process 1.
    become = ["/usr/bin/setpriv", "--reuid", uid, "--regid", gid, "--clear-groups", *drop, "--"]
    variables = [f"HOME={image.home}", *(f"{name}={value}" for name, value in image.environment.items())]
    program = ["/usr/bin/env", "-i", f"--chdir={image.folder}", *variables, *command]
    return [*_ALONE, "sh", "-c", _ENTER, "enter", *mounts, *become, *program]


def process_1(started: subprocess.Popen[bytes]) -> int:
    """Return the process id, seen from here, of the program that *started* runs."""
    children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()
    return int(children[0])
