"""A real server and those who send slowly, too much, nothing, or what could be read in two ways."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.fixtures.answers import assert_oauth_error, assert_problem
from tests.fixtures.forms import FORM_TYPE
from tests.fixtures.installation import Installer
from tests.fixtures.process import ServerProcess
from tests.fixtures.service import PASSWORD, USERNAME
from tests.fixtures.wire import LIMIT_SECONDS, Wire, parsed, request, wire

MOST = 100
FORM = f"Content-Type: {FORM_TYPE}"
LOGIN = {"username": USERNAME, "password": PASSWORD}
HEALTH = request("GET", "/healthz")


@pytest.fixture(scope="module")
def server(installer: Installer) -> Iterator[ServerProcess]:
    """One server for all of them, with short times and few connections."""
    with installer.installed(
        "sqlite",
        HEADER_SECONDS="1",
        BODY_SECONDS="1",
        KEEP_ALIVE_SECONDS="3",
        MAX_CONNECTIONS=str(MOST),
    ) as made:
        made.add_account()
        yield made.start("serve").wait_until_serving()


@pytest.fixture
def patient(installer: Installer) -> Iterator[ServerProcess]:
    """One that is in no hurry, and has as few connections."""
    with installer.installed("sqlite", MAX_CONNECTIONS=str(MOST)) as made:
        made.add_account()
        yield made.start("serve").wait_until_serving()


@pytest.fixture(autouse=True)
def _is_well(server: ServerProcess) -> Iterator[None]:
    """Whatever was sent, somebody else can log in, and the log holds no traceback."""
    yield
    login = httpx.post(f"{server.url}/login", data=LOGIN, trust_env=False)
    assert login.status_code == 200
    assert "Traceback" not in server.stderr


def counted(server: ServerProcess, limit: str) -> float:
    lines = httpx.get(f"{server.url}/metrics", trust_env=False).text.splitlines()
    name = f'authsvc_requests_refused_total{{limit="{limit}"}} '
    return next((float(line.removeprefix(name)) for line in lines if line.startswith(name)), 0)


@pytest.mark.demand("A-10")
def test_slow_headers_are_cut_and_hold_up_nobody(server: ServerProcess) -> None:
    with ExitStack() as opened:
        slow = [opened.enter_context(wire(server.port)) for _ in range(MOST // 2)]
        for each in slow:
            each.send(b"GET /healthz HTTP/1.1\r\nHost: auth\r\nX-A")
        assert server.http.post("/login", data=LOGIN).status_code == 200

        for each in slow:
            answer = parsed(each.rest())
            assert_problem(answer, 408)
            assert answer.headers["connection"] == "close"


@pytest.mark.demand("A-10")
def test_bytes_that_trickle_in_lengthen_no_time_for_headers(server: ServerProcess) -> None:
    with wire(server.port) as slow:
        said = slow.dribble(b"GET /healthz HTTP/1.1\r\nX-Slow: " + b"a" * 5_000)

    assert_problem(parsed(said), 408)


@pytest.mark.demand("A-10")
def test_after_an_answer_the_next_headers_have_no_more_time(server: ServerProcess) -> None:
    with wire(server.port) as slow:
        slow.send(HEALTH)
        assert slow.answer().status_code == 200

        said = slow.dribble(b"GET /healthz HTTP/1.1\r\nX-Slow: " + b"a" * 5_000)

    assert_problem(parsed(said), 408)


@pytest.mark.demand("A-10")
@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_a_body_that_trickles_in_is_cut(server: ServerProcess, path: str) -> None:
    with wire(server.port) as slow:
        slow.send(request("POST", path, FORM, "Content-Length: 9000"))
        answer = parsed(slow.dribble(b"a" * 9_000))

    if path == "/login":
        assert_oauth_error(answer, 408, "invalid_request")
    else:
        assert_problem(answer, 408)
    assert answer.headers["connection"] == "close"


@pytest.mark.demand("A-10")
@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_after_a_body_that_did_not_come_nothing_is_read_any_more(server: ServerProcess, path: str) -> None:
    with wire(server.port) as slow:
        slow.send(request("POST", path, FORM, "Content-Length: 40", body=b"username="))
        assert slow.answer().status_code == 408
        slow.send(b"a" * 31 + HEALTH)

        assert slow.rest() == b""


@pytest.mark.demand("A-10")
def test_slow_bodies_hold_up_nobody(server: ServerProcess) -> None:
    with ExitStack() as opened:
        slow = [opened.enter_context(wire(server.port)) for _ in range(2 * MOST)]
        for each in slow:
            each.send(request("POST", "/login", FORM, "Content-Length: 900", body=b"username=ada"))

        for _ in range(10):
            assert httpx.post(f"{server.url}/login", data=LOGIN, trust_env=False).status_code == 200


def test_a_connection_that_asks_nothing_is_closed_without_a_word(server: ServerProcess) -> None:
    with wire(server.port) as silent:
        assert silent.rest() == b""


def test_an_idle_connection_is_closed_without_a_word(server: ServerProcess) -> None:
    with wire(server.port) as idle:
        idle.send(HEALTH)
        assert idle.answer().status_code == 200
        assert idle.rest() == b""


def test_line_ends_behind_a_request_are_no_request(server: ServerProcess) -> None:
    with wire(server.port) as old_fashioned:
        old_fashioned.send(HEALTH)
        assert old_fashioned.answer().status_code == 200
        old_fashioned.send(b"\r\n")

        assert old_fashioned.rest() == b""


def test_answers_that_nobody_reads_are_not_kept_for_ever(server: ServerProcess) -> None:
    before = counted(server, "read time")
    deadline = time.monotonic() + LIMIT_SECONDS
    with wire(server.port) as greedy:
        greedy.send(request("GET", "/docs/swagger-ui-bundle.js") * 20)
        while counted(server, "read time") == before:
            assert time.monotonic() < deadline, "they are still kept"
            time.sleep(0.05)

        # What had come so far is here, and then the end.
        assert greedy.rest().count(b"HTTP/1.1 200") < 20


def test_what_follows_a_refused_body_is_not_read_for_ever(server: ServerProcess) -> None:
    with wire(server.port) as sender:
        sender.send(request("POST", "/login", FORM, "Content-Length: 10000000"))
        assert_oauth_error(sender.answer(), 413, "invalid_request")

        assert sender.dribble(b"a" * 9_000) == b""


@pytest.mark.demand("A-08")
def test_ten_megabytes_are_refused_before_they_are_sent(server: ServerProcess) -> None:
    with wire(server.port) as declared:
        declared.send(request("POST", "/login", FORM, "Content-Length: 10000000"))
        assert_oauth_error(declared.answer(), 413, "invalid_request")
    with wire(server.port) as undeclared:
        undeclared.send(request("POST", "/login", FORM, "Transfer-Encoding: chunked"))
        for _ in range(80):
            undeclared.send(b"400\r\n" + b"a" * 1024 + b"\r\n")
        assert_oauth_error(undeclared.answer(), 413, "invalid_request")


@pytest.mark.demand("A-08")
def test_a_client_that_sends_all_of_ten_megabytes_is_told_why_not(server: ServerProcess) -> None:
    body = b"username=a&password=" + b"a" * 10_000_000

    response = httpx.post(
        f"{server.url}/login", content=body, headers={"Content-Type": FORM_TYPE}, trust_env=False
    )

    assert_oauth_error(response, 413, "invalid_request")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([f"X-{number}: a" for number in range(100)], id="101 headers"),
        pytest.param(["X-A: " + "a" * 33_000], id="one long header"),
        pytest.param([f"X-{number}: " + "a" * 1_000 for number in range(40)], id="40 headers of a kilobyte"),
    ],
)
def test_headers_that_are_too_large_are_431(server: ServerProcess, headers: list[str]) -> None:
    with wire(server.port) as sender:
        sender.send(request("GET", "/healthz", *headers))

        assert_problem(parsed(sender.rest()), 431)


def test_headers_without_an_end_are_431_and_not_kept(server: ServerProcess) -> None:
    with wire(server.port) as sender:
        sender.send(b"GET /healthz HTTP/1.1\r\nX-A: ")
        for _ in range(34):
            sender.send(b"a" * 1024)

        assert_problem(parsed(sender.rest()), 431)


def test_headers_without_an_end_behind_requests_in_work_are_not_kept(server: ServerProcess) -> None:
    body = f"username={USERNAME}&password=wrong".encode()
    login = request("POST", "/login", FORM, f"Content-Length: {len(body)}", body=body)
    with wire(server.port) as sender:
        sender.send(8 * login + b"GET /healthz HTTP/1.1\r\nX-A: ")
        # Read with the logins, in one piece, the headers would not be a piece that came behind them.
        assert sender.answer().status_code == 400
        sender.send(34 * 1024 * b"a")
        said = sender.rest()

    # Cut in the middle: an answer that says so would be taken for that of a login.
    assert said.count(b"HTTP/1.1 400") == said.count(b"HTTP/1.1 ") < 7


def test_ninety_headers_and_a_token_of_8_kib_fit(server: ServerProcess) -> None:
    headers = [f"X-{number}: {'a' * 200}" for number in range(90)]
    with wire(server.port) as sender:
        sender.send(request("GET", "/me", f"Authorization: Bearer {'a' * 8192}", *headers))

        assert sender.answer().status_code == 401


def established(port: int, opened: ExitStack) -> Wire:
    """A connection that has been used."""
    good = opened.enter_context(wire(port))
    good.send(HEALTH)
    assert good.answer().status_code == 200
    return good


@pytest.mark.demand("A-26")
def test_300_idle_connections_do_not_stop_others(patient: ServerProcess) -> None:
    closed_before = counted(patient, "connections")
    with ExitStack() as opened:
        good = established(patient.port, opened)
        idle = []
        for number in range(300):
            # Answered once, so it is known to wait behind all that came before it.
            idle.append(established(patient.port, opened))
            if number % 10 == 0:  # one that is in use is never the one that has waited longest
                good.send(HEALTH)
                assert good.answer().status_code == 200

        assert httpx.post(f"{patient.url}/login", data=LOGIN, trust_env=False).status_code == 200
        assert good.is_open
        assert sum(each.is_open for each in idle) <= MOST
        assert counted(patient, "connections") - closed_before >= 300 - MOST


@pytest.mark.demand("A-26")
def test_who_was_answered_and_keeps_a_body_back_holds_no_place(patient: ServerProcess) -> None:
    with ExitStack() as opened:
        for _ in range(MOST):
            keeping = opened.enter_context(wire(patient.port))
            keeping.send(
                HEALTH + request("POST", "/login", FORM, "Content-Length: 900", body=b"username=ada")
            )
            assert keeping.answer().status_code == 200

        for _ in range(5):
            assert httpx.post(f"{patient.url}/login", data=LOGIN, trust_env=False).status_code == 200


CONFLICTS = {
    "two lengths": ["Content-Length: 5", "Content-Length: 6"],
    "the same length twice": ["Content-Length: 5", "Content-Length: 5"],
    "a list of lengths": ["Content-Length: 5, 6"],
    "a length and chunks": ["Content-Length: 5", "Transfer-Encoding: chunked"],
    "chunks and a length": ["Transfer-Encoding: chunked", "Content-Length: 5"],
    "a length with a sign": ["Content-Length: +5"],
    "a negative length": ["Content-Length: -1"],
    "a length in hex": ["Content-Length: 0x5"],
    "no length": ["Content-Length: five"],
    "an endless length": ["Content-Length: " + "9" * 30],
    "chunks that are not last": ["Transfer-Encoding: chunked, identity"],
    "no coding that is known": ["Transfer-Encoding: xchunked"],
    "a control in the coding": ["Transfer-Encoding: \x0bchunked"],
    "a space before the colon": ["Transfer-Encoding : chunked"],
    "a folded coding": ["X-A: a", " b", "Transfer-Encoding:", " chunked", "Content-Length: 5"],
    "a NUL in a header": ["X-A: a\0b"],
    "a bare CR in a header": ["X-A: a\rContent-Length: 5"],
    "a header without a name": [": a"],
    "a chunk whose size is none": ["Transfer-Encoding: chunked", "", "0x5", "token", "0", ""],
    "a negative chunk": ["Transfer-Encoding: chunked", "", "-1", "token", "0", ""],
    "an endless chunk": ["Transfer-Encoding: chunked", "", "f" * 20, "token", "0", ""],
}


@pytest.mark.demand("A-21")
@pytest.mark.parametrize("headers", CONFLICTS.values(), ids=CONFLICTS)
def test_a_request_whose_end_is_in_doubt_is_refused_with_all_that_follows(
    server: ServerProcess, headers: list[str]
) -> None:
    with wire(server.port) as smuggler:
        smuggler.send(request("POST", "/logout", FORM, *headers, body=b"token" + HEALTH))
        answer = parsed(smuggler.rest())

    assert answer.status_code == 400
    assert b"ok" not in answer.content
    assert answer.headers["connection"] == "close"


def test_what_is_no_http_is_a_clean_400(server: ServerProcess) -> None:
    for sent in (
        b"\x16\x03\x01\x02\x00\x01",
        b"hello\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ):
        with wire(server.port) as stranger:
            stranger.send(sent)
            assert_problem(parsed(stranger.rest()), 400)


def test_an_answer_to_what_is_malformed_is_not_taken_for_that_of_the_request_before(
    server: ServerProcess,
) -> None:
    body = f"username={USERNAME}&password=wrong".encode()
    with wire(server.port) as sender:
        sender.send(
            request("POST", "/login", FORM, f"Content-Length: {len(body)}", body=body) + b"\0\0\0\r\n\r\n"
        )

        assert b"This is no request" not in sender.rest()


def test_an_upgrade_is_not_followed(server: ServerProcess) -> None:
    with wire(server.port) as asking:
        asking.send(
            request(
                "GET", "/healthz", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"
            )
        )

        assert asking.answer().json() == {"status": "ok"}


@pytest.mark.demand("A-21")
def test_a_request_behind_an_upgrade_keeps_its_body(server: ServerProcess) -> None:
    upgrade = request("GET", "/healthz", "Connection: Upgrade", "Upgrade: h2c")
    behind = request("POST", "/logout", "Content-Type: text/plain", f"Content-Length: {len(HEALTH)}")
    with wire(server.port) as sender:
        sender.send(upgrade + behind)
        assert sender.answer().json() == {"status": "ok"}
        sender.send(HEALTH)

        assert_problem(sender.answer(), 415)


CHUNKED = f"{len(HEALTH):x}\r\n".encode() + HEALTH + b"\r\n0\r\n\r\n"


@pytest.mark.demand("A-21")
@pytest.mark.parametrize("in_pieces", [False, True], ids=["at once", "in pieces"])
@pytest.mark.parametrize(
    ("framing", "body"),
    [
        pytest.param(f"Content-Length: {len(HEALTH)}", HEALTH, id="with a length"),
        pytest.param("Transfer-Encoding: chunked", CHUNKED, id="in chunks"),
        pytest.param("Content-Length: 0", b"", id="empty"),
    ],
)
def test_the_body_of_a_request_that_asks_for_an_upgrade_is_no_request(
    server: ServerProcess, framing: str, body: bytes, *, in_pieces: bool
) -> None:
    upgrade = request(
        "POST", "/logout", "Content-Type: text/plain", "Connection: Upgrade", "Upgrade: h2c", framing
    )
    last = request("GET", "/healthz", "Connection: close")
    with wire(server.port) as smuggler:
        for part in (upgrade, body, last) if in_pieces else (upgrade + body + last,):
            smuggler.send(part)
        said = smuggler.rest()

    assert said.startswith(b"HTTP/1.1 4")
    assert said.count(b"HTTP/1.1 ") == 2
    assert said.endswith(b'{"status":"ok"}')


TRAILED = ("Transfer-Encoding: chunked", "Content-Type: text/plain")


@pytest.mark.demand("A-21")
def test_a_line_behind_the_body_is_no_header(server: ServerProcess) -> None:
    """Proxies leave such lines alone: they could say who asks, and where from."""
    with wire(server.port) as sender:
        sender.send(request("GET", "/healthz", *TRAILED, body=b"0\r\nX-Request-Id: of-a-trailer\r\n\r\n"))
        assert sender.answer().headers["x-request-id"] != "of-a-trailer"
        sender.send(request("GET", "/healthz", "X-Request-Id: of-a-header"))

        assert sender.answer().headers["x-request-id"] == "of-a-header"


@pytest.mark.demand("A-10")
@pytest.mark.parametrize("line", [b"X:b\r\n", b"a"], ids=["many", "endless"])
def test_lines_behind_the_body_have_an_end(server: ServerProcess, line: bytes) -> None:
    before = counted(server, "headers")
    with wire(server.port) as sender:
        sender.send(request("POST", "/logout", *TRAILED, body=b"0\r\nX: "))
        for _ in range(200):
            sender.send(line * 4_000)
        sender.rest()

    assert counted(server, "headers") == before + 1


def test_headers_behind_a_request_in_one_packet_have_the_same_limit(server: ServerProcess) -> None:
    with wire(server.port) as sender:
        sender.send(HEALTH + request("GET", "/healthz", *[f"X-{n}: {'a' * 900}" for n in range(60)]))

        assert sender.rest().count(b'{"status":"ok"}') <= 1


def test_who_asks_for_an_upgrade_logs_in_as_ever(server: ServerProcess) -> None:
    """The client of Java's own library asks for HTTP/2 with each of its first requests."""
    body = f"username={USERNAME}&password={PASSWORD}".replace(" ", "+").encode()
    asking = (FORM, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAA")
    with wire(server.port) as client:
        for _ in range(2):
            client.send(request("POST", "/login", *asking, f"Content-Length: {len(body)}", body=body))

            assert client.answer().json()["token_type"] == "Bearer"


@pytest.mark.demand("A-21")
def test_a_coding_that_says_no_end_is_refused_with_an_upgrade_too(server: ServerProcess) -> None:
    with wire(server.port) as smuggler:
        asking = ("Connection: Upgrade", "Upgrade: h2c", "Transfer-Encoding: gzip")
        smuggler.send(request("POST", "/logout", FORM, *asking, body=HEALTH))

        assert b"ok" not in smuggler.rest()


def test_what_is_refused_before_it_is_a_request_has_the_headers_of_every_answer(
    server: ServerProcess,
) -> None:
    usual = server.http.get("/healthz").headers
    with wire(server.port) as stranger:
        stranger.send(b"hello\r\n\r\n")
        refused = parsed(stranger.rest()).headers

    safe = {"x-content-type-options", "referrer-policy", "content-security-policy", "cache-control"}
    assert {name: refused.get(name) for name in safe} == {name: usual[name] for name in safe}


@pytest.mark.demand("A-17")
@pytest.mark.parametrize(
    "target",
    [
        "http://evil.example/login",
        "//evil.example/",
        "/\\evil.example",
        "/%2f%2fevil.example",
        "/docs/../healthz",
        "/docs/%2e%2e/%2e%2e/etc/passwd",
        "/docs/..%2f..%2f..%2fetc%2fpasswd",
        "/docs/swagger-ui.css/../../errors.py",
        "/sessions/../metrics",
        "/healthz%00",
        "/healthz/",
        "/HEALTHZ",
        "/healthz;/",
        "/.git/config",
        "/.env",
    ],
)
def test_a_path_opens_nothing_and_leads_nowhere(server: ServerProcess, target: str) -> None:
    with wire(server.port) as asking:
        asking.send(request("GET", target, "X-Forwarded-Host: evil.example", "Connection: close"))
        answer = parsed(asking.rest())

    assert answer.status_code in {400, 404, 405}
    assert "evil.example" not in answer.text
    assert "location" not in answer.headers


@pytest.mark.demand("A-16")
@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "DEBUG", "TRACK", "PROPFIND", "get"])
def test_other_methods_get_nothing_from_a_real_server_either(server: ServerProcess, method: str) -> None:
    with wire(server.port) as asking:
        asking.send(request(method, "/healthz", "X-Secret: a-secret", "Connection: close"))
        answer = parsed(asking.rest())

    assert answer.status_code in {400, 405}
    assert "a-secret" not in answer.text
    assert answer.status_code == 400 or answer.headers["allow"] == "GET"
