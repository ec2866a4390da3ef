"""`authsvc users`: accounts, as the operator handles them. With a server that runs: `test_at_once.py`."""

from collections.abc import Iterator

import pytest

from tests.fixtures.installation import Installation, Installer
from tests.fixtures.service import PASSWORD, USERNAME

NOBODY = "There is no account 'nobody'; list them with: authsvc users list"


@pytest.fixture(scope="module")
def populated(installer: Installer) -> Iterator[Installation]:
    """One account; for commands that change nothing."""
    with installer.installed("sqlite") as made:
        made.add_account()
        yield made


def test_an_added_account_is_printed_as_one_json_object_without_its_password(
    installation: Installation,
) -> None:
    record = installation.add_account()

    assert set(record) == {"id", "username", "created_at", "disabled_at"}
    assert (record["username"], record["disabled_at"]) == (USERNAME, None)
    assert installation.run("users", "list", "--json").json() == [record]


def test_an_added_account_is_shown_to_people_as_a_sentence_and_its_fields(embedded: Installation) -> None:
    shown = embedded.run("users", "add", USERNAME, "--password-stdin", stdin=PASSWORD).text()

    assert shown.startswith("Account made.\n")
    assert f"  username         {USERNAME}\n" in shown
    assert PASSWORD not in shown


@pytest.mark.parametrize("end", ["", "\n", "\r\n"], ids=["nothing", "LF", "CRLF"])
def test_the_end_of_the_line_is_no_part_of_a_password(embedded: Installation, end: str) -> None:
    shortest = "tidal fern 0472"
    embedded.run("users", "add", USERNAME, "--password-stdin", stdin=shortest + end).text()

    refused = embedded.run("users", "add", "grace", "--password-stdin", stdin="x" * 14 + end)

    assert refused.refusal() == "A password has 15 to 1,024 characters; this one has 14."


@pytest.mark.parametrize(
    ("name", "stdin", "sentence"),
    [
        pytest.param(USERNAME, PASSWORD, "The name 'ada@example.com' is taken; see:", id="name taken"),
        pytest.param(
            USERNAME.upper(), PASSWORD, "The name 'ADA@EXAMPLE.COM' is taken", id="taken, in capitals"
        ),
        pytest.param("grace hopper", PASSWORD, "A username has 1 to 255 characters", id="name with a space"),
        pytest.param("", PASSWORD, "A username has 1 to 255 characters", id="no name"),
        pytest.param("\udcff", PASSWORD, "A username has 1 to 255 characters", id="name of broken UTF-8"),
        pytest.param("grace", "too short", "A password has 15 to 1,024 characters", id="password too short"),
        pytest.param("grace", "x" * 1025, "this one has 1,025.", id="password too long"),
        pytest.param("grace", PASSWORD + "\0", "holds no control characters", id="password with NUL"),
        pytest.param("grace", PASSWORD + "\n\n", "holds no control characters", id="password of two lines"),
        pytest.param("grace", b"\xff" * 20, "standard input is no UTF-8", id="password of broken UTF-8"),
        pytest.param("grace", None, "There is no standard input", id="no standard input"),
    ],
)
def test_an_account_that_cannot_be_is_refused_with_a_sentence(
    populated: Installation, name: str, stdin: str | bytes | None, sentence: str
) -> None:
    refused = populated.run("users", "add", name, "--password-stdin", stdin=stdin)

    assert sentence in refused.refusal()
    assert [record["username"] for record in populated.run("users", "list", "--json").json()] == [USERNAME]


@pytest.mark.parametrize("command", ["add", "set-password"])
def test_without_a_terminal_a_password_is_asked_for_on_standard_input_only(
    populated: Installation, command: str
) -> None:
    refused = populated.run("users", command, USERNAME, stdin=PASSWORD)

    assert refused.refusal() == "There is no terminal to ask for a password; use --password-stdin."


