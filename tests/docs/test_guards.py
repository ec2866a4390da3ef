"""Behind every page's guard: who gets in, who does not, and what the service hears of them."""

from contextlib import closing
from pathlib import Path
from secrets import token_hex

import pytest

from authsvc.demo_credentials import DEMO_ACCOUNT_ID, DEMO_INTROSPECTING_CLIENT_ID, DEMO_USERNAME
from tests.docs.conftest import Ask, Authsvc
from tests.docs.stacks import PROXIES, Guarded
from tests.docs.terminal import Terminal
from tests.fixtures.command import environment

FORGED = {
    name: "mallory"
    for field in ("User", "Subject", "Client", "Scope", "Session")
    for name in (f"X-Auth-{field}", f"x_auth_{field}", f"X-Auth_{field}", f"X_Auth-{field}")
}


@pytest.mark.parametrize("authsvc", ["jwt"], indirect=True)
def test_the_requests_of_the_page_are_answered_as_it_says(service: Guarded, tmp_path: Path) -> None:
    requests = service.page.commands_in("console")

    assert len(requests) >= 6
    with closing(Terminal(tmp_path, environment({}), log=tmp_path / "server.log")) as terminal:
        for request in requests:
            request.check(terminal.type(request.line))


def test_a_live_token_gets_in_and_the_service_hears_whose_it_is(authsvc: Authsvc, ask: Ask) -> None:
    answer = ask(authsvc.login())

    assert answer.status_code == 200
    assert DEMO_USERNAME in answer.json().values()


@pytest.mark.parametrize("token", [None, "rubbish", "asvc_at_rubbish", "a.b.c", "x" * 5000])
def test_a_stranger_is_told_to_bring_a_bearer_token(ask: Ask, token: str | None) -> None:
    answer = ask(token)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].lower().startswith("bearer")


def test_a_token_that_logged_out_is_refused_from_the_next_request_on(authsvc: Authsvc, ask: Ask) -> None:
    token = authsvc.login()
    before = ask(token)
    authsvc.logout(token)

    assert before.status_code == 200
    assert [ask(token).status_code for _ in range(3)] == [401, 401, 401]


def test_a_refresh_token_does_not_open_the_service(authsvc: Authsvc, ask: Ask) -> None:
    assert ask(authsvc.refresh_token()).status_code == 401


def test_a_token_without_the_demanded_scope_is_refused(authsvc: Authsvc, ask: Ask) -> None:
    assert ask(authsvc.login(), "/reports").status_code == 403


def test_a_stranger_with_forged_headers_is_refused(ask: Ask) -> None:
    assert ask(headers=FORGED).status_code == 401
    assert ask(path="/reports", headers=FORGED | {"X-Auth-Scope": "reports"}).status_code == 401


@pytest.mark.parametrize("service", PROXIES, indirect=True)
def test_no_request_of_a_stranger_reaches_the_service_behind(
    authsvc: Authsvc, service: Guarded, ask: Ask
) -> None:
    strangers, guests = f"/{token_hex()}", f"/{token_hex()}"
    assert service.backend
    ask(path=strangers, headers=FORGED)
    ask("rubbish", strangers, headers=FORGED)
    ask(path=strangers, method="POST", headers=FORGED, content=b"a body")
    ask(authsvc.login(), guests)

    assert guests in service.backend.log
    assert strangers not in service.backend.log


@pytest.mark.parametrize("service", PROXIES, indirect=True)
def test_headers_that_a_user_forges_are_replaced_or_removed(authsvc: Authsvc, ask: Ask) -> None:
    answer = ask(authsvc.login(), headers=FORGED)

    heard = [(name.replace("_", "-").lower(), value) for name, value in answer.json().items()]
    assert {value for name, value in heard if name == "x-auth-user"} == {DEMO_USERNAME}
    assert {value for name, value in heard if name == "x-auth-subject"} == {str(DEMO_ACCOUNT_ID)}


@pytest.mark.parametrize("service", PROXIES, indirect=True)
def test_no_forged_header_is_left_in_any_spelling(authsvc: Authsvc, ask: Ask) -> None:
    answer = ask(authsvc.login(), headers=FORGED)

    assert answer.status_code == 200
    assert "mallory" not in answer.text


@pytest.mark.parametrize("service", PROXIES, indirect=True)
def test_a_service_token_opens_it_without_a_name_and_forges_none(authsvc: Authsvc, ask: Ask) -> None:
    heard = ask(authsvc.client_token(), headers={"X-Auth-User": "mallory"}).json()

    assert heard["X-Auth-Subject"] == DEMO_INTROSPECTING_CLIENT_ID
    assert not heard.get("X-Auth-User")


@pytest.mark.parametrize("service", PROXIES, indirect=True)
def test_the_body_of_a_request_arrives_and_the_token_does_not(authsvc: Authsvc, ask: Ask) -> None:
    heard = ask(authsvc.login(), method="POST", content=b"two apples").json()

    assert heard["body"] == "two apples"
    assert "Authorization" not in heard
