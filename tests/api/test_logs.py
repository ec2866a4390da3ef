"""What is logged: every event of docs/logs-and-metrics.md, by doing the thing; and what never is."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from authsvc.secret_tokens import new_client_secret
from authsvc.storage.sessions import Session
from tests.conftest import MakeService
from tests.fixtures.installation import Installation
from tests.fixtures.logs import Written, written
from tests.fixtures.processes import free_port
from tests.fixtures.service import PASSWORD, USERNAME, Json, Registered, Service
from tests.fixtures.stack import ADDRESS, SECRET

FRAME = {"event", "level", "logger", "timestamp", "request_id", "address"}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def log() -> Iterator[Written]:
    """The log at the default level, for machines."""
    with written() as made:
        yield made


@pytest.fixture
def full_log() -> Iterator[Written]:
    """The log with everything in it."""
    with written(level="debug") as made:
        yield made


def fields(line: dict[str, Any]) -> dict[str, Any]:
    """What an event has of its own."""
    assert line["level"] == "info"
    assert line["logger"] == "authsvc.audit"
    return {name: value for name, value in line.items() if name not in FRAME}


def only(log: Written, event: str) -> dict[str, Any]:
    """The fields of an event that came once."""
    lines = log.events(event)
    assert len(lines) == 1, log.text
    return fields(lines[0])


def ids(session: Session) -> dict[str, Any]:
    """What every event of a session says of it."""
    return {
        "session_id": str(session.id),
        "account_id": str(session.account_id),
        "client_id": session.client_id,
    }


async def test_a_login_is_logged_with_its_account_client_and_session(service: Service, log: Written) -> None:
    account = await service.add_account()

    await service.login()

    [session] = await service.sessions()
    assert only(log, "login_succeeded") == {
        "account_id": str(account.id),
        "client_id": "public",
        "session_id": str(session.id),
    }
    assert len(log.objects()) == 1


@pytest.mark.parametrize("password", [PASSWORD + "?", ""], ids=["wrong", "missing"])
async def test_a_wrong_password_is_logged_with_the_account_only_if_it_was_compared(
    service: Service, log: Written, password: str
) -> None:
    account = await service.add_account()

    assert (await service.post("/login", username=USERNAME, password=password)).status_code == 400

    events = log.events("login_failed")
    said = {"account_id": str(account.id), "client_id": "public"}
    assert [fields(line) for line in events] == ([said] if password else [])


async def test_an_unknown_name_is_logged_without_it(service: Service, log: Written) -> None:
    # It may be a password that was typed into the wrong field.
    await service.post("/login", username="hunter2@example.com", password=PASSWORD)

    assert only(log, "login_failed") == {"client_id": "public"}
    assert "hunter2" not in log.text


async def test_a_login_to_a_disabled_account_is_logged_as_failed(service: Service, log: Written) -> None:
    account = await service.add_account()
    await service.stack.services.accounts.disable(account)

    await service.post("/login", username=USERNAME, password=PASSWORD)

    assert only(log, "login_failed") == {"account_id": str(account.id), "client_id": "public"}
    assert log.events("login_succeeded") == []


async def test_a_wrong_current_password_is_logged_as_a_failed_login(
    service: Service, signed_in: Json, log: Written
) -> None:
    await service.as_user(
        "POST",
        "/password",
        signed_in["access_token"],
        current_password=PASSWORD + "?",
        new_password=PASSWORD + "!",
    )

    assert set(only(log, "login_failed")) == {"account_id"}
    assert log.events("password_changed") == []


async def test_a_refresh_and_its_repeat_are_logged_with_session_client_and_generation(
    service: Service, signed_in: Json, log: Written
) -> None:
    await service.refreshed(signed_in["refresh_token"])
    await service.refreshed(signed_in["refresh_token"])

    [session] = await service.sessions()
    said = ids(session) | {"generation": "2"}
    assert only(log, "refresh_rotated") == said
    assert only(log, "refresh_repeated") == said


async def test_a_replay_is_logged_and_so_is_the_end_of_its_session(
    service: Service, signed_in: Json, log: Written
) -> None:
    await service.refreshed(signed_in["refresh_token"])
    service.clock.advance(seconds=10)

    await service.refresh(signed_in["refresh_token"])

    [session] = await service.sessions()
    assert only(log, "refresh_replayed") == ids(session)
    assert only(log, "session_ended") == ids(session) | {"reason": "refresh_token_replayed"}


async def test_a_refresh_token_ahead_of_the_database_is_logged(
    service: Service, signed_in: Json, log: Written
) -> None:
    ahead = await service.refreshed(signed_in["refresh_token"])
    await service.alter("session", generation=1)

    await service.refreshed(ahead["refresh_token"])

    [session] = await service.sessions()
    assert only(log, "refresh_ahead") == ids(session) | {"generation": "3"}


async def test_a_refused_refresh_is_logged_with_its_reason(
    service: Service, signed_in: Json, log: Written
) -> None:
    other = await service.add_client(confidential=False)
    [session] = await service.sessions()

    await service.refresh(signed_in["refresh_token"], other)
    service.clock.advance(days=15)
    await service.refresh(signed_in["refresh_token"])
    await service.stack.services.sessions.end(session.id, reason="logout")
    await service.refresh(signed_in["refresh_token"])

    assert [fields(line) for line in log.events("refresh_refused")] == [
        ids(session) | {"reason": reason} for reason in ("other client", "session expired", "session ended")
    ]


async def end_by_logout(service: Service, tokens: Json) -> None:
    await service.as_user("POST", "/logout", tokens["access_token"])


async def end_by_revocation(service: Service, tokens: Json) -> None:
    await service.post("/revoke", client_id="public", token=tokens["refresh_token"])


async def end_by_a_replay(service: Service, tokens: Json) -> None:
    await service.refreshed(tokens["refresh_token"])
    service.clock.advance(seconds=10)
    await service.refresh(tokens["refresh_token"])


async def end_by_a_new_password(service: Service, _: Json) -> None:
    account = await service.stack.services.accounts.named(USERNAME)
    await service.stack.services.accounts.set_password(account, PASSWORD + "!")


async def end_by_disabling(service: Service, _: Json) -> None:
    await service.stack.services.accounts.disable(await service.stack.services.accounts.named(USERNAME))


async def end_by_the_operator(service: Service, _: Json) -> None:
    account = await service.stack.services.accounts.named(USERNAME)
    await service.stack.services.sessions.end_all(account.id, reason="ended_by_operator")


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (end_by_logout, "logout"),
        (end_by_revocation, "revoked"),
        (end_by_a_replay, "refresh_token_replayed"),
        (end_by_a_new_password, "password_changed"),
        (end_by_disabling, "account_disabled"),
        (end_by_the_operator, "ended_by_operator"),
    ],
)
async def test_the_end_of_a_session_is_logged_with_its_reason(
    service: Service, signed_in: Json, log: Written, end: Any, reason: str
) -> None:
    [session] = await service.sessions()

    await end(service, signed_in)

    assert only(log, "session_ended") == ids(session) | {"reason": reason}


async def test_a_session_too_many_is_logged_as_the_end_of_the_oldest(
    service: Service, signed_in: Json, service_with: MakeService, log: Written
) -> None:
    [oldest] = await service.sessions()
    service.clock.advance(seconds=1)

    await (await service_with(sessions_per_account=1)).login()

    assert signed_in
    assert only(log, "session_ended") == ids(oldest) | {"reason": "too_many_sessions"}


async def test_a_withdrawn_access_token_is_logged_by_its_id(
    service: Service, caller: Registered, signed_in: Json, log: Written
) -> None:
    jti = (await service.introspect(signed_in["access_token"], caller))["jti"]

    await service.post("/revoke", client_id="public", token=signed_in["access_token"])

    [session] = await service.sessions()
    assert only(log, "token_revoked") == ids(session) | {"jti": jti}
    assert signed_in["access_token"] not in log.text


async def test_what_clients_do_is_logged_with_their_id(service: Service, log: Written) -> None:
    client = await service.add_client()

    await service.client_token(client)
    await service.post("/token", Registered(client.client, "wrong"), grant_type="client_credentials")
    await service.http.post("/token", data={"grant_type": "client_credentials"}, auth=("nobody", "wrong"))

    assert only(log, "client_changed") == {"client_id": client.id, "change": "added"}
    assert only(log, "client_tokens_issued") == {"client_id": client.id}
    assert [fields(line) for line in log.events("client_authentication_failed")] == [
        {"client_id": client.id},
        {},
    ]


async def test_a_new_password_is_logged_with_the_account(
    service: Service, signed_in: Json, log: Written
) -> None:
    token = signed_in["access_token"]

    changed = await service.as_user(
        "POST", "/password", token, current_password=PASSWORD, new_password=PASSWORD + "!"
    )

    assert changed.status_code == 204
    account = await service.stack.services.accounts.named(USERNAME)
    assert only(log, "password_changed") == {"account_id": str(account.id)}


async def test_changes_by_the_operator_are_logged_with_what_changed(service: Service, log: Written) -> None:
    accounts, clients = service.stack.services.accounts, service.stack.services.clients
    account = await accounts.add(USERNAME, PASSWORD)
    await accounts.rename(account, "grace@example.com")
    await accounts.disable(account)
    await accounts.enable(account)
    await accounts.delete(account)
    client = await service.add_client()
    await clients.change(client.id, name="another name", audience="https://api.example.com")

    assert [fields(line) for line in log.events("account_changed")] == [
        {"account_id": str(account.id), "change": change}
        for change in ("added", "renamed", "disabled", "enabled", "deleted")
    ]
    assert [fields(line)["change"] for line in log.events("client_changed")] == ["added", "audience name"]


async def test_changes_of_the_signing_keys_are_logged_with_the_key(service: Service, log: Written) -> None:
    rotation = service.stack.services.key_rotation
    promoted = await rotation.rotate()
    await rotation.revoke(promoted.kid)

    assert only(log, "key_rotated") == {"kid": promoted.kid, "signs_from": str(promoted.signs_from)}
    assert only(log, "key_revoked") == {"kid": promoted.kid}
    await service.stack.services.reload()


async def test_a_denial_that_redis_did_not_hear_of_is_logged(
    signed_in: Json, service_with: MakeService, log: Written
) -> None:
    lonely = await service_with(redis_url=SecretStr(f"redis://127.0.0.1:{free_port()}/0"))

    assert (await lonely.as_user("POST", "/logout", signed_in["access_token"])).status_code == 204

    reason = "it cannot be reached, or not in time"
    assert only(log, "denial_undelivered") == {"denials": "1", "reason": reason}


async def test_an_introspection_writes_no_line(
    service: Service, caller: Registered, signed_in: Json, log: Written
) -> None:
    for token in (signed_in["access_token"], signed_in["refresh_token"], "no token"):
        await service.post("/introspect", caller, token=token)
        await service.as_user("GET", "/verify", token)
        await service.as_user("GET", "/me", token)
    await service.http.get("/.well-known/jwks.json")
    await service.http.get("/readyz")

    assert log.text == ""


async def test_a_request_is_one_line_at_debug_with_route_status_and_time(
    service: Service, caller: Registered, full_log: Written
) -> None:
    await service.introspect("no token", caller)

    [line] = full_log.objects()
    assert line.pop("seconds") >= 0
    assert {name: line[name] for name in line.keys() - {"timestamp", "request_id"}} == {
        "event": "request",
        "level": "debug",
        "logger": "authsvc.request",
        "address": ADDRESS[0],
        "method": "POST",
        "route": "/introspect",
        "status": 200,
    }


async def test_a_line_says_when_in_utc_and_of_which_request_and_address(
    service: Service, log: Written
) -> None:
    before = datetime.now(UTC)

    answer = await service.post("/login", username=USERNAME, password=PASSWORD)

    [line] = log.objects()
    assert set(line) == FRAME | {"client_id"}
    assert line["timestamp"].endswith("Z")
    assert before <= datetime.fromisoformat(line["timestamp"]) <= datetime.now(UTC)
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["address"] == ADDRESS[0]


@pytest.mark.parametrize(
    ("sent", "request_id"),
    [
        pytest.param({"X-Request-ID": "order-66:a.b_c"}, "order-66:a.b_c", id="an id"),
        pytest.param({"X-Request-ID": "id" * 32}, "id" * 32, id="the longest id"),
        pytest.param({"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, TRACE, id="a trace"),
        pytest.param(
            {"X-Request-ID": "mine", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"},
            "mine",
            id="an id within a trace",
        ),
        pytest.param(
            {"X-Request-ID": "a b", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"},
            TRACE,
            id="a malformed id within a trace",
        ),
    ],
)
async def test_the_callers_id_is_logged_and_comes_back(
    service: Service, log: Written, sent: dict[str, str], request_id: str
) -> None:
    answer = await service.http.post(
        "/login", data={"username": USERNAME, "password": PASSWORD}, headers=sent
    )

    assert answer.headers["x-request-id"] == request_id
    assert [line["request_id"] for line in log.objects()] == [request_id]


MALFORMED = [
    pytest.param({"X-Request-ID": "x" * 65}, id="too long"),
    pytest.param({"X-Request-ID": "a b"}, id="a space"),
    pytest.param({"X-Request-ID": ""}, id="empty"),
    pytest.param({"X-Request-ID": "a\xff"}, id="not ASCII"),
    pytest.param({"X-Request-ID": 'a\n{"event": "login_succeeded"}'}, id="a line break"),
    pytest.param({"X-Request-ID": "a\r\n2026-01-01 [info] login_succeeded"}, id="another line break"),
    pytest.param({"traceparent": "00-" + "0" * 31 + "-00f067aa0ba902b7-01"}, id="a trace too short"),
    pytest.param({"traceparent": f"00-{TRACE.upper()}-00f067aa0ba902b7-01"}, id="a trace in capitals"),
    pytest.param({"traceparent": TRACE}, id="no trace"),
    pytest.param({"traceparent": "00-" + "0" * 32 + "-00f067aa0ba902b7-01"}, id="a trace of zeroes"),
    pytest.param({"traceparent": f"00-{TRACE}-{'0' * 16}-01"}, id="a trace without a parent"),
    pytest.param({"traceparent": f"ff-{TRACE}-00f067aa0ba902b7-01"}, id="a trace of no version"),
]


@pytest.mark.demand("A-20")
@pytest.mark.parametrize("sent", MALFORMED)
@pytest.mark.parametrize("style", ["json", "console"])
async def test_a_malformed_id_is_replaced_and_forges_no_line(
    service: Service, sent: dict[str, str], style: Any
) -> None:
    headers = [(name.encode(), given.encode("latin-1")) for name, given in sent.items()]
    with written(style) as log:
        answer = await service.http.post(
            "/login", data={"username": USERNAME, "password": PASSWORD}, headers=headers
        )

    assert answer.headers["x-request-id"] not in {*sent.values(), "0" * 32, TRACE}
    assert len(answer.headers["x-request-id"]) >= 32
    assert len(log.text.splitlines()) == 1
    assert "login_failed" in log.text
    assert "login_succeeded" not in log.text


FORGED = '\r\n{"event": "login_succeeded"}\u2028\u0085login_succeeded \x1b[2J'


@pytest.mark.demand("A-20")
@pytest.mark.parametrize("style", ["json", "console"])
async def test_line_breaks_in_a_form_forge_no_line(
    service: Service, caller: Registered, signed_in: Json, style: Any
) -> None:
    with written(style, "debug") as log:
        for path, form in {
            "/login": {"username": USERNAME + FORGED, "password": "x" + FORGED, "client_id": FORGED},
            "/token": {"grant_type": FORGED, "scope": FORGED},
            "/refresh": {"refresh_token": signed_in["refresh_token"] + FORGED},
            "/introspect": {"token": FORGED, "client_id": caller.id, "client_secret": FORGED},
            "/revoke": {"token": FORGED, "client_id": FORGED},
        }.items():
            await service.http.post(path, data=form)
        await service.http.get("/verify", params={"scope": FORGED}, headers={"User-Agent": "a browser"})
        await service.http.get("/" + FORGED.encode("unicode_escape").decode())
        await service.http.request("GET\tlogin_succeeded", "/me")

    assert len(log.text.splitlines()) == log.text.count("\n")
    assert "login_succeeded" not in log.text


@pytest.mark.demand("A-20")
@pytest.mark.parametrize("style", ["json", "console"])
async def test_an_address_that_a_proxy_made_up_forges_no_line(service: Service, style: Any) -> None:
    # What stands in X-Forwarded-For of a trusted proxy is taken as it is.
    transport = httpx.ASGITransport(service.stack.app, client=("::1\nlogin_succeeded", 1))
    with written(style) as log:
        async with httpx.AsyncClient(transport=transport, base_url="https://auth.example.test") as http:
            await http.post("/login", data={"username": USERNAME, "password": PASSWORD})

    assert len(log.text.splitlines()) == 1


TRICKS = "\x1b[2J\x1b]0;title\x07\x9b31m\u202egnp.exe\u2066\u200f\u2028\u2029\x85\x7f\r"


def is_shown_as_it_is(text: str) -> bool:
    """Whether nothing in *text* but the ends of its lines moves, colours, hides or turns what is shown."""
    return text.replace("\n", "").isprintable()


@pytest.mark.demand("A-20")
@pytest.mark.parametrize("style", ["json", "console"])
async def test_nothing_that_a_terminal_obeys_gets_into_a_line(service: Service, style: Any) -> None:
    transport = httpx.ASGITransport(service.stack.app, client=("::1" + TRICKS, 1))
    with written(style, "debug") as log:
        async with httpx.AsyncClient(transport=transport, base_url="https://auth.example.test") as http:
            await http.post("/login", data={"username": USERNAME, "password": PASSWORD})
        for name in ("authsvc.request", "uvicorn.error"):  # ours, and a library's
            logging.getLogger(name).warning("a path of %s", TRICKS)

    assert len(log.text.splitlines()) == 4
    assert is_shown_as_it_is(log.text)


class Failing:
    """An operation whose error holds what somebody sent."""

    async def exchange(self, *_: Any, **__: Any) -> None:
        raise RuntimeError(f"not this:\n2026-01-01T00:00:00Z [info     ] login_succeeded {TRICKS}\n{{}}")


@pytest.mark.demand("A-20")
@pytest.mark.parametrize("style", ["json", "console"])
async def test_the_text_of_an_error_forges_no_line(service_with: MakeService, style: Any) -> None:
    broken = await service_with()
    grant: Any = Failing()
    broken.stack.app.state.services = replace(broken.stack.services, password_grant=grant)
    with written(style, "info") as log:
        await broken.post("/login", username=USERNAME, password=PASSWORD)

    assert "unexpected_error" in log.text
    assert is_shown_as_it_is(log.text)
    # Each line of a traceback stands further in than a line of the log.
    first, *traceback = log.text.splitlines()
    assert "unexpected_error" in first
    assert all(line.startswith("    ") for line in traceback)


@pytest.mark.demand("A-19")
async def test_no_line_holds_a_password_a_token_or_a_secret_even_at_debug(
    service: Service, full_log: Written
) -> None:
    await service.add_account()
    client = await service.add_client(may_introspect=True, audience=None)
    another = await service.add_client(secret=new_client_secret())
    tokens = await service.login(client)
    newer = await service.refreshed(tokens["refresh_token"], client)
    own = await service.client_token(client)
    for token in (tokens["access_token"], newer["refresh_token"], own):
        await service.introspect(token, client)
        await service.as_user("GET", "/me", token)
        await service.as_user("GET", "/sessions", token)
        await service.http.get(f"/verify?scope=account&access_token={token}")
        await service.http.get(f"/{token}")
        await service.http.post("/introspect", data={"token": token}, auth=(another.secret, PASSWORD))
        await service.post("/revoke", another, token=token)
        await service.post("/login", client_id=token, username=token, password=another.secret)
    await service.as_user(
        "POST", "/password", newer["access_token"], current_password="x", new_password=PASSWORD
    )
    await service.post("/revoke", client, token=newer["access_token"])
    service.clock.advance(minutes=1)
    await service.refresh(tokens["refresh_token"], client)

    assert {"request", "login_succeeded", "refresh_replayed", "token_revoked"} <= {
        line["event"] for line in full_log.objects()
    }
    secrets = {
        PASSWORD,
        SECRET,
        service.password_hash,
        client.secret,
        another.secret,
        tokens["access_token"],
        tokens["refresh_token"],
        newer["access_token"],
        newer["refresh_token"],
        own,
    }
    assert [secret for secret in secrets if secret in full_log.text] == []


def test_every_line_that_serve_writes_is_one_json_object(embedded: Installation) -> None:
    embedded.add_account()
    server = embedded.having(LOG_LEVEL="debug").start("serve").wait_until_serving()
    answer = server.http.post("/login", data={"username": USERNAME, "password": PASSWORD})
    assert server.stop() == 0

    lines = [json.loads(line) for line in server.stderr.splitlines()]
    assert all(FRAME - {"request_id", "address"} <= set(line) for line in lines)
    assert all(line["timestamp"].endswith("Z") for line in lines)
    [login] = [line for line in lines if line["event"] == "login_succeeded"]
    assert login["request_id"] == answer.headers["x-request-id"]
    assert login["address"] == "127.0.0.1"
    assert PASSWORD not in server.stderr