@pytest.mark.parametrize(
    "command",
    [
        ["set-password", "nobody", "--password-stdin"],
        ["rename", "nobody", "somebody"],
        ["disable", "nobody"],
        ["enable", "nobody"],
        ["end-sessions", "nobody"],
        ["delete", "nobody"],
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["people", "json"])
def test_an_account_that_is_not_there_is_a_sentence(
    populated: Installation, command: list[str], options: list[str]
) -> None:
    assert populated.run("users", *command, *options, stdin=PASSWORD).refusal() == NOBODY


def test_a_name_is_found_in_whatever_case_it_is_typed(embedded: Installation) -> None:
    embedded.add_account()

    disabled = embedded.run("users", "disable", USERNAME.upper(), "--json").json()

    assert disabled == {"username": USERNAME.upper(), "sessions_ended": 0}
    assert embedded.run("users", "list", "--json").json()[0]["disabled_at"] is not None


def test_enabling_takes_the_date_away_and_disabling_twice_keeps_the_first(embedded: Installation) -> None:
    embedded.add_account()

    def disabled_at() -> str | None:
        date: str | None = embedded.run("users", "list", "--json").json()[0]["disabled_at"]
        return date

    embedded.run("users", "disable", USERNAME).text()
    first = disabled_at()
    embedded.run("users", "disable", USERNAME).text()
    assert disabled_at() == first
    enabled = embedded.run("users", "enable", USERNAME, "--json").json()
    assert enabled["disabled_at"] is None
    assert disabled_at() is None


def test_a_renamed_account_keeps_its_id_and_frees_its_old_name(installation: Installation) -> None:
    before = installation.add_account()

    renamed = installation.run("users", "rename", USERNAME, "Ada.Lovelace", "--json").json()

    assert renamed == before | {"username": "Ada.Lovelace"}
    assert installation.add_account(USERNAME)["id"] != before["id"]


def test_an_account_may_be_renamed_to_its_own_name_in_other_letters(embedded: Installation) -> None:
    embedded.add_account("ada")

    assert embedded.run("users", "rename", "ada", "Ada", "--json").json()["username"] == "Ada"


@pytest.mark.parametrize(
    ("new_name", "sentence"),
    [("grace", "The name 'grace' is taken"), ("two words", "A username has 1 to 255 characters")],
    ids=["taken", "impossible"],
)
def test_a_new_name_that_cannot_be_is_refused_and_the_old_one_stays(
    installation: Installation, new_name: str, sentence: str
) -> None:
    installation.add_account()
    installation.add_account("grace")
    before = installation.run("users", "list", "--json").json()

    refused = installation.run("users", "rename", USERNAME, new_name)

    assert sentence in refused.refusal()
    assert installation.run("users", "list", "--json").json() == before


def test_a_deleted_account_is_gone_from_the_list_and_its_name_is_free(installation: Installation) -> None:
    deleted = installation.add_account()

    assert installation.run("users", "delete", USERNAME, "--json").json()["username"] == USERNAME

    assert installation.run("users", "list", "--json").json() == []
    assert installation.run("users", "delete", USERNAME).refusal() == NOBODY.replace("nobody", USERNAME)
    assert installation.add_account()["id"] != deleted["id"]


def test_all_accounts_are_listed_oldest_first_and_tab_separated_into_a_pipe(embedded: Installation) -> None:
    added = ["zoe", "ada", "grace"]
    for name in added:
        embedded.add_account(name)

    lines = embedded.run("users", "list").text().splitlines()

    assert lines[0].split("\t") == ["id", "username", "created_at", "disabled_at"]
    assert [line.split("\t")[1] for line in lines[1:]] == added


def test_no_accounts_are_a_sentence_for_people_and_an_empty_array_for_scripts(embedded: Installation) -> None:
    assert embedded.run("users", "list").text() == "No accounts. Make one with: authsvc users add NAME\n"
    assert embedded.run("users", "list", "--json").json() == []
