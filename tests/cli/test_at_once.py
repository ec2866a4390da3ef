"""Commands go the same way as HTTP: what one of them withdrew is dead at a server that runs (P6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.fixtures.installation import Installation, Installer
from tests.fixtures.process import ServerProcess
from tests.fixtures.service import PASSWORD

NEW_PASSWORD = "another horse, another battery"
# No command touches this account.
BYSTANDER = "bystander"


@dataclass(frozen=True)
class Served:
    """A server on Postgres and Redis, the commands beside it, and a client that may introspect."""

    commands: Installation
    server: ServerProcess
    caller: httpx.BasicAuth

    def login(self, username: str, password: str = PASSWORD, **form: str) -> httpx.Response:
        return self.server.http.post("/login", data={"username": username, "password": password, **form})

    def tokens(self, username: str, **form: str) -> dict[str, Any]:
        response = self.login(username, **form)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def is_live(self, access_token: str) -> bool:
        asked = self.server.http.post("/introspect", data={"token": access_token}, auth=self.caller)
        assert asked.status_code == 200, asked.text
        return bool(asked.json()["active"])

    def refresh(self, refresh_token: str) -> httpx.Response:
        return self.server.http.post("/refresh", data={"refresh_token": refresh_token})


def serving(installation: Installation) -> Served:
    server = installation.start("serve")
    installation.add_account(BYSTANDER)
    return Served(installation, server.wait_until_serving(), installation.add_caller())


@pytest.fixture(scope="module", params=["jwt", "opaque"])
def served(request: pytest.FixtureRequest, installer: Installer) -> Iterator[Served]:
    with installer.installed("postgres", TOKEN_FORMAT=request.param) as made:
        yield serving(made)


@pytest.mark.parametrize(
    "command",
    [["disable"], ["delete"], ["end-sessions"], ["set-password", "--password-stdin"]],
    ids=lambda c: c[0],
)
def test_what_ends_an_accounts_sessions_is_seen_at_once(served: Served, command: list[str]) -> None:
    username = f"account-{command[0]}"
    served.commands.add_account(username)
    tokens, bystander = served.tokens(username), served.tokens(BYSTANDER)
    assert served.is_live(tokens["access_token"])

    served.commands.run("users", *command, username, stdin=NEW_PASSWORD).text()

    assert not served.is_live(tokens["access_token"])
    assert served.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert served.is_live(bystander["access_token"])


def test_the_number_of_ended_sessions_is_told(served: Served) -> None:
    served.commands.add_account("counted")
    for _ in range(3):
        served.tokens("counted")

    ended = served.commands.run("users", "end-sessions", "counted", "--json").json()

    assert ended == {"username": "counted", "sessions_ended": 3}
    assert served.commands.run("users", "end-sessions", "counted", "--json").json()["sessions_ended"] == 0


def test_an_enabled_account_signs_in_again_and_its_old_tokens_stay_dead(served: Served) -> None:
    served.commands.add_account("returning")
    old = served.tokens("returning")
    served.commands.run("users", "disable", "returning").text()
    assert served.login("returning").json()["error"] == "invalid_grant"

    served.commands.run("users", "enable", "returning").text()

    assert not served.is_live(old["access_token"])
    assert served.is_live(served.tokens("returning")["access_token"])


def test_a_new_password_is_the_only_one_that_signs_in(served: Served) -> None:
    served.commands.add_account("changing")

    served.commands.run("users", "set-password", "changing", "--password-stdin", stdin=NEW_PASSWORD).text()

    assert served.login("changing", PASSWORD).status_code == 400
    assert served.login("changing", NEW_PASSWORD).status_code == 200


def test_a_renamed_account_signs_in_by_its_new_name_and_its_session_goes_on(served: Served) -> None:
    served.commands.add_account("maiden-name")
    tokens = served.tokens("maiden-name")

    served.commands.run("users", "rename", "maiden-name", "married-name").text()

    assert served.login("maiden-name").status_code == 400
    assert served.login("married-name").status_code == 200
    assert served.is_live(tokens["access_token"])
    assert served.refresh(tokens["refresh_token"]).status_code == 200


def test_a_disabled_clients_tokens_are_dead_until_it_is_enabled(served: Served) -> None:
    client_id = served.commands.add_client()["client_id"]
    access_token = served.tokens(BYSTANDER, client_id=client_id)["access_token"]
    assert served.is_live(access_token)

    served.commands.run("clients", "disable", client_id).text()
    assert not served.is_live(access_token)
    assert served.login(BYSTANDER, client_id=client_id).status_code == 401

    served.commands.run("clients", "enable", client_id).text()
    assert served.is_live(access_token)


def test_a_rotated_secret_works_and_the_old_one_only_within_its_overlap(served: Served) -> None:
    client = served.commands.add_client("--confidential", "--introspect")
    client_id, first = client["client_id"], client["client_secret"]

    def knows(secret: str) -> bool:
        asked = served.server.http.post("/introspect", data={"token": "none"}, auth=(client_id, secret))
        return asked.status_code == 200

    def rotate(*options: str) -> str:
        rotated = served.commands.run("clients", "rotate-secret", client_id, *options, "--json").json()
        return str(rotated["client_secret"])

    second = rotate("--overlap", "3600")
    assert (knows(first), knows(second)) == (True, True)
    third = rotate()
    assert (knows(first), knows(second), knows(third)) == (False, False, True)


def test_a_client_that_lost_its_permission_is_told_of_its_own_tokens_only(served: Served) -> None:
    caller = served.commands.add_client("--confidential", "--introspect")
    auth = httpx.BasicAuth(caller["client_id"], caller["client_secret"])
    data = {"token": served.tokens(BYSTANDER)["access_token"]}
    assert served.server.http.post("/introspect", data=data, auth=auth).json()["active"] is True

    served.commands.run("clients", "set", caller["client_id"], "--no-introspect").text()

    assert served.server.http.post("/introspect", data=data, auth=auth).json() == {"active": False}


def test_what_a_revoked_key_signed_is_dead_at_once(installer: Installer) -> None:
    with installer.installed("postgres", TOKEN_FORMAT="jwt") as made:
        served = serving(made)
        access_token = served.tokens(BYSTANDER)["access_token"]
        assert served.is_live(access_token)

        made.run("keys", "revoke", made.run("keys", "list", "--json").json()[0]["kid"]).text()

        assert not served.is_live(access_token)
