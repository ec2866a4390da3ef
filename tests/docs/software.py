"""Which of the programs that the pages are about are on this machine. Nothing is installed from here."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

REQUIRE_REAL = "AUTHSVC_TEST_REQUIRE_REAL"
NODE_PACKAGES = Path(__file__).parent / "node_modules"
APACHE_MODULES = Path("/usr/lib/apache2/modules")
# A proxy is often installed where only root's PATH leads.
SEARCHED = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])


@dataclass(frozen=True)
class Software:
    """One program: whether it is there, and what to install if it is not."""

    name: str
    program: str
    cure: str
    is_required: bool = False
    is_complete: Callable[[], bool] = lambda: True

    @property
    def path(self) -> str | None:
        return self.found_in(SEARCHED)

    def found_in(self, folders: str) -> str | None:
        found = shutil.which(self.program, path=folders)
        return found if found and self.is_complete() else None

    def demand(self, folders: str = SEARCHED) -> str:
        """Return its path; without it skip the test, or fail it where a run must have it."""
        if path := self.found_in(folders):
            return path
        reason = f"{self.name} is not here: {self.cure}"
        if self.is_required and os.environ.get(REQUIRE_REAL) == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


NGINX = Software("nginx", "nginx", "apt-get install nginx-light", is_required=True)
CADDY = Software("Caddy", "caddy", "apt-get install caddy")
APACHE = Software(
    "Apache with mod_oauth2",
    "apache2",
    "apt-get install apache2 libapache2-mod-oauth2",
    is_complete=(APACHE_MODULES / "mod_oauth2.so").is_file,
)
NODE = Software(
    "Node.js with the packages of tests/docs",
    "node",
    "install Node.js 20 or later, then: npm ci --prefix tests/docs",
    is_required=True,
    is_complete=(NODE_PACKAGES / "express").is_dir,
)
# What an operator has beside the servers; a server that the suite started brings its own.
CLIENTS = tuple(
    Software(program, program, f"apt-get install {package}", is_required=True)
    for program, package in {
        "curl": "curl",
        "make": "make",
        "psql": "postgresql-client",
        "pg_dump": "postgresql-client",
        "pg_restore": "postgresql-client",
        "redis-cli": "redis-tools",
    }.items()
)
EVERY = (NGINX, CADDY, APACHE, NODE)


def summary() -> str:
    """Say in one line what is missing, for the end of a test run."""
    missing = [f"{one.name} ({one.cure})" for one in EVERY if one.path is None]
    return f"software of docs/guard: {'all here' if not missing else 'without ' + ', '.join(missing)}"
