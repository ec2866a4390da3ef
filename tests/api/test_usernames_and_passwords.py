"""Which usernames and passwords there can be, and which two are the same."""

import string
import unicodedata

import httpx
import pytest

from authsvc.errors import OperatorError, Unprocessable
from tests.conftest import MakeService
from tests.fixtures.answers import assert_problem
from tests.fixtures.service import PASSWORD, USERNAME, Service


async def change_to(service: Service, new: str) -> httpx.Response:
    """A change from PASSWORD to *new*."""
    tokens = await service.login()
    return await service.as_user(
        "POST", "/password", tokens["access_token"], current_password=PASSWORD, new_password=new
    )


async def logs_in(service: Service, password: str, username: str = USERNAME) -> bool:
    response = await service.post("/login", username=username, password=password)
    assert response.status_code == 200 or response.json()["error"] == "invalid_grant", response.text
    return response.status_code == 200


@pytest.mark.demand("N-01")
@pytest.mark.parametrize("length", [1, 8, 14])
async def test_a_password_of_fewer_than_15_characters_is_refused(service: Service, length: int) -> None:
    await service.add_account()

    problem = assert_problem(await change_to(service, "x" * length), 422)

    assert problem["detail"] == f"A password has 15 to 1,024 characters; this one has {length}."
    assert await logs_in(service, PASSWORD)


@pytest.mark.demand("N-01")
async def test_15_characters_are_enough_and_are_counted_as_code_points(service: Service) -> None:
    await service.add_account()

    fifteen = "🗝🔑🚪🏠🌍🌙⭐🔥🌊🌳🐘🦊🐝🦉🍎"
    assert len(fifteen) == 15

    assert_problem(await change_to(service, fifteen[:-1]), 422)
    assert (await change_to(service, fifteen)).status_code == 204
    assert await logs_in(service, fifteen)


@pytest.mark.demand("N-01")
async def test_where_a_second_factor_stands_behind_it_8_characters_can_be_made_enough(
    service: Service, service_with: MakeService
) -> None:
    await service.add_account()
    other = await service_with(password_min_length=8, password_min_score=2)

    assert_problem(await change_to(other, "q7#Lw2!"), 422)
    assert (await change_to(other, "q7#Lw2!v")).status_code == 204


LONG = "Die Nächte über Zürich blieben träge, während Möwen kühl ins Föhnlicht äugten: "


@pytest.mark.demand("N-02")
@pytest.mark.parametrize("length", [64, 72, 73, 128, 1024])
async def test_a_long_password_counts_to_its_last_character(service: Service, length: int) -> None:
    await service.add_account()
    password = (LONG * 20)[: length - 1] + "z"

    assert (await change_to(service, password)).status_code == 204

    assert await logs_in(service, password)
    assert not await logs_in(service, password[:-1])
    assert not await logs_in(service, password[:-1] + "y")
    assert not await logs_in(service, password + "z")


async def test_more_than_1024_characters_are_refused(service: Service) -> None:
    await service.add_account()

    problem = assert_problem(await change_to(service, "x" * 1025), 422)

    assert problem["detail"] == "A password has 15 to 1,024 characters; this one has 1,025."


@pytest.mark.demand("N-03")
@pytest.mark.parametrize(
    "password",
    [
        pytest.param(string.printable[:95], id="every printable of ASCII"),
        pytest.param("  two  spaces  at  each  end  ", id="spaces"),
        pytest.param("olivegravelmonthtrumpet", id="small letters: there are no composition rules"),
        pytest.param("928340571628394", id="digits alone"),
        pytest.param("这个密码很长而且没有人能猜到它", id="Chinese"),
        pytest.param("كلمة المرور السرية", id="Arabic"),
        pytest.param("👩‍👩‍👧‍👦🔑🏳️‍🌈 passphrase", id="emoji"),
        pytest.param("a%00b%zz&c=d+e;f#", id="what a form escapes"),
        pytest.param("\ufeff\u200b\u00ad invisible characters", id="invisible"),
    ],
)
async def test_any_text_is_a_password(service: Service, password: str) -> None:
    await service.add_account()

    assert (await change_to(service, password)).status_code == 204

    assert await logs_in(service, password)


async def test_a_control_character_is_refused_in_a_new_password(service: Service) -> None:
    await service.add_account()
    for control in "\t\n\r\x01\x7f\x85":
        problem = assert_problem(await change_to(service, f"a long pass{control}word"), 422)
        assert problem["detail"] == "A password holds no control characters."


COMPOSED = unicodedata.normalize("NFC", "Ärger über größere Öfen")
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)


