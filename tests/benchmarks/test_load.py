"""The load counts what it should, against the bare application that answers fixed bytes."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.loading import Load, Loader, Requests, WrongAnswer, get, post
from benchmarks.minting import damaged, strangers
from benchmarks.tally import Tally
from benchmarks.turns import Chains, Turns, with_refresh_token
from benchmarks.world import Echo, echoing

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores are chosen on Linux only")
BODY = {"active": True, "refresh_token": "asvc_rt_next"}


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    with echoing(httpx.Response(200, json=BODY)) as running:
        yield running


@pytest.fixture
def loader(tmp_path: Path) -> Iterator[Loader]:
    loader = Loader(tmp_path, os.sched_getaffinity(0))
    yield loader
    loader.close()


def test_the_reference_answers_the_very_bytes_that_it_was_told(echo: Echo) -> None:
    answers = [httpx.get(f"http://127.0.0.1:{echo.port}/", trust_env=False) for _ in range(2)]
    with echoing(answers[0]) as other:
        answers.append(httpx.get(f"http://127.0.0.1:{other.port}/", trust_env=False))

    told = [
        ([header for header in answer.headers.multi_items() if header[0] != "date"], answer.content)
        for answer in answers
    ]
    assert told[0] == told[1] == told[2]
    assert [len(answer.headers.get_list("date")) for answer in answers] == [1, 1, 1]


def test_no_more_requests_are_sent_than_there_are_to_be(loader: Loader, echo: Echo) -> None:
    load = loader.run(echo.port, loader.write([get("/")], expected="active", most=100), connections=8)

    assert (load.answers, load.statuses, load.wrong, load.lost) == (100, {"200": 100}, 0, 0)
    assert load.check("echo") is load


def test_a_200_that_does_not_say_what_it_should_makes_the_run_fail(loader: Loader, echo: Echo) -> None:
    load = loader.run(echo.port, loader.write([get("/")], expected="inactive", most=10), connections=2)

    with pytest.raises(WrongAnswer, match=r"(?s)echo: answers.*10 that say something else.*asvc_rt_next"):
        load.check("echo")


def test_a_chain_goes_on_with_what_the_last_answer_brought(loader: Loader, echo: Echo) -> None:
    first = [post("/refresh", {"refresh_token": f"asvc_rt_{number}"}) for number in range(3)]
    requests = loader.write(first, most=12, are_chains=True)

    loader.run(echo.port, requests, connections=3).check("echo")

    assert kept(requests) == [post("/refresh", {"refresh_token": "asvc_rt_next"})] * 3


@pytest.mark.parametrize(("lead", "in_time"), [(0.0, {"200": 5}), (0.2, {})], ids=["all of it", "too early"])
def test_in_time_is_what_comes_between_the_leads(
    loader: Loader, echo: Echo, lead: float, in_time: dict[str, int]
) -> None:
    requests = loader.write([get("/")], expected="active", most=5)

    loader.begin(echo.port, requests, connections=1, seconds=2, lead=lead)
    load = loader.end().check("echo")

    assert (load.statuses, load.in_time) == ({"200": 5}, in_time)


def test_what_comes_too_late_is_not_in_time() -> None:
    tally = Tally(b"")
    for step in (tally.begin_of_time, tally.end_of_time, lambda: None):
        tally.add(b"HTTP/1.1 200 OK", 0.0)
        step()

    assert (tally.statuses, tally.in_time) == ({200: 3}, {200: 1})


def kept(requests: Requests) -> list[bytes]:
    return [bytes.fromhex(line) for line in requests.file.read_text().split()]


@pytest.mark.parametrize(
    ("change", "is_good"),
    [({}, True), ({"lost": 1}, False), ({"statuses": {"200": 9, "500": 1}}, False), ({"answers": 0}, False)],
    ids=["good", "lost", "status", "nothing"],
)
def test_a_load_is_good_only_if_everything_was_answered(change: dict[str, object], is_good: bool) -> None:
    good: dict[str, object] = {"answers": 10, "statuses": {"200": 10}, "lost": 0}
    rest = {"seconds": 1.0, "p50": 0.1, "p99": 0.2, "in_time": {}, "wrong": 0, "example": ""}
    load = Load(**(good | rest | change))  # type: ignore[arg-type] # named as its fields are

    if is_good:
        assert load.check("it").rate == 10
    else:
        with pytest.raises(WrongAnswer):
            load.check("it")


def test_turns_are_taken_by_all_connections_from_one_list() -> None:
    turns = Turns([b"a", b"b"], most=3)

    assert [turns.first(0), turns.first(1), turns.after(0, b""), turns.after(1, b"")] == [
        b"a",
        b"b",
        b"a",
        None,
    ]


def test_each_chain_puts_its_own_token_into_its_next_request() -> None:
    one, two = (post("/refresh", {"refresh_token": name}) for name in ("one", "two"))
    chains = Chains([one, two], most=None)
    longer = json.dumps({"refresh_token": "one-and-more"}).encode()

    assert (chains.first(0), chains.first(1)) == (one, two)
    assert chains.after(0, longer) == post("/refresh", {"refresh_token": "one-and-more"})
    assert chains.rest() == [post("/refresh", {"refresh_token": "one-and-more"}), two]
    assert with_refresh_token(one, b"two") == two


def test_a_strangers_token_and_a_damaged_one_say_what_ours_says() -> None:
    claims = {"sub": "somebody"}
    key = ec.generate_private_key(ec.SECP256R1())
    ours = jwt.encode(claims, key, algorithm="ES256", headers={"kid": "ours"})

    for other in (strangers(ours), damaged(ours)):
        assert jwt.decode(other, options={"verify_signature": False}) == claims
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(other, key.public_key(), algorithms=["ES256"])
    assert jwt.get_unverified_header(damaged(ours))["kid"] == "ours"
