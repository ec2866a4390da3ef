"""Refresh tokens: their shape, their one spelling, and what it takes to make one."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authsvc.secret_tokens import decode_base64url, encode_base64url
from authsvc.server_keys import TAG_LENGTH, ServerKeys
from authsvc.storage.sessions import Session
from authsvc.tokens.refresh_handle import PREFIX, SALT_LENGTH, PresentedRefreshToken, RefreshHandles
from tests.fixtures.clock import START

OLD, NEW, STRANGE = (f"the {which} secret, of more than 32 characters" for which in ("old", "new", "other"))
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def handles_of(*secrets: str) -> RefreshHandles:
    return RefreshHandles(ServerKeys(secrets))


OURS = handles_of(OLD)
SESSION = Session(
    id=UUID("01a20d6d-ef64-7763-b763-4e9bc186760e"),
    account_id=UUID(int=2),
    client_id="a client",
    scope=frozenset(),
    salt=bytes(range(SALT_LENGTH)),
    server_key_id=OURS.server_keys.current.id,
    generation=7,
    rotated_at=START,
    repeats=0,
    access_tokens_issued=7,
    created_at=START,
    last_used_at=START,
    access_until=START,
)


def mint(session: Session = SESSION, handles: RefreshHandles = OURS) -> str:
    token = handles.mint(session)
    assert token is not None
    return token


def opened(token: str, handles: RefreshHandles = OURS) -> PresentedRefreshToken:
    presented = handles.open(token)
    assert presented is not None
    return presented


def body_of(token: str) -> bytes:
    """What *token* says, without its tag."""
    data = decode_base64url(token.removeprefix(PREFIX))
    assert data is not None
    return data[:-TAG_LENGTH]


def test_a_refresh_token_is_88_characters_that_need_no_escape_anywhere() -> None:
    token = mint()
    assert len(token) == 88
    assert token.startswith("asvc_rt_")
    assert set(token.removeprefix("asvc_rt_")) <= set(BASE64URL)


def test_a_token_says_which_session_and_which_generation() -> None:
    presented = opened(mint())
    assert (presented.session_id, presented.generation) == (SESSION.id, 7)
    assert OURS.is_genuine(presented, SESSION.salt)


def test_the_same_row_gives_the_very_same_token_again() -> None:
    assert mint() == mint(handles=handles_of(OLD))


@pytest.mark.parametrize(
    "changes",
    [{"generation": 8}, {"id": UUID(int=1)}, {"salt": b"\0" * SALT_LENGTH}],
    ids=["generation", "session", "salt"],
)
def test_any_other_row_gives_another_token(changes: dict[str, object]) -> None:
    other = SESSION._replace(**changes)  # type: ignore[arg-type] # the fields of the cases above
    assert body_of(mint(other)) != body_of(mint())


@given(st.uuids(), st.integers(0, 2**32 - 1), st.binary(min_size=SALT_LENGTH, max_size=SALT_LENGTH))
def test_every_row_gets_a_token_that_opens_to_it(session_id: UUID, generation: int, salt: bytes) -> None:
    presented = opened(mint(SESSION._replace(id=session_id, generation=generation, salt=salt)))
    assert (presented.session_id, presented.generation) == (session_id, generation)
    assert OURS.is_genuine(presented, salt)


TOKEN = mint()


@pytest.mark.parametrize(
    "spelled",
    [
        pytest.param("", id="empty"),
        pytest.param(PREFIX, id="the prefix alone"),
        pytest.param(TOKEN.removeprefix(PREFIX), id="no prefix"),
        pytest.param(TOKEN.replace("asvc_rt_", "asvc_at_"), id="the prefix of another kind"),
        pytest.param(TOKEN.replace("asvc_rt_", "ASVC_RT_"), id="the prefix in capitals"),
        pytest.param(TOKEN[:-1], id="one character short"),
        pytest.param(TOKEN[:-4], id="three bytes short"),
        pytest.param(PREFIX + TOKEN[12:], id="three bytes short in front"),
        pytest.param(TOKEN + "A", id="one character more"),
        pytest.param(TOKEN + "AAAA", id="three bytes more"),
        pytest.param(TOKEN + "=", id="padded"),
        pytest.param(TOKEN[:-1] + "=", id="padding for the last character"),
        pytest.param(TOKEN.swapcase(), id="other case"),
        pytest.param(PREFIX + TOKEN.removeprefix(PREFIX).lower(), id="small letters"),
        pytest.param(" " + TOKEN, id="a space before"),
        pytest.param(TOKEN + "\n", id="a newline after"),
        pytest.param(TOKEN[:-1] + "\n", id="a newline for the last character"),
        pytest.param(TOKEN[:40] + " " + TOKEN[41:], id="a space within"),
        pytest.param(TOKEN[:40] + "é" + TOKEN[41:], id="beyond ASCII"),
        pytest.param(TOKEN[:40] + "\0" + TOKEN[41:], id="NUL"),
        pytest.param(PREFIX + "A" * (len(TOKEN) - len(PREFIX)), id="all zero"),
        pytest.param(TOKEN * 100, id="a hundred times"),
    ],
)
def test_nothing_but_the_token_itself_is_opened(spelled: str) -> None:
    assert OURS.open(spelled) is None


def test_the_characters_of_plain_base64_are_no_second_spelling() -> None:
    rows = (SESSION._replace(generation=generation) for generation in range(100))
    token = next(token for token in map(mint, rows) if "-" in token and "_" in token[len(PREFIX) :])

    spelled = PREFIX + token.removeprefix(PREFIX).replace("-", "+").replace("_", "/")

    assert OURS.open(token) is not None
    assert OURS.open(spelled) is None


@given(st.integers(len(PREFIX), len(TOKEN) - 1), st.sampled_from(BASE64URL))
def test_a_token_with_one_other_character_is_not_opened(position: int, character: str) -> None:
    changed = TOKEN[:position] + character + TOKEN[position + 1 :]
    assert (OURS.open(changed) is not None) is (changed == TOKEN)


@given(st.text(max_size=100) | st.text(BASE64URL, min_size=80, max_size=80).map(PREFIX.__add__))
def test_a_made_up_token_is_not_opened_whatever_it_is(text: str) -> None:
    assert OURS.open(text) is None


def test_the_database_alone_makes_no_token() -> None:
    """Whoever holds the whole row but another secret mints a token that does not even open."""
    stranger = handles_of(STRANGE)
    forged = mint(SESSION._replace(server_key_id=stranger.server_keys.current.id), stranger)
    assert stranger.open(forged) is not None
    assert OURS.open(forged) is None


@pytest.mark.parametrize(
    "guess", [b"", b"\0" * SALT_LENGTH, SESSION.id.bytes, SESSION.salt[:-1], SESSION.salt[::-1]]
)
def test_the_secret_alone_makes_no_token(guess: bytes) -> None:
    """Whoever holds the secret can make one that opens; without the row's salt its MAC is not good."""
    presented = opened(mint(SESSION._replace(salt=guess)))
    assert presented.generation == SESSION.generation
    assert not OURS.is_genuine(presented, SESSION.salt)


