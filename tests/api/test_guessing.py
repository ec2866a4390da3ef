"""Guesses are counted before they are looked at, at every door, and a right one is given back (P17)."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
from pydantic import SecretStr

from authsvc.known_addresses import KNOWN_FOR
from tests.conftest import MakeService
from tests.fixtures.answers import assert_oauth_error, assert_problem
from tests.fixtures.guessing import ELSEWHERE, HASHES, HOME, Try, guess, log_in, statuses
from tests.fixtures.logs import written
from tests.fixtures.service import PASSWORD, USERNAME, Service
from tests.fixtures.stack import ADDRESS, SECRET

pytestmark = pytest.mark.only(
    "postgres-jwt", "sqlite-jwt", reason="a guess is counted before any token, in Redis or in the process"
)
HERE = ADDRESS[0]
OF_PAIR, OF_ADDRESS, OF_ACCOUNT = 3, 5, 7
EXHAUSTED_BY = [f"198.51.100.{number}" for number in range(OF_ACCOUNT)]
HOUR = 3600

Door = Callable[[Service, str], Awaitable[httpx.Response]]


@pytest.fixture
async def guarded(service: Service, service_with: MakeService) -> Service:
    """The service with limits so low that a test need not hash for long; USERNAME is an account."""
    await service.add_account()
    return await service_with(
        guesses_per_account_and_address=OF_PAIR,
        guesses_per_address=OF_ADDRESS,
        guesses_per_account=OF_ACCOUNT,
        hash_max_wait_seconds=60,
    )


async def by_login(service: Service, password: str) -> httpx.Response:
    return await service.post("/login", username=USERNAME, password=password)


async def by_token(service: Service, password: str) -> httpx.Response:
    return await service.post("/token", grant_type="password", username=USERNAME, password=password)


async def by_change(service: Service, password: str) -> httpx.Response:
    token = service.http.headers["X-Test-Token"]
    form = {"current_password": password, "new_password": "another correct horse battery"}
    return await service.as_user("POST", "/password", token, **form)


DOORS: dict[str, Door] = {"/login": by_login, "/token": by_token, "/password": by_change}


async def exhaust_account(service: Service) -> None:
    tries = [Try(address) for address in EXHAUSTED_BY]
    assert await statuses(service, tries) == {400: OF_ACCOUNT}
    assert (await guess(service, ELSEWHERE)).status_code == 429


@pytest.mark.parametrize("asked", DOORS)
@pytest.mark.parametrize("guessed_at", DOORS)
async def test_every_door_shares_the_counters(guarded: Service, guessed_at: str, asked: str) -> None:
    guarded.http.headers["X-Test-Token"] = (await guarded.login())["access_token"]
    wrong = [(await DOORS[guessed_at](guarded, "a wrong guess")).status_code for _ in range(OF_PAIR)]
    hashed = await guarded.metric(HASHES)

    refused = await DOORS[asked](guarded, PASSWORD)

    assert wrong == [403 if guessed_at == "/password" else 400] * OF_PAIR
    if asked == "/password":
        problem = assert_problem(refused, 429)
        assert problem["detail"] == "Too many wrong passwords. Wait before the next."
    else:
        assert_oauth_error(refused, 429, "temporarily_unavailable")
    assert refused.headers["retry-after"] == str(HOUR // OF_PAIR)
    assert await guarded.metric(HASHES) == hashed


@pytest.mark.demand("A-03")
async def test_parallel_guesses_do_not_outrun_the_limit(guarded: Service) -> None:
    hashed = await guarded.metric(HASHES)

    answers = await statuses(guarded, [Try(HERE)] * 40)

    assert answers == {400: OF_PAIR, 429: 40 - OF_PAIR}
    assert await guarded.metric(HASHES) == hashed + OF_PAIR


async def test_retry_after_is_kept(guarded: Service) -> None:
    for _ in range(OF_PAIR):
        await guess(guarded, HERE)
    interval = HOUR // OF_PAIR

    assert (await guess(guarded, HERE)).headers["retry-after"] == str(interval)
    guarded.clock.advance(seconds=interval - 1)
    assert (await guess(guarded, HERE)).headers["retry-after"] == "1"
    guarded.clock.advance(seconds=1)
    assert (await guess(guarded, HERE)).status_code == 400
    assert (await guess(guarded, HERE)).status_code == 429
    guarded.clock.advance(seconds=interval)
    assert (await log_in(guarded, HERE)).status_code == 200


async def test_an_address_is_limited_over_all_accounts(guarded: Service) -> None:
    names = [Try(HERE, username=f"somebody-{number}") for number in range(20)]

    assert await statuses(guarded, names) == {400: OF_ADDRESS, 429: 20 - OF_ADDRESS}
    assert (await log_in(guarded, HERE)).status_code == 429
    assert (await log_in(guarded, ELSEWHERE)).status_code == 200


@pytest.mark.parametrize(
    ("addresses", "evaluated"),
    [
        pytest.param([f"2001:db8:0:1:{n:x}::{n:x}" for n in range(20)], OF_PAIR, id="one /64"),
        pytest.param([f"2001:db8:0:{n:x}::1" for n in range(20)], OF_ACCOUNT, id="many /64"),
        pytest.param(
            ["192.0.2.9", "::ffff:192.0.2.9", "::ffff:c000:209"] * 3, OF_PAIR, id="one IPv4, mapped"
        ),
    ],
)
async def test_of_ipv6_the_64_is_an_address_and_a_mapped_ipv4_is_that(
    guarded: Service, addresses: list[str], evaluated: int
) -> None:
    answers = await statuses(guarded, [Try(address) for address in addresses])

    assert answers == {400: evaluated, 429: len(addresses) - evaluated}


async def test_an_account_is_limited_over_all_addresses(guarded: Service) -> None:
    await exhaust_account(guarded)

    refused = await log_in(guarded, ELSEWHERE)

    assert_oauth_error(refused, 429, "temporarily_unavailable")
    assert int(refused.headers["retry-after"]) == -(-HOUR // OF_ACCOUNT)
    guarded.clock.advance(seconds=-(-HOUR // OF_ACCOUNT))
    assert (await log_in(guarded, ELSEWHERE)).status_code == 200


@pytest.mark.parametrize("username", [USERNAME, USERNAME.upper(), "nobody@example.com", "no\x07name", " "])
async def test_a_name_that_is_nobodys_is_counted_alike(guarded: Service, username: str) -> None:
    answers = [await guess(guarded, HERE, username=username) for _ in range(OF_PAIR + 1)]

    assert [answer.status_code for answer in answers] == [400] * OF_PAIR + [429]
    known = await guess(guarded, HERE, username=USERNAME)
    assert known.json()["error"] in {"invalid_grant", "temporarily_unavailable"}
    assert answers[0].json()["error_description"] == "The username or the password is wrong."
    assert answers[-1].json()["error_description"] == "Too many wrong passwords. Wait before the next."


async def test_spellings_of_one_name_are_one_account(guarded: Service) -> None:
    spellings = [USERNAME, USERNAME.upper(), USERNAME.title(), USERNAME.swapcase()]

    answers = [(await guess(guarded, HERE, username=name)).status_code for name in spellings]

    assert answers == [400, 400, 400, 429]


async def test_right_passwords_do_not_count(guarded: Service) -> None:
    for _ in range(2 * OF_ACCOUNT):
        assert (await log_in(guarded, HERE)).status_code == 200
    token = (await guarded.login())["access_token"]
    guarded.http.headers["X-Test-Token"] = token

    assert (await by_change(guarded, PASSWORD)).status_code == 204
    assert [(await guess(guarded, HERE)).status_code for _ in range(OF_PAIR + 1)] == [400] * OF_PAIR + [429]


async def test_right_passwords_beside_each_other_are_told_to_come_again_in_a_second(guarded: Service) -> None:
    async with asyncio.TaskGroup() as group:
        logins = [group.create_task(log_in(guarded, HERE)) for _ in range(12)]

    answers = [login.result() for login in logins]
    assert Counter(answer.status_code for answer in answers)[200] >= OF_PAIR
    assert {answer.headers["retry-after"] for answer in answers if answer.status_code != 200} <= {"1"}
    assert (await log_in(guarded, HERE)).status_code == 200


async def test_the_right_password_of_a_disabled_account_counts_as_a_wrong_one(guarded: Service) -> None:
    accounts = guarded.stack.services.accounts
    await accounts.disable(await accounts.named(USERNAME))

    answers = [(await log_in(guarded, HERE)).status_code for _ in range(OF_PAIR + 1)]

    assert answers == [400] * OF_PAIR + [429]


async def test_a_guess_that_was_not_hashed_does_not_count(
    service: Service, service_with: MakeService
) -> None:
    await service.add_account()
    busy = await service_with(
        guesses_per_account_and_address=8, hash_threads=1, hash_max_wait_seconds=0.000_001
    )

    at_once = await statuses(busy, [Try(HERE)] * 8)
    one_by_one = [(await guess(busy, HERE)).status_code for _ in range(9 - at_once[400])]

    assert at_once[400] + at_once[503] == 8
    assert at_once[503] > 0
    assert one_by_one == [400] * (8 - at_once[400]) + [429]


@pytest.mark.demand("A-02")
async def test_where_the_owner_signed_in_lately_the_limit_over_all_addresses_does_not_hold(
    guarded: Service,
) -> None:
    assert (await log_in(guarded, HOME)).status_code == 200
    await exhaust_account(guarded)

    assert (await log_in(guarded, HOME)).status_code == 200
    assert (await log_in(guarded, ELSEWHERE)).status_code == 429
    others = [(await guess(guarded, HOME)).status_code for _ in range(OF_PAIR + 1)]
    assert others == [400] * OF_PAIR + [429]


async def test_an_address_stays_known_for_thirty_days_and_without_its_session(guarded: Service) -> None:
    tokens = (await log_in(guarded, HOME)).json()
    await guarded.as_user("POST", "/logout", tokens["access_token"])
    guarded.clock.advance(days=29)
    await guarded.stack.services.clean_up.turn()
    assert await guarded.sessions() == []
    await exhaust_account(guarded)

    assert (await log_in(guarded, HOME)).status_code == 200
    guarded.clock.now += KNOWN_FOR - timedelta(seconds=1)
    await exhaust_account(guarded)
    assert (await log_in(guarded, HOME)).status_code == 200
    guarded.clock.now += KNOWN_FOR
    await exhaust_account(guarded)
    assert (await log_in(guarded, HOME)).status_code == 429


async def test_known_addresses_outlive_a_change_of_the_servers_secret(
    guarded: Service, service_with: MakeService
) -> None:
    assert (await log_in(guarded, HOME)).status_code == 200
    keys = (SecretStr("another secret for tests, of more than 32"), SecretStr(SECRET))
    changed = await service_with(guesses_per_account=OF_ACCOUNT, secret_keys=keys)
    await exhaust_account(changed)

    assert (await log_in(changed, HOME)).status_code == 200


async def test_a_sign_in_from_where_the_last_one_came_leaves_the_account_alone(guarded: Service) -> None:
    await log_in(guarded, HOME)
    before = (await guarded.rows())["account"]
    guarded.clock.advance(hours=23)

    await log_in(guarded, HOME)
    assert (await guarded.rows())["account"] == before
    assert HOME not in str(before)
    guarded.clock.advance(hours=1)
    await log_in(guarded, HOME)
    assert (await guarded.rows())["account"] != before


async def test_a_wrong_password_makes_no_address_known(guarded: Service) -> None:
    await guess(guarded, HOME)
    await exhaust_account_but_one(guarded)

    assert (await log_in(guarded, HOME)).status_code == 429


async def exhaust_account_but_one(service: Service) -> None:
    assert await statuses(service, [Try(address) for address in EXHAUSTED_BY]) == {
        400: OF_ACCOUNT - 1,
        429: 1,
    }


async def test_a_refusal_is_counted_and_told_without_the_password(guarded: Service) -> None:
    for _ in range(OF_PAIR):
        await guess(guarded, HERE)
    before = await guarded.metric('authsvc_events_total{event="login_throttled"}')
    account = await guarded.stack.services.accounts.named(USERNAME)

    with written() as log:
        await guess(guarded, HERE, password="the secret guess")
        await guess(guarded, HERE, username="nobody")
        await guess(guarded, HERE, username="somebody")
        await guess(guarded, HERE, username="anybody")

    lines = log.events("login_throttled")
    assert [(line["limit"], line.get("account_id"), line["address"]) for line in lines] == [
        ("account and address", str(account.id), HERE),
        ("address", None, HERE),
    ]
    assert await guarded.metric('authsvc_events_total{event="login_throttled"}') == before + 2
    assert "the secret guess" not in log.text


async def test_clients_that_fail_are_counted_and_told_and_never_throttled(guarded: Service) -> None:
    client = await guarded.add_client()
    before = await guarded.metric('authsvc_events_total{event="client_authentication_failed"}')
    login = {"username": USERNAME, "password": PASSWORD}

    with written() as log:
        answers = [
            await guarded.http.post("/login", data=login, auth=(client.id, f"wrong {number}"))
            for number in range(2 * OF_ADDRESS)
        ]

    assert [answer.status_code for answer in answers] == [401] * (2 * OF_ADDRESS)
    lines = log.events("client_authentication_failed")
    assert {(line["client_id"], line["address"]) for line in lines} == {(client.id, HERE)}
    counted = await guarded.metric('authsvc_events_total{event="client_authentication_failed"}')
    assert counted == before + len(lines) == before + 2 * OF_ADDRESS
    assert (await guarded.post("/login", client, **login)).status_code == 200
