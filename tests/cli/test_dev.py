"""`authsvc dev`: everything on an embedded default, for whoever has just cloned the repository."""

import json
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fixtures.command import environment
from tests.fixtures.database import query
from tests.fixtures.installation import Installation
from tests.fixtures.process import ServerProcess
from tests.fixtures.processes import free_port

LOGIN = {"username": "demo", "password": "correct horse battery staple"}
CALLER = httpx.BasicAuth("demo-service", "demo-service-secret")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A first start, in an empty folder, with no setting at all."""
    installation = Installation({}, tmp_path_factory.mktemp("clone"))
    try:
        yield installation.start("dev").wait_until_serving()
    finally:
        installation.stop()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder for the data that is not there yet, with a name that needs no care."""
    return tmp_path / "some data, 100% ours" / "of dev"


@pytest.fixture
def fresh(data: Path, tmp_path: Path) -> Installation:
    """Nothing set up, started inside this process, where it stops before it serves."""
    return Installation({"AUTHSVC_DATA_DIR": str(data)}, tmp_path)


def dev(installation: Installation, *options: str) -> str:
    return installation.run("dev", "--port", str(free_port()), *options).text()


def rows(data: Path, table: str) -> list[tuple[object, ...]]:
    return query(f"sqlite+aiosqlite:///{data}/authsvc.db", f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608 - a name of ours


def test_a_first_start_serves_the_demo_account_and_both_demo_clients(running: ServerProcess) -> None:
    as_public = running.http.post("/login", data=LOGIN | {"client_id": "demo-app"})
    assert as_public.status_code == 200

    described = running.http.post(
        "/introspect", data={"token": as_public.json()["access_token"]}, auth=CALLER
    ).json()

    assert (described["active"], described["username"], described["client_id"]) == (True, "demo", "demo-app")
    assert described["iss"] == running.url


def test_a_first_start_keeps_its_data_where_no_one_else_can_read_it(running: ServerProcess) -> None:
    folder = running.folder / ".authsvc"

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600
    assert len((folder / "secret").read_text()) >= 32
    assert (folder / "authsvc.db").is_file()


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_four_lines_it_prints_work_when_pasted_in_order(running: ServerProcess, shell: str) -> None:
    lines = [line for line in running.stdout.splitlines() if "curl " in line]
    assert len(lines) == 4

    pasted = subprocess.run(
        [shell],
        input="\n".join(lines),
        env=environment({"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    token, me, introspection, logged_out = pasted.stdout.splitlines()
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token)
    assert json.loads(me)["username"] == "demo"
    assert json.loads(introspection)["active"] is True
    assert logged_out.rstrip() == "HTTP/1.1 204 No Content"
    asked = running.http.post("/introspect", data={"token": token}, auth=CALLER)
    assert asked.json() == {"active": False}


def test_the_page_to_try_it_on_is_served_where_it_says(running: ServerProcess) -> None:
    assert f"authsvc is starting at {running.url} (try it in a browser: {running.url}/docs)" in running.stdout
    assert "Demo account: demo / correct horse battery staple\n" in running.stdout

    assert running.http.get("/docs").status_code == 200


def test_a_taken_port_is_a_sentence_with_another_one(running: ServerProcess, fresh: Installation) -> None:
    refused = fresh.run("dev", "--port", str(running.port)).refusal()

    assert refused == (
        f"127.0.0.1:{running.port} is taken by another program. Choose another: --port {running.port + 1}"
    )


def test_it_prepares_the_schema_the_keys_the_account_and_the_clients(fresh: Installation, data: Path) -> None:
    dev(fresh)

    assert [account[1] for account in rows(data, "account")] == ["demo"]
    assert [client[0] for client in rows(data, "client")] == ["demo-app", "demo-service", "public"]
    assert len(rows(data, "signing_key")) == 2
    assert rows(data, "session") == []


def test_a_second_start_keeps_the_data(fresh: Installation, data: Path) -> None:
    tables = ["account", "client", "signing_key"]
    dev(fresh)
    secret, before = (data / "secret").read_text(), [rows(data, table) for table in tables]

    dev(fresh)

    assert (data / "secret").read_text() == secret
    assert [rows(data, table) for table in tables] == before


def test_the_issuer_follows_the_port_and_the_host(fresh: Installation) -> None:
    port = free_port()

    assert f"authsvc is starting at http://localhost:{port} " in dev(
        fresh, "--port", str(port), "--host", "localhost"
    )
    assert f"curl -s http://[::1]:{port}/me" in dev(fresh, "--port", str(port), "--host", "::1")


def test_the_lines_to_paste_name_the_real_address_whatever_the_issuer_is(fresh: Installation) -> None:
    port = free_port()

    printed = dev(fresh.having(ISSUER="https://auth.example.com"), "--port", str(port))

    assert f"curl -s http://127.0.0.1:{port}/login" in printed
    assert "auth.example.com" not in printed


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])  # noqa: S104 - what is refused here
def test_it_serves_loopback_only(fresh: Installation, data: Path, host: str) -> None:
    refused = fresh.run("dev", "--host", host, "--port", str(free_port())).refusal()

    assert refused == (
        f"`authsvc dev` has a published password and so serves loopback only, not {host}. "
        "For other machines use: authsvc serve"
    )
    assert not data.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://authsvc:hunter2@db/authsvc"),
        ("REDIS_URL", "redis://:hunter2@cache/0"),
    ],
)
def test_it_refuses_the_stores_of_a_real_installation(
    fresh: Installation, data: Path, name: str, value: str
) -> None:
    refused = fresh.having(**{name: value}).run("dev", "--port", str(free_port())).refusal()

    assert refused.startswith(f"AUTHSVC_{name} is set, and `authsvc dev` uses only a database of its own.")
    assert "hunter2" not in refused
    assert not data.exists()


