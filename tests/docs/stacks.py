"""How each page's configuration or program is started: in an empty folder, beside nothing of the system's."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.docs.pages import AUTHSVC, BACKEND, GUARD, Page, swapped_ports
from tests.docs.servers import Program, serving
from tests.docs.software import APACHE, APACHE_MODULES, CADDY, NGINX, NODE, NODE_PACKAGES
from tests.fixtures.processes import free_port

BACKEND_PAGE = "docs/guard/README.md"

# What Debian's own nginx.conf does for a file of conf.d, without its user, its folders and its log.
_NGINX = """
daemon off;
{user}
pid nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include orders.conf;
}}
"""
# The modules that Debian enables by itself, and those that the page's `a2enmod` does.
_APACHE_MODULES = (
    "mpm_event",
    "authn_core",
    "authz_core",
    "authz_user",
    "headers",
    "oauth2",
    "proxy",
    "proxy_http",
)
_APACHE = """
ServerRoot {folder}
ServerName 127.0.0.1
DefaultRuntimeDir {folder}
PidFile apache.pid
ErrorLog /dev/stderr
User nobody
Group nogroup
StartServers 1
{modules}
Include orders.conf
"""


@dataclass(frozen=True)
class Kind:
    """One page, and how to start what it prints."""

    page: str
    language: str
    command: Callable[[Page, Path], list[str]]
    guarded_path: str = "/orders"
    away_status: int = 503

    @property
    def is_proxy(self) -> bool:
        return self.guarded_path == "/"


def nginx_with(page: Page, folder: Path) -> list[str]:
    nginx = NGINX.demand()
    (folder / "orders.conf").write_text(page.block("nginx"))
    # Started by root it would work as another user, who may not enter the test's folder.
    (folder / "nginx.conf").write_text(_NGINX.format(user="user root;" if os.geteuid() == 0 else ""))
    return [nginx, "-e", "stderr", "-p", str(folder), "-c", "nginx.conf"]


def _caddy(page: Page, folder: Path) -> list[str]:
    caddy = CADDY.demand()
    # Its administration listens on a port of its own, which another Caddy may have.
    (folder / "Caddyfile").write_text("{\n\tadmin off\n}\n" + page.block("caddyfile"))
    return [
        "/usr/bin/env",
        f"HOME={folder}",
        f"XDG_DATA_HOME={folder}",
        f"XDG_CONFIG_HOME={folder}",
        caddy,
        "run",
    ]


def _apache(page: Page, folder: Path) -> list[str]:
    apache = APACHE.demand()
    modules = [f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so" for name in _APACHE_MODULES]
    (folder / "orders.conf").write_text(page.block("apache"))
    (folder / "apache.conf").write_text(_APACHE.format(folder=folder, modules="\n".join(modules)))
    return [apache, "-f", str(folder / "apache.conf"), "-DFOREGROUND"]


def _express(page: Page, folder: Path) -> list[str]:
    NODE.demand()
    (folder / "app.mjs").write_text(page.block("js"))
    (folder / "node_modules").symlink_to(NODE_PACKAGES)
    return _started_as_printed(page)


def _python(page: Page, folder: Path) -> list[str]:
    (folder / "app.py").write_text(page.block("python"))
    return _started_as_printed(page)


def _started_as_printed(page: Page) -> list[str]:
    """Run the line that the page says starts it, with the programs of this environment first."""
    line = page.commands_in("sh")[-1].line
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return [str(shutil.which("sh")), "-c", f'PATH="{path}"; exec env {line}']


PROXIES = {
    "nginx": Kind("docs/guard/nginx.md", "nginx", nginx_with, "/", 500),
    "caddy": Kind("docs/guard/caddy.md", "caddyfile", _caddy, "/", 502),
    "apache": Kind("docs/guard/apache.md", "apache", _apache, "/", 401),
}
PROGRAMS = {
    "express": Kind("docs/guard/express.md", "js", _express),
    "fastapi": Kind("docs/guard/fastapi.md", "python", _python),
    "flask": Kind("docs/guard/flask.md", "python", _python),
}
KINDS = PROXIES | PROGRAMS


@dataclass(frozen=True)
class Guarded:
    """A service that runs behind its guard."""

    kind: Kind
    page: Page
    guard: Program
    backend: Program | None

    @property
    def url(self) -> str:
        return self.guard.url + self.kind.guarded_path

    def get(self, path: str, token: str) -> httpx.Response:
        """Fetch *path* with *token*."""
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(self.guard.url + path, headers=headers, trust_env=False, timeout=10)


@contextmanager
def guarded(
    kind: Kind, authsvc_port: int, folder: Path, change: Callable[[str], str] = lambda text: text
) -> Iterator[Guarded]:
    """Start what the page prints, in front of the service of README.md where it needs one."""
    ports = {AUTHSVC: authsvc_port, GUARD: free_port(), BACKEND: free_port()}
    page = Page(kind.page, swapped_ports(ports))
    command = kind.command(page, folder)
    for file in folder.glob("app.*"):
        file.write_text(change(file.read_text()))
    guard = Program("guard", command, folder=folder, port=ports[GUARD])
    with serving(guard):
        if not kind.is_proxy:
            yield Guarded(kind, page, guard, None)
            return
        (folder / "backend.py").write_text(Page(BACKEND_PAGE, swapped_ports(ports)).block("python"))
        backend = Program("backend", [sys.executable, "backend.py"], folder=folder, port=ports[BACKEND])
        with serving(backend):
            yield Guarded(kind, page, guard, backend)
