"""A refused login tells no names apart: not by its answer, and not by the work that was done for it."""

from typing import Any

import httpx
import pytest
from passlib.hash import argon2

from tests.fixtures.service import PASSWORD, USERNAME, Json, Service

# Around what the stacks of the suite are configured with.
OLD = "$argon2id$v=19$m=512,t=1,p=1"
POLICY = "$argon2id$v=19$m=1024,t=1,p=1"
DEARER = "$argon2id$v=19$m=2048,t=1,p=1"
WRONG = "a wrong password"
REFUSED: dict[str, Json] = {
    "wrong password": {"username": USERNAME, "password": WRONG},
    "unknown username": {"username": "nobody@example.com", "password": WRONG},
    "unknown username, a password that is somebody's": {"username": "nobody", "password": PASSWORD},
    "a name nobody can have": {"username": "no\nbody", "password": WRONG},
    "a lookalike": {"username": USERNAME.replace("a", "\u0430"), "password": PASSWORD},
    "a password in other letters": {"username": USERNAME, "password": PASSWORD.upper()},
    "a password cut": {"username": USERNAME, "password": PASSWORD[:-1]},
    "a password with a blank behind it": {"username": USERNAME, "password": PASSWORD + " "},
    "a blank": {"username": USERNAME, "password": " "},
    "a password nobody can have": {"username": USERNAME, "password": "\x07" * 20},
    "a password that is too long": {"username": USERNAME, "password": "x" * 1025},
    "a password that is far too long": {"username": USERNAME, "password": "x" * 60_000},
    "disabled account": {"username": "disabled", "password": PASSWORD},
    "disabled account, wrong password": {"username": "disabled", "password": WRONG},
    "deleted account": {"username": "deleted", "password": PASSWORD},
}


@pytest.fixture
async def people(service: Service) -> None:
    """An account that gets in, one that is disabled, one that was deleted."""
    accounts = service.stack.services.accounts
    for name in (USERNAME, "disabled", "deleted"):
        await service.add_account(name)
    await accounts.disable(await accounts.named("disabled"))
    await accounts.delete(await accounts.named("deleted"))


def as_sent(answer: httpx.Response) -> Any:
    """All of an answer, byte for byte, but for the id of its request."""
    headers = [(name, value) for name, value in answer.headers.raw if name.lower() != b"x-request-id"]
    return answer.status_code, headers, answer.content


@pytest.mark.demand("A-06", "A-13", "A-25")
@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("path", ["/login", "/token"])
async def test_nothing_in_an_answer_tells_names_apart(service: Service, path: str) -> None:
    grant = {} if path == "/login" else {"grant_type": "password"}

    answers = {what: as_sent(await service.post(path, **grant, **form)) for what, form in REFUSED.items()}

    first = answers["wrong password"]
    assert first[0] == 400
    assert {what: answer for what, answer in answers.items() if answer != first} == {}


@pytest.mark.demand("A-06")
@pytest.mark.usefixtures("people")
async def test_an_empty_password_is_missing_whoever_is_named(service: Service, costs: list[str]) -> None:
    # RFC 6749 §3.2 wants it so; it is refused before any name is looked up.
    answers = [
        as_sent(await service.post("/login", username=name, password=""))
        for name in (USERNAME, "nobody", "disabled", "no\nbody")
    ]

    assert answers[0][0] == 400
    assert answers == answers[:1] * 4
    assert costs == []


@pytest.mark.demand("A-12")
@pytest.mark.usefixtures("people")
async def test_a_password_of_a_megabyte_is_refused_before_any_name_is_looked_up(
    service: Service, costs: list[str]
) -> None:
    answers = [
        as_sent(await service.post("/login", username=name, password="x" * 1_000_000))
        for name in (USERNAME, "nobody")
    ]

    assert answers[0][0] == 413
    assert answers == answers[:1] * 2
    assert costs == []


def hashed(prefix: str) -> str:
    """A hash of PASSWORD of this cost."""
    memory, passes, lanes = (int(part.partition("=")[2]) for part in prefix.rpartition("$")[2].split(","))
    made = argon2.using(type="ID", memory_cost=memory, rounds=passes, parallelism=lanes).hash(PASSWORD)
    assert made.startswith(prefix)
    return str(made)


@pytest.fixture
async def several_costs(service: Service) -> list[str]:
    """Accounts of three costs; their names."""
    prefixes = [POLICY] * 6 + [OLD] * 3 + [DEARER] * 3
    for number, prefix in enumerate(prefixes):
        await service.add_account(f"account-{number}", password_hash=hashed(prefix))
    await service.stack.services.accounts.learn_hash_costs()
    return prefixes


async def cost(service: Service, costs: list[str], username: str) -> str:
    """What a refused login with this name costs: the parameters of the only hash that is computed for it."""
    costs.clear()
    before = await service.metric("authsvc_password_hash_seconds_count")
    answer = await service.post("/login", username=username, password=WRONG)
    assert answer.status_code == 400
    assert await service.metric("authsvc_password_hash_seconds_count") == before + 1
    assert len(costs) == 1
    return costs[0]


@pytest.mark.demand("A-05")
async def test_names_that_are_nobodys_cost_what_accounts_cost(
    service: Service, several_costs: list[str], costs: list[str]
) -> None:
    somebodys = [await cost(service, costs, f"account-{number}") for number in range(len(several_costs))]
    nobodys = [await cost(service, costs, f"nobody-{number}") for number in range(60)]

    assert somebodys == several_costs
    # Which name has which is as the server's secret will have it; of 60 each of three is there.
    assert set(nobodys) == {OLD, POLICY, DEARER}
    assert nobodys.count(POLICY) > nobodys.count(OLD)


@pytest.mark.demand("A-05")
@pytest.mark.usefixtures("several_costs")
async def test_a_name_that_is_nobodys_costs_the_same_in_every_spelling(
    service: Service, costs: list[str]
) -> None:
    for number in range(12):
        spellings = (f"zo\u00eb-{number}", f"ZO\u00cb-{number}", f"zoe\u0308-{number}")
        assert len({await cost(service, costs, spelling) for spelling in spellings}) == 1


async def test_where_all_hashes_are_of_the_policy_so_are_those_of_names_that_are_nobodys(
    service: Service, costs: list[str]
) -> None:
    await service.add_account()
    await service.stack.services.accounts.learn_hash_costs()

    assert {await cost(service, costs, name) for name in (USERNAME, "nobody", "no\nbody")} == {POLICY}


async def test_a_broken_stored_hash_costs_a_hash(service: Service) -> None:
    await service.add_account(password_hash="!")
    await service.stack.services.accounts.learn_hash_costs()

    assert (await service.post("/login", username=USERNAME, password=WRONG)).status_code == 400
    assert (await service.post("/login", username="nobody", password=WRONG)).status_code == 400
