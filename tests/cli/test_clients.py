"""`authsvc clients`: applications, as the operator handles them."""

import re
from collections.abc import Iterator

import pytest

from tests.fixtures.installation import Installation, Installer

SHOWN_ONCE = "The secret is shown this once; keep it where the application finds it."
NOBODY = "There is no client 'nobody'; list them with: authsvc clients list"


@pytest.fixture(scope="module")
def untouched(installer: Installer) -> Iterator[Installation]:
    """Only the client `public`; for commands that change nothing."""
    with installer.installed("sqlite") as made:
        yield made


def test_a_confidential_client_is_printed_with_its_secret_this_once(installation: Installation) -> None:
    record = installation.add_client("--confidential", "--introspect")

    assert list(record)[:2] == ["client_id", "client_secret"]
    assert re.fullmatch(r"[A-Za-z0-9]{43}", record["client_secret"])
    assert record["confidential"] is True
    assert record["introspect"] is True
    assert record["grants"] == ["client_credentials", "password", "refresh_token"]
    listed = installation.run("clients", "list", "--json")
    assert record["client_secret"] not in listed.stdout
    assert listed.json()[1] == {name: value for name, value in record.items() if name != "client_secret"}


def test_a_public_client_has_no_secret_and_not_the_grant_that_needs_one(installation: Installation) -> None:
    record = installation.add_client()

    assert "client_secret" not in record
    assert record["confidential"] is False
    assert record["grants"] == ["password", "refresh_token"]
    assert (record["scope"], record["default_scope"]) == (["account"], ["account"])


def test_people_are_told_that_a_secret_is_shown_once(embedded: Installation) -> None:
    with_secret = embedded.run("clients", "add", "orders", "--confidential").text()
    without = embedded.run("clients", "add", "shop").text()

    assert with_secret.startswith(f"Client registered. {SHOWN_ONCE}\n")
    assert re.search(r"^  client_secret    [A-Za-z0-9]{43}$", with_secret, re.MULTILINE)
    assert without.startswith("Client registered.\n")


def test_options_that_take_several_values_are_repeated(embedded: Installation) -> None:
    record = embedded.add_client(
        *("--confidential", "--scope", "read", "--scope", "write", "--default-scope", "read"),
        *("--grant", "client_credentials", "--grant", "password", "--audience", "https://orders.example.com"),
    )

    assert record["scope"] == ["read", "write"]
    assert record["default_scope"] == ["read"]
    assert record["grants"] == ["client_credentials", "password"]
    assert record["audience"] == "https://orders.example.com"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param(["--introspect"], "it may not introspect; add --confidential.", id="public introspects"),
        pytest.param(["--grant", "client_credentials"], "cannot have the grant", id="public, its own tokens"),
        pytest.param(["--grant", "authorization_code"], "There is no grant 'authorization_code'", id="grant"),
        pytest.param(["--scope", 'a"b'], "A scope is one or more names of printable ASCII", id="scope"),
        pytest.param(["--scope", "introspect"], "use --introspect.", id="scope introspect"),
        pytest.param(["--scope", "a", "--default-scope", "b"], "The default scope holds 'b'", id="default"),
        pytest.param(["--audience", ""], "A client's audience is", id="empty audience"),
        pytest.param(["--audience", "a\nb"], "A client's audience is", id="audience of two lines"),
    ],
)
def test_a_client_that_cannot_be_is_refused_with_a_sentence(
    untouched: Installation, options: list[str], sentence: str
) -> None:
    assert sentence in untouched.run("clients", "add", "a client", *options).refusal()
    assert [client["client_id"] for client in untouched.run("clients", "list", "--json").json()] == ["public"]


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\udcff"], ids=["empty", "blank", "two lines", "no UTF-8"])
def test_a_name_that_cannot_be_shown_is_refused(untouched: Installation, name: str) -> None:
    refused = untouched.run("clients", "add", name)

    assert refused.refusal() == "A client's name is printable text on one line, and not empty."


@pytest.mark.parametrize(
    "command",
    [["set", "--name", "shop"], ["rotate-secret"], ["disable"], ["enable"]],
    ids=lambda command: command[0],
)
def test_a_client_that_is_not_there_is_a_sentence(untouched: Installation, command: list[str]) -> None:
    assert untouched.run("clients", *command, "nobody", "--json").refusal() == NOBODY


def test_a_change_leaves_what_it_does_not_name(installation: Installation) -> None:
    record = installation.add_client("--confidential", "--scope", "read", "--scope", "write")
    del record["client_secret"]

    changed = installation.run(
        "clients", "set", record["client_id"], "--grant", "refresh_token", "--introspect", "--json"
    ).json()

    assert changed == record | {"grants": ["refresh_token"], "introspect": True}
    assert installation.run("clients", "list", "--json").json()[1] == changed


def test_a_new_scope_is_the_new_default_too_unless_that_is_named(embedded: Installation) -> None:
    client_id = embedded.add_client("--scope", "read", "--default-scope", "read")["client_id"]

    both = embedded.run("clients", "set", client_id, "--scope", "a", "--scope", "b", "--json").json()
    one = embedded.run("clients", "set", client_id, "--default-scope", "b", "--json").json()

    assert (both["scope"], both["default_scope"]) == (["a", "b"], ["a", "b"])
    assert (one["scope"], one["default_scope"]) == (["a", "b"], ["b"])


@pytest.mark.parametrize(
    "options",
    [["--introspect"], ["--grant", "client_credentials"], ["--default-scope", "unknown"]],
    ids=["introspect", "grant", "default scope"],
)
def test_a_change_that_cannot_be_changes_nothing(untouched: Installation, options: list[str]) -> None:
    before = untouched.run("clients", "list", "--json").json()

    untouched.run("clients", "set", "public", *options, "--name", "another").refusal()

    assert untouched.run("clients", "list", "--json").json() == before


def test_naming_nothing_to_change_says_so(untouched: Installation) -> None:
    assert untouched.run("clients", "set", "public").text().startswith("Nothing was named to change.\n")


def test_a_rotated_secret_is_another_one_and_printed_this_once(installation: Installation) -> None:
    client = installation.add_client("--confidential")

    rotated = installation.run("clients", "rotate-secret", client["client_id"], "--json").json()

    assert set(rotated) == {"client_id", "client_secret"}
    assert rotated["client_id"] == client["client_id"]
    assert rotated["client_secret"] != client["client_secret"]
    assert rotated["client_secret"] not in installation.run("clients", "list", "--json").stdout


def test_a_public_client_has_no_secret_to_rotate(untouched: Installation) -> None:
    refused = untouched.run("clients", "rotate-secret", "public")

    assert refused.refusal() == "Client 'public' is public and has no secret."


def test_disabling_is_seen_in_the_list_until_the_client_is_enabled(embedded: Installation) -> None:
    assert embedded.run("clients", "disable", "public", "--json").json() == {"client_id": "public"}
    assert embedded.run("clients", "list", "--json").json()[0]["disabled_at"] is not None

    assert embedded.run("clients", "enable", "public", "--json").json() == {"client_id": "public"}
    assert embedded.run("clients", "list", "--json").json()[0]["disabled_at"] is None