@pytest.mark.parametrize(
    "changes", [{"generation": 6}, {"generation": 8}, {"session_id": UUID(int=1)}, {"mac": b"\0" * 32}]
)
def test_a_mac_is_good_for_its_own_session_and_generation_only(changes: dict[str, object]) -> None:
    grafted = opened(mint())._replace(**changes)  # type: ignore[arg-type] # the fields of the cases above
    assert not OURS.is_genuine(grafted, SESSION.salt)


def test_a_token_tagged_anew_is_opened_and_still_not_genuine() -> None:
    """The tag keeps made-up tokens from costing a query; it is the MAC that makes a token ours."""
    body = bytearray(body_of(mint()))
    body[19] += 1  # the generation's last byte

    spelled = PREFIX + encode_base64url(OURS.server_keys.tagged(bytes(body)))

    assert opened(spelled).generation == 8
    assert not OURS.is_genuine(opened(spelled), SESSION.salt)


@pytest.mark.parametrize("secrets", [(OLD,), (OLD, NEW), (NEW, OLD)])
def test_every_secret_in_force_opens_and_proves_what_it_minted(secrets: tuple[str, ...]) -> None:
    handles = handles_of(*secrets)
    presented = opened(mint(), handles)
    assert handles.is_genuine(presented, SESSION.salt)


@pytest.mark.parametrize("secrets", [(OLD,), (OLD, NEW), (NEW, OLD)])
def test_whichever_secret_comes_first_the_row_gives_the_same_token(secrets: tuple[str, ...]) -> None:
    assert mint(handles=handles_of(*secrets)) == mint()


def test_a_secret_no_longer_in_force_opens_proves_and_mints_nothing() -> None:
    handles = handles_of(NEW)
    assert handles.open(mint()) is None
    assert not handles.is_genuine(opened(mint()), SESSION.salt)
    assert handles.mint(SESSION) is None


def test_each_purpose_has_a_key_of_its_own() -> None:
    """Else a MAC seen in one place could be shown in another."""
    key = ServerKeys([OLD]).current
    assert len({key.mac_key, key.tag_key, key.encryption_key}) == 3


@given(st.binary(min_size=60, max_size=60))
def test_bytes_of_the_right_length_are_opened_only_with_a_tag_of_ours(data: bytes) -> None:
    assert OURS.open(PREFIX + encode_base64url(data)) is None
    assert OURS.open(PREFIX + encode_base64url(OURS.server_keys.tagged(data[:52]))) is not None
