"""A running `authsvc dev` in each token format, and each page's guard in front of it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from authsvc import demo_credentials as demo
from tests.docs import accounts, software
from tests.docs.stacks import KINDS, Guarded, guarded
from tests.fixtures.process import ServerProcess

Json = dict[str, Any]


@dataclass(frozen=True)
class Authsvc:
    """The service, with its demo account and its demo client."""

    server: ServerProcess
    token_format: str

    def login(self) -> str:
        """Return a new access token of the demo account."""
        return str(self._sign_in()["access_token"])

    def refresh_token(self) -> str:
        return str(self._sign_in()["refresh_token"])

    def client_token(self) -> str:
        """Return a token that a client got for itself."""
        client = {
            "client_id": demo.DEMO_INTROSPECTING_CLIENT_ID,
            "client_secret": demo.DEMO_INTROSPECTING_CLIENT_SECRET,
        }
        return str(self._post("/token", {"grant_type": "client_credentials"} | client)["access_token"])

    def logout(self, token: str) -> None:
        answer = self.server.http.post("/logout", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 204

    def _sign_in(self) -> Json:
        return self._post("/login", {"username": demo.DEMO_USERNAME, "password": demo.DEMO_PASSWORD})

    def _post(self, path: str, form: dict[str, str]) -> Json:
        return dict(self.server.http.post(path, data=form).raise_for_status().json())


@contextmanager
def running_authsvc(folder: Path, token_format: str) -> Iterator[Authsvc]:
    """Start a service of its own; a test may stop it early."""
    settings = {"AUTHSVC_TOKEN_FORMAT": token_format, "AUTHSVC_DATA_DIR": str(folder / "data")}
    server = ServerProcess("dev", settings=settings, folder=folder)
    try:
        yield Authsvc(server.wait_until_serving(), token_format)
    finally:
        server.stop()


class Started:
    """What runs already, so that each service and each guard is started once, whatever the order of tests."""

    def __init__(self, after: ExitStack, folders: pytest.TempPathFactory) -> None:
        self._after = after
        self._folders = folders
        self._authsvc: dict[str, Authsvc] = {}
        self._guarded: dict[tuple[str, str], Guarded] = {}

    def authsvc(self, token_format: str) -> Authsvc:
        if token_format not in self._authsvc:
            starting = running_authsvc(self._folders.mktemp("authsvc"), token_format)
            self._authsvc[token_format] = self._after.enter_context(starting)
        return self._authsvc[token_format]

    def guarded(self, name: str, authsvc: Authsvc) -> Guarded:
        which = name, authsvc.token_format
        if which not in self._guarded:
            starting = guarded(KINDS[name], authsvc.server.port, self._folders.mktemp(name))
            self._guarded[which] = self._after.enter_context(starting)
        return self._guarded[which]


Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with ExitStack() as after:
        yield Started(after, tmp_path_factory)


@pytest.fixture(params=["jwt", "opaque"])
def authsvc(request: pytest.FixtureRequest, started: Started) -> Authsvc:
    return started.authsvc(request.param)


@pytest.fixture(params=list(KINDS))
def service(request: pytest.FixtureRequest, authsvc: Authsvc, started: Started) -> Guarded:
    """The guarded service of one page."""
    return started.guarded(request.param, authsvc)


@pytest.fixture
def ask(service: Guarded) -> Ask:
    """Send a request to the guarded service, with a token or without."""

    def send(
        token: str | None = None, path: str | None = None, method: str = "GET", **details: Any
    ) -> httpx.Response:
        headers = details.pop("headers", {}) | ({} if token is None else {"Authorization": f"Bearer {token}"})
        url = service.url if path is None else service.guard.url + path
        with httpx.Client(trust_env=False, timeout=10) as http:
            return http.request(method, url, headers=headers, **details)

    return send


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(software.summary())
    terminalreporter.write_line(accounts.summary())