def test_a_misspelt_variable_is_refused(fresh: Installation) -> None:
    refused = fresh.having(TOKEN_FORMATS="opaque").run("dev", "--port", str(free_port())).refusal()

    assert refused == "AUTHSVC_TOKEN_FORMATS is no setting of authsvc. Did you mean AUTHSVC_TOKEN_FORMAT?"


def test_a_data_folder_that_is_a_file_is_a_sentence(fresh: Installation, data: Path) -> None:
    data.parent.mkdir()
    data.write_text("no folder")

    refused = fresh.run("dev", "--port", str(free_port())).refusal()

    assert refused == (
        f"AUTHSVC_DATA_DIR: the folder {data} cannot be used (File exists). "
        "Name one that you may write to: AUTHSVC_DATA_DIR=/path authsvc dev"
    )


def test_a_data_folder_below_a_thousand_others_is_a_sentence(fresh: Installation, data: Path) -> None:
    deep = fresh.having(DATA_DIR=f"{data}/{'a/' * 1_200}")

    refused = deep.run("dev", "--port", str(free_port())).refusal()

    assert "cannot be used (" in refused


def test_a_folder_whose_name_looks_encoded_is_taken_as_it_is(fresh: Installation, data: Path) -> None:
    encoded = fresh.having(DATA_DIR=f"{data}%20of#ours")

    dev(encoded)

    assert (data.parent / "of dev%20of#ours" / "authsvc.db").is_file()


def test_a_data_folder_that_cannot_be_made_is_a_sentence(fresh: Installation) -> None:
    refused = fresh.having(DATA_DIR="/proc/nowhere").run("dev", "--port", str(free_port())).refusal()

    assert refused.startswith("AUTHSVC_DATA_DIR: the folder /proc/nowhere cannot be used (")


def test_a_folder_that_holds_something_else_is_left_as_it_is(fresh: Installation, data: Path) -> None:
    data.mkdir(parents=True)
    data.chmod(0o755)
    (data / "thesis.tex").write_text("unfinished")

    refused = fresh.run("dev", "--port", str(free_port())).refusal()

    assert refused.startswith(
        f"AUTHSVC_DATA_DIR: the folder {data} cannot be used (it holds files of something else)."
    )
    assert stat.S_IMODE(data.stat().st_mode) == 0o755
    assert [file.name for file in data.iterdir()] == ["thesis.tex"]


def test_a_folder_that_others_may_read_is_closed_to_them(fresh: Installation, data: Path) -> None:
    data.mkdir(parents=True)
    data.chmod(0o755)

    dev(fresh)

    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_a_path_that_the_database_cannot_take_is_a_sentence(fresh: Installation, data: Path) -> None:
    refused = fresh.having(DATA_DIR=f"{data}?").run("dev", "--port", str(free_port())).refusal()

    assert "(the embedded database takes no path with a question mark)" in refused


def test_a_damaged_database_is_a_sentence(fresh: Installation, data: Path) -> None:
    dev(fresh)
    (data / "authsvc.db").write_bytes(b"\xff" * 4096)

    refused = fresh.run("dev", "--port", str(free_port())).refusal()

    assert refused.startswith(
        "The SQLite file is damaged, or no database at all: restore it, or name another"
    )


def test_the_data_folder_of_another_secret_is_a_sentence(fresh: Installation, data: Path) -> None:
    dev(fresh)
    (data / "secret").write_bytes(b"\xff\xfe")

    refused = fresh.run("dev", "--port", str(free_port())).refusal()

    assert refused.startswith("AUTHSVC_SECRET_KEYS needs secrets of at least 32 characters; ")
