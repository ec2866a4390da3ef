"""`--json`: what each command prints for a script is what the page of commands says."""

from typing import Any

import pytest

from tests.command_line_page import PRINTED
from tests.fixtures.installation import Installation
from tests.fixtures.service import PASSWORD

# In this order: each finds what the ones before it made. {…} stands for a member of an earlier answer.
RUNS = {
    "db upgrade": "db upgrade",
    "db current": "db current",
    "users add": "users add ada --password-stdin",
    "users list": "users list",
    "users set-password": "users set-password ada --password-stdin",
    "users rename": "users rename ada grace",
    "users disable": "users disable grace",
    "users enable": "users enable grace",
    "users end-sessions": "users end-sessions grace",
    "users delete": "users delete grace",
    "clients add": "clients add orders --confidential",
    "clients list": "clients list",
    "clients set": "clients set {client_id} --name stock",
    "clients rotate-secret": "clients rotate-secret {client_id}",
    "clients disable": "clients disable {client_id}",
    "clients enable": "clients enable {client_id}",
    "keys list": "keys list",
    "keys rotate": "keys rotate",
    "keys revoke": "keys revoke {kid}",
    "keys reencrypt": "keys reencrypt",
    "db purge": "db purge",
    "doctor": "doctor",
    "openapi": "openapi",
}
WITH_A_SECRET = {"clients add": {"client_secret"}}


def test_every_command_prints_the_members_that_the_page_names(embedded: Installation) -> None:
    known: dict[str, str] = {}
    assert RUNS.keys() == PRINTED.keys()

    for name, words in RUNS.items():
        finished = embedded.run(*words.format(**known).split(), "--json", stdin=PASSWORD)
        printed: Any = finished.json()
        objects = printed if PRINTED[name].is_array else [printed]
        assert objects, name
        for one in objects:
            assert set(one) == {*PRINTED[name].members} | WITH_A_SECRET.get(name, set()), name
        known |= {member: value for member, value in objects[-1].items() if isinstance(value, str)}


@pytest.mark.parametrize(
    "words", ["user list", "users add", "users list --jsn", "clients rotate-secret id --overlap x"]
)
def test_a_command_that_is_misspelt_or_incomplete_exits_with_2_and_prints_nothing(
    embedded: Installation, words: str
) -> None:
    finished = embedded.run(*words.split(), "--json")

    assert (finished.status, finished.stdout) == (2, "")