@pytest.mark.demand("N-04")
@pytest.mark.parametrize(
    ("chosen", "typed"),
    [
        pytest.param(COMPOSED, DECOMPOSED, id="chosen as NFC"),
        pytest.param(DECOMPOSED, COMPOSED, id="chosen as NFD"),
    ],
)
async def test_nfc_and_nfd_are_one_password(service: Service, chosen: str, typed: str) -> None:
    assert chosen != typed
    await service.add_account()

    assert (await change_to(service, chosen)).status_code == 204

    assert await logs_in(service, chosen)
    assert await logs_in(service, typed)


@pytest.mark.demand("N-04")
async def test_a_password_is_as_long_as_its_nfc(service: Service) -> None:
    await service.add_account()

    assert_problem(await change_to(service, "e\u0301" * 14), 422)
    password = (LONG * 20)[:1024]
    assert len(unicodedata.normalize("NFD", password)) > 1024
    assert (await change_to(service, unicodedata.normalize("NFD", password))).status_code == 204
    assert await logs_in(service, password)


async def test_compatible_characters_are_not_the_same_password(service: Service) -> None:
    await service.add_account()
    assert (await change_to(service, "ﬁne weather today")).status_code == 204

    assert not await logs_in(service, "fine weather today")


NEARLY = (
    PASSWORD[:-1],
    PASSWORD + " ",
    " " + PASSWORD,
    PASSWORD + "\n",
    PASSWORD.upper(),
    PASSWORD.title(),
    PASSWORD.replace(" ", ""),
    PASSWORD.replace(" ", "\u00a0"),
    PASSWORD + PASSWORD,
    PASSWORD[:8],
    PASSWORD + "\u200b",
)


async def test_a_password_is_compared_whole_and_as_it_is(service: Service) -> None:
    await service.add_account()
    for typed in NEARLY:
        assert not await logs_in(service, typed), repr(typed)
    assert await logs_in(service, PASSWORD)


@pytest.mark.parametrize(
    ("registered", "typed"),
    [
        pytest.param("Ada@Example.com", "ada@example.com", id="small letters"),
        pytest.param("ada", "ADA", id="capitals"),
        pytest.param("ada", "\uff21\uff44\uff41", id="wide letters"),
        pytest.param("Zo\u00eb", "zoe\u0308", id="decomposed"),
        pytest.param("e\u0301" * 200, "\u00e9" * 200, id="as long as its NFC"),
        pytest.param("\u00e9" * 255, "e\u0301" * 255, id="typed in twice as many code points"),
        pytest.param("ΣΊΣΥΦΟΣ", "σίσυφος", id="Greek"),
    ],
)
async def test_two_spellings_are_one_username(service: Service, registered: str, typed: str) -> None:
    await service.stack.services.accounts.add(registered, PASSWORD)

    assert await logs_in(service, PASSWORD, typed)
    with pytest.raises(OperatorError, match="is taken"):
        await service.stack.services.accounts.add(typed, PASSWORD)


@pytest.mark.demand("A-13")
@pytest.mark.parametrize(
    ("registered", "typed"),
    [
        pytest.param("ada", "\u0430da", id="a Cyrillic letter"),
        pytest.param("ada", "\U0001d4eada", id="a mathematical letter"),
        pytest.param("ada", "ad\u200ba", id="an invisible one"),
        pytest.param("ada", "ada ", id="a blank behind"),
        pytest.param("ada", "\u00e1da", id="an accent"),
        pytest.param("straße", "strasse", id="sharp s"),
        pytest.param("100%", "100", id="percent"),
        pytest.param("ada", "ada%00", id="an escape"),
        pytest.param("a_a", "aba", id="a wildcard of SQL"),
    ],
)
async def test_a_lookalike_is_another_username(service: Service, registered: str, typed: str) -> None:
    await service.stack.services.accounts.add(registered, PASSWORD)

    assert not await logs_in(service, PASSWORD, typed)
    assert await logs_in(service, PASSWORD, registered)


async def test_an_unusual_username_gets_in_and_comes_back_as_it_is(service: Service) -> None:
    for username in ("张伟", "100%", "o'brien", 'a"b\\c', "josé", "מרים", "a+b=c&d", "../x"):
        await service.stack.services.accounts.add(username, PASSWORD)

        tokens = await service.login(username=username)

        me = await service.as_user("GET", "/me", tokens["access_token"])
        assert me.json()["username"] == username


NOBODY = (
    "",
    "a b",
    "a\nb",
    "a\tb",
    "a\0b",
    " ada",
    "x" * 256,
    "\u0378",
    "\u2028",
    "a\u202eb",
    "\ue000",
    "א1a",
)


async def test_a_username_that_nobody_can_have_is_refused(service: Service) -> None:
    for username in NOBODY:
        with pytest.raises(Unprocessable, match="A username has 1 to 255 characters"):
            await service.stack.services.accounts.add(username, PASSWORD)

    assert (await service.rows())["account"] == []
