"""Commands leave the same events in a log as requests do, and do not trouble a person with them."""

import json
from typing import Any
from unittest.mock import patch

import pytest

from tests.fixtures.installation import Installation
from tests.fixtures.service import PASSWORD, USERNAME


def events(stderr: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stderr.splitlines()]


def test_a_command_writes_its_event_where_no_person_looks(embedded: Installation) -> None:
    done = embedded.run("users", "add", USERNAME, "--password-stdin", "--json", stdin=PASSWORD)

    assert [event["event"] for event in events(done.stderr)] == ["account_changed"]
    event = events(done.stderr)[0]
    assert {name: event[name] for name in ("event", "level", "logger", "account_id", "change")} == {
        "event": "account_changed",
        "level": "info",
        "logger": "authsvc.audit",
        "account_id": done.json()["id"],
        "change": "added",
    }


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["users", "disable", USERNAME], ["account_changed"]),
        (["users", "rename", USERNAME, "grace"], ["account_changed"]),
        (["users", "set-password", USERNAME, "--password-stdin"], ["password_changed"]),
        (["clients", "add", "an app"], ["client_changed"]),
        (["clients", "disable", "public"], ["client_changed"]),
        (["keys", "rotate"], ["key_rotated"]),
    ],
    ids=lambda given: " ".join(given[:2]),
)
def test_each_change_is_an_event(embedded: Installation, command: list[str], expected: list[str]) -> None:
    embedded.add_account()

    done = embedded.run(*command, stdin="another horse, another battery")

    done.text()
    assert [event["event"] for event in events(done.stderr)] == expected


def test_a_command_that_changes_nothing_writes_no_event(embedded: Installation) -> None:
    embedded.add_account()

    assert embedded.run("users", "list").stderr == ""


def test_a_person_sees_what_the_command_prints_and_no_events(embedded: Installation) -> None:
    with patch("authsvc.cli.running._is_seen", lambda: True):
        done = embedded.run("users", "add", USERNAME, "--password-stdin", stdin=PASSWORD)

    assert done.text().startswith("Account made.")
    assert done.stderr == ""
