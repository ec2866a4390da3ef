"""A password that is easy to guess is refused where it is set, with the reason; no composition counts."""

import asyncio
import threading

import pytest

from authsvc.errors import Unprocessable
from tests.conftest import MakeService
from tests.fixtures.answers import assert_problem
from tests.fixtures.installation import Installation
from tests.fixtures.service import PASSWORD, USERNAME, Service

COMMON = "This password is on the list of common ones, which are tried first; choose another."
OWN_NAME = "This password is little more than the account's name; choose one without it."


async def refusal(service: Service, new: str) -> str:
    """What /password says of *new*; nothing has changed afterwards."""
    tokens = await service.login()
    before = await service.contents()

    response = await service.as_user(
        "POST", "/password", tokens["access_token"], current_password=PASSWORD, new_password=new
    )

    assert new not in response.text
    assert await service.contents() == before
    return str(assert_problem(response, 422)["detail"])


async def is_accepted(service: Service, new: str, username: str = USERNAME) -> bool:
    try:
        await service.stack.services.accounts.policy.accept(new, username=username)
    except Unprocessable:
        return False
    return True


@pytest.mark.demand("N-05")
@pytest.mark.parametrize(
    "common",
    [
        pytest.param("passwordpassword1", id="as it is listed"),
        pytest.param("PasswordPassword1", id="with capitals"),
        pytest.param("correcthorsebatterystaple", id="one that looks strong"),
        pytest.param("qwertyuiopasdfgh", id="a row of keys"),
        pytest.param("vfvrfbrhbcnbyrf", id="Russian on English keys"),
    ],
)
async def test_a_common_password_is_refused_as_such(service: Service, common: str) -> None:
    await service.add_account()

    assert await refusal(service, common) == COMMON


@pytest.mark.demand("N-05")
async def test_shorter_common_ones_are_refused_where_a_shorter_one_would_do(
    service: Service, service_with: MakeService
) -> None:
    await service.add_account()
    lenient = await service_with(password_min_length=8, password_min_score=0)

    for common in ("iloveyou", "princess1", "1qaz2wsx3edc"):
        assert await refusal(lenient, common) == COMMON


@pytest.mark.demand("N-05")
@pytest.mark.parametrize(
    ("username", "new"),
    [
        pytest.param("ada@example.com", "ada@example.com", id="the name"),
        pytest.param("ada@example.com", "ADA@Example.COM", id="in capitals"),
        pytest.param("ada@example.com", "moc.elpmaxe@ada", id="backwards"),
        pytest.param("ada@example.com", "ada.example.com.2026", id="with a year"),
        pytest.param("ada.lovelace@example.com", "Ada-Lovelace-1815!", id="the part before the @"),
        pytest.param("ada.lovelace@example.com", "ecalevolada12345", id="that part backwards"),
        pytest.param("grace", "GraceGraceGrace", id="three times"),
        pytest.param("zo\u00eb.brontë", "ZOE\u0308 BRONTË 1234", id="in another spelling"),
    ],
)
async def test_a_password_that_is_little_more_than_the_name_is_refused(
    service: Service, username: str, new: str
) -> None:
    policy = service.stack.services.accounts.policy

    with pytest.raises(Unprocessable) as refused:
        await policy.accept(new, username=username)

    assert refused.value.description == OWN_NAME


async def test_a_password_may_hold_the_name_beside_enough_else(service: Service) -> None:
    assert await is_accepted(service, "ada likes umbrellas in June", username="ada")
    assert await is_accepted(service, "a banana and a canoe, afloat", username="a")


async def test_a_guessable_password_is_refused_with_its_score(service: Service) -> None:
    await service.add_account()

    assert await refusal(service, "abc" * 10) == (
        "This password is easy to guess: "
        'Repeats like "abcabcabc" are only slightly harder to guess than "abc". '
        "It scores 0 of 4, and 3 are asked for; add words that have nothing to do with one another."
    )


async def test_the_score_that_is_asked_for_is_a_setting(service_with: MakeService) -> None:
    middling = "summer2024summer"  # 3 of 4

    assert await is_accepted(await service_with(password_min_score=3), middling)
    strict = await service_with(password_min_score=4)
    with pytest.raises(Unprocessable, match=r"It scores 3 of 4, and 4 are asked for"):
        await strict.stack.services.accounts.policy.accept(middling, username=USERNAME)
    assert await is_accepted(await service_with(password_min_score=0), "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz")


async def test_a_long_password_is_estimated_by_its_beginning(service: Service) -> None:
    # The time it takes grows faster than what it looks at.
    assert await is_accepted(service, PASSWORD + "a" * 900)
    assert not await is_accepted(service, "ab" * 32 + PASSWORD)


async def test_a_set_password_that_the_policy_would_refuse_today_still_logs_in(
    service: Service, service_with: MakeService
) -> None:
    lenient = await service_with(password_min_length=8, password_min_score=0)
    await lenient.stack.services.accounts.add(USERNAME, "ümümümümüm")

    answer = await service.post("/login", username=USERNAME, password="ümümümümüm")

    assert answer.status_code == 200


async def test_a_new_password_is_judged_in_a_hashing_thread(service_with: MakeService) -> None:
    busy = await service_with(hash_threads=1)
    release = threading.Event()
    occupied = asyncio.create_task(busy.stack.services.hasher.beside_hashing(lambda: release.wait(5)))
    await asyncio.sleep(0)

    judged = asyncio.create_task(is_accepted(busy, PASSWORD))
    done, _ = await asyncio.wait({judged}, timeout=0.1)
    release.set()

    assert await judged
    assert await occupied
    assert not done, "it waits for its thread"


@pytest.mark.demand("N-05")
@pytest.mark.parametrize("command", [["users", "add", "grace"], ["users", "set-password", USERNAME]])
def test_the_command_line_says_why_it_refuses(embedded: Installation, command: list[str]) -> None:
    embedded.add_account()
    before = embedded.run("users", "list", "--json").json()

    for new, sentence in {
        "passwordpassword1": COMMON,
        "grace.ada@example.com": OWN_NAME if command[1] == "set-password" else None,
        "abcabcabcabcabcabc": "This password is easy to guess",
    }.items():
        if sentence is not None:
            refused = embedded.run(*command, "--password-stdin", stdin=new)
            assert refused.refusal().startswith(sentence)

    assert embedded.run("users", "list", "--json").json() == before
