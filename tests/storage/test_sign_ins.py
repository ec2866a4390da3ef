"""What a login writes: all of it at once, or nothing."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from authsvc.secret_tokens import new_id, new_random_bytes
from authsvc.storage.access_tokens import OpaqueToken
from authsvc.storage.accounts import Account
from authsvc.storage.key_withdrawals import LatestWithdrawal
from authsvc.storage.sign_ins import SignIn, SignIns, Written
from tests.fixtures.clock import START
from tests.fixtures.service import Service
from tests.fixtures.sessions import new_session

pytestmark = pytest.mark.only(
    "postgres-jwt", "sqlite-jwt", reason="the tables are the same for both formats of token"
)

NEVER = LatestWithdrawal(None)
LATER = START + timedelta(seconds=300)


@pytest.fixture
async def account(service: Service) -> Account:
    return await service.add_account()


@pytest.fixture
def sign_ins(service: Service) -> SignIns:
    return SignIns(service.stack.services.stores.database)


@pytest.fixture
def sign_in(account: Account) -> SignIn:
    """A login whose access token is a JWT."""
    session = new_session(
        account.id,
        scope=frozenset({"account", "orders:read"}),
        access_until=LATER,
        address="192.0.2.1",
        user_agent="a browser",
    )
    return SignIn(session, account.password_hash, None, None, None, NEVER)


@pytest.fixture
def opaque(sign_in: SignIn) -> SignIn:
    """The same with a token that has to be stored."""
    session = sign_in.session
    token = OpaqueToken(
        sha256=new_random_bytes(32),
        session_id=session.id,
        client_id="public",
        number=1,
        scope=session.scope,
        audience="here",
        issued_at=START,
        expires_at=LATER,
    )
    return replace(sign_in, token=token, signed_after=None)


async def account_now(service: Service, account: Account) -> Account:
    found = await service.stack.services.accounts.find(account.id)
    assert found is not None
    return found


async def test_a_sign_in_is_written_whole(service: Service, sign_ins: SignIns, opaque: SignIn) -> None:
    assert await sign_ins.write(opaque) == Written(is_done=True, withdrawal=NEVER)

    assert await service.sessions() == [opaque.session]
    assert await service.access_token_numbers() == [1]


async def test_one_without_a_token_to_store_stores_none(
    service: Service, sign_ins: SignIns, sign_in: SignIn, account: Account
) -> None:
    assert await sign_ins.write(sign_in) == Written(is_done=True, withdrawal=NEVER)

    assert await service.sessions() == [sign_in.session]
    assert await service.access_token_numbers() == []
    assert await account_now(service, account) == account


async def test_a_stronger_hash_and_the_addresses_are_written_with_it(
    service: Service, sign_ins: SignIns, sign_in: SignIn, account: Account
) -> None:
    change = replace(sign_in, better_hash="stronger", addresses=(None, b"a" * 12))

    assert (await sign_ins.write(change)).is_done

    expected = replace(account, password_hash="stronger", known_addresses=b"a" * 12)
    assert await account_now(service, account) == expected


async def test_addresses_that_another_login_wrote_meanwhile_stay(
    service: Service, sign_ins: SignIns, sign_in: SignIn, account: Account
) -> None:
    await sign_ins.write(replace(sign_in, addresses=(None, b"a" * 12)))
    second = replace(sign_in, session=sign_in.session._replace(id=new_id()), addresses=(None, b"b" * 12))

    assert (await sign_ins.write(second)).is_done

    assert (await account_now(service, account)).known_addresses == b"a" * 12
    assert len(await service.sessions()) == 2


async def test_nothing_is_written_for_a_password_that_was_changed_meanwhile(
    service: Service, sign_ins: SignIns, opaque: SignIn
) -> None:
    before = await service.rows()
    change = {"verified_hash": "another", "better_hash": "stronger", "addresses": (None, b"a" * 12)}

    written = await sign_ins.write(replace(opaque, **change))  # type: ignore[arg-type] # of three types

    assert not written.is_done
    assert await service.rows() == before


@pytest.mark.parametrize(
    ("seen", "is_done"),
    [(None, False), (START - timedelta(microseconds=1), False), (START, True), (LATER, True)],
    ids=["none", "an earlier one", "this one", "a later one"],
)
async def test_nothing_is_written_for_a_token_whose_key_was_withdrawn_meanwhile(
    service: Service, sign_ins: SignIns, sign_in: SignIn, seen: object, is_done: bool
) -> None:
    kid = service.stack.services.keys.current().kid
    await service.stack.services.key_rotation.revoke(kid)

    written = await sign_ins.write(replace(sign_in, signed_after=LatestWithdrawal(seen)))  # type: ignore[arg-type] # a moment or none

    assert written == Written(is_done=is_done, withdrawal=LatestWithdrawal(START))
    assert len(await service.sessions()) == is_done


async def test_a_token_that_no_key_signs_is_good_whatever_was_withdrawn(
    service: Service, sign_ins: SignIns, opaque: SignIn
) -> None:
    await service.stack.services.key_rotation.revoke(service.stack.services.keys.current().kid)

    assert (await sign_ins.write(opaque)).is_done


@pytest.mark.only("postgres-jwt", reason="nothing is sent twice to an embedded database")
@pytest.mark.parametrize("better_hash", [None, "stronger"])
async def test_a_sign_in_that_is_sent_again_since_its_answer_was_lost_is_no_error(
    service: Service, sign_ins: SignIns, opaque: SignIn, better_hash: str | None
) -> None:
    opaque = replace(opaque, better_hash=better_hash)
    await sign_ins.write(opaque)

    again = await asyncio.gather(sign_ins.write(opaque), return_exceptions=True)

    assert list(again) == [Written(is_done=True, withdrawal=NEVER)]
    assert await service.sessions() == [opaque.session]
    assert await service.access_token_numbers() == [1]
