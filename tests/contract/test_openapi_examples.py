"""Every example of the OpenAPI document is true: `authsvc dev`, sent it as written, answers as shown."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import pytest

from tests.fixtures.documented import Exchange, Operation, generated, operations
from tests.fixtures.installation import Installation
from tests.fixtures.process import ServerProcess

OPERATIONS = {operation.id: operation for operation in operations(generated())}
EXCHANGES = [exchange for operation in OPERATIONS.values() for exchange in operation.exchanges]
FORMS = [operation for operation in OPERATIONS.values() if operation.form is not None]
# Nothing that a caller sends makes these answer an error.
ALWAYS_ANSWER = {"jwks", "metadata", "healthz", "readyz", "read_metrics"}
# What no single request of the right kind provokes; 413 and 415 are tried below, 408 in test_admission.py.
NEEDS_MORE_THAN_A_FORM = {408, 413, 415, 429, 503}


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """`authsvc dev` after its first start, with no setting at all."""
    installation = Installation({}, tmp_path_factory.mktemp("dev"))
    try:
        yield installation.start("dev").wait_until_serving()
    finally:
        installation.stop()


class EarlierAnswers:
    """What examples have in braces, got by sending other examples first."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._known: dict[str, str] = {}
        self._sources: dict[str, Callable[[], dict[str, str]]] = {
            "access_token": self._login,
            "refresh_token": self._login,
            "session_id": self._session,
            "client_access_token": self._client,
            "etag": lambda: {"etag": self._send("jwks", "keys").headers["etag"]},
        }

    def fill(self, text: str) -> str:
        """Return *text* with every name in braces replaced."""
        return re.sub(r"\{(\w+)\}", lambda match: self._value(match[1]), text)

    def _value(self, name: str) -> str:
        if name not in self._known:
            self._known |= self._sources[name]()
        return self._known[name]

    def _login(self) -> dict[str, str]:
        return dict(self._send("login", "demo").json())

    def _session(self) -> dict[str, str]:
        self._send("login", "client")  # so that there is a next page
        newest = self._send("list_sessions", "first_page").json()["sessions"][0]
        return {"session_id": newest["id"]}

    def _client(self) -> dict[str, str]:
        answer = self._send("token", "client_credentials").json()
        return {"client_access_token": answer["access_token"]}

    def _send(self, operation: str, name: str) -> httpx.Response:
        response = send(self._http, Exchange(OPERATIONS[operation], name), self)
        assert response.status_code == 200, response.text
        return response


def send(http: httpx.Client, exchange: Exchange, earlier: EarlierAnswers) -> httpx.Response:
    """Send the request of *exchange* as the document has it."""
    filled = {
        place: {name: earlier.fill(value) for name, value in exchange.parameters(place).items()}
        for place in ("path", "query", "header")
    }
    if exchange.authorization is not None:
        filled["header"]["Authorization"] = earlier.fill(exchange.authorization)
    form = exchange.form
    return http.request(
        exchange.operation.method.upper(),
        exchange.operation.path.format(**filled["path"]),
        params=filled["query"],
        headers=filled["header"],
        data=None if form is None else {name: earlier.fill(value) for name, value in form.items()},
    )


def assert_same_members(shown: Any, answered: Any) -> None:
    """Both have the same members at every depth; their values are another each time."""
    if isinstance(shown, dict):
        assert shown.keys() == answered.keys()
        for name, value in shown.items():
            assert_same_members(value, answered[name])
    elif isinstance(shown, list) and shown:
        assert answered
        for one in answered:
            assert_same_members(shown[0], one)


@pytest.mark.parametrize("exchange", EXCHANGES, ids=str)
def test_an_example_is_answered_as_the_document_shows(dev: ServerProcess, exchange: Exchange) -> None:
    response = send(dev.http, exchange, EarlierAnswers(dev.http))

    assert response.status_code == exchange.status, response.text
    exchange.operation.assert_documented(response)
    if exchange.body is None:
        return
    if isinstance(exchange.body, str):
        assert response.text.startswith(exchange.body)
    elif response.is_success:
        assert_same_members(exchange.body, response.json())
    else:
        assert response.json() == exchange.body


def test_the_document_served_is_the_one_whose_examples_are_sent(dev: ServerProcess) -> None:
    assert dev.http.get("/openapi.json").json() == generated()


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_every_answer_that_one_request_can_provoke_has_an_example(operation: Operation) -> None:
    shown = {exchange.status for exchange in operation.exchanges}

    assert shown == operation.statuses - NEEDS_MORE_THAN_A_FORM
    assert any(200 <= status < 300 for status in shown)
    assert any(400 <= status < 500 for status in shown) != (operation.id in ALWAYS_ANSWER)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_no_example_stands_alone(operation: Operation) -> None:
    """A request without its answer, or an answer without its request, could not be tried."""
    names = {exchange.name for exchange in operation.exchanges}
    bodies = [(status, operation.body(status)) for status in operation.statuses]

    assert operation.form is None or set(operation.form["examples"]) == names
    for status, body in bodies:
        answered = {exchange.name for exchange in operation.exchanges if exchange.status == status}
        assert body is None or set(body[1].get("examples", {})) == answered


@pytest.mark.parametrize("operation", FORMS, ids=lambda operation: str(operation.id))
@pytest.mark.parametrize(
    ("status", "content", "media_type"),
    [
        (413, b"x=" + b"x" * 65_536, "application/x-www-form-urlencoded"),
        (415, b"{}", "application/json"),
    ],
    ids=["too large", "no form"],
)
def test_a_body_that_is_refused_unread_gets_the_error_that_is_documented(
    dev: ServerProcess, operation: Operation, status: int, content: bytes, media_type: str
) -> None:
    earlier = EarlierAnswers(dev.http)
    ask = partial(dev.http.request, operation.method.upper(), operation.path, content=content)

    response = ask(
        headers={"Content-Type": media_type, "Authorization": earlier.fill("Bearer {access_token}")}
    )

    assert response.status_code == status, response.text
    operation.assert_documented(response)
    assert response.json() == operation.refusal(status)
