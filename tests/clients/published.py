"""The published clients that are tried: what each is, and how it is started."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.clients.packages import HERE, VENV_PYTHON, node_version, python_version

FORMATS = ("jwt", "opaque")
# Who checks tokens by the published keys has no use for any other.
JWT_ONLY = ("jwt",)


@dataclass(frozen=True)
class Client:
    """A program built on published packages, whose steps are reported in TAP."""

    packages: tuple[str, ...]
    command: list[str]
    version_of: Callable[[str], str]
    formats: tuple[str, ...] = FORMATS

    @property
    def name(self) -> str:
        """The packages it is built on."""
        return " and ".join(self.packages)

    @property
    def version(self) -> str:
        """The versions of those that are installed."""
        return ", ".join(self.version_of(package) for package in self.packages)


def node(*packages: str, file: str = "", formats: tuple[str, ...] = FORMATS) -> Client:
    """Return a client of npm, with its steps in `FILE.test.mjs`."""
    command = ["node", "--test-reporter=tap", str(HERE / f"{file or packages[0]}.test.mjs")]
    return Client(packages, command, node_version, formats)


def python(
    *packages: str, modules: list[str], formats: tuple[str, ...] = FORMATS, executable: str = sys.executable
) -> Client:
    """Return a client of PyPI, with its steps in `modules` and its packages where *executable* finds them."""
    command = [executable, "-m", "tests.clients.steps", *modules]
    return Client(packages, command, partial(python_version, executable=executable), formats)


CLIENTS = (
    node("oauth4webapi"),
    node("openid-client"),
    node("simple-oauth2"),
    node("@badgateway/oauth2-client", file="badgateway-oauth2-client"),
    node("jose", formats=JWT_ONLY),
    node("express-oauth2-jwt-bearer", formats=JWT_ONLY),
    node("passport-jwt", "jwks-rsa", formats=JWT_ONLY),
    python("Authlib", modules=["authlib_application", "authlib_resource_server"]),
    python("PyJWT", modules=["pyjwt_resource_server"], formats=JWT_ONLY),
    python(
        "requests-oauthlib",
        "oauthlib",
        modules=["requests_oauthlib_application"],
        executable=str(VENV_PYTHON),
    ),
    python("httpx-oauth", modules=["httpx_oauth_application"], executable=str(VENV_PYTHON)),
)
