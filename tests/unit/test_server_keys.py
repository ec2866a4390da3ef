"""The server's secret keys: one working key per purpose, the first mints and all of them verify."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from authsvc.server_keys import TAG_LENGTH, ServerKeys, derive

OLD, NEW = "the old secret, of more than 32 characters", "the new secret, of more than 32 characters"


def test_each_purpose_has_a_key_of_its_own() -> None:
    key = derive(OLD)
    working = {key.mac_key, key.tag_key, key.encryption_key, key.guess_key}

    assert len(working) == 4
    assert {len(each) for each in working} == {32}
    assert OLD.encode() not in working


def test_a_secret_gives_the_same_keys_at_every_start() -> None:
    assert derive(OLD) == derive(OLD)


# Written out so that no release can change them: every token and key at rest in use would be lost.
@pytest.mark.parametrize(
    ("purpose", "name"),
    [
        ("refresh token", "mac_key"),
        ("token tag", "tag_key"),
        ("signing keys at rest", "encryption_key"),
        ("guess counters", "guess_key"),
    ],
)
def test_the_working_keys_are_hkdf_of_the_secret(purpose: str, name: str) -> None:
    expected = HKDF(SHA256(), 32, salt=None, info=f"authsvc {purpose}".encode()).derive(OLD.encode())

    assert getattr(derive(OLD), name) == expected


def test_secrets_that_differ_in_anything_share_no_key() -> None:
    one, other = derive(OLD), derive(f"{OLD} ")

    assert one.id != other.id
    assert not {one.mac_key, one.tag_key, one.encryption_key, one.guess_key} & {
        other.mac_key,
        other.tag_key,
        other.encryption_key,
        other.guess_key,
    }


def test_the_id_of_a_key_tells_nothing_of_the_keys() -> None:
    key = derive(OLD)

    assert len(key.id) == 8
    assert not any(key.id in each.hex() for each in (key.mac_key, key.tag_key, key.encryption_key))
    assert key.id != hashlib.sha256(OLD.encode()).hexdigest()[:8]


def test_where_a_guess_is_counted_takes_the_secret_to_know() -> None:
    parts = (b"address", b"4\x7f\x00\x00\x01")

    assert derive(OLD).guess_mac(*parts) == derive(OLD).guess_mac(*parts)
    assert derive(OLD).guess_mac(*parts) != derive(NEW).guess_mac(*parts)


def test_the_parts_of_a_guess_are_told_apart() -> None:
    key = derive(OLD)

    assert len({key.guess_mac(b"ab", b"c"), key.guess_mac(b"a", b"bc"), key.guess_mac(b"abc")}) == 3


def test_a_mac_is_hmac_sha_256_over_all_its_parts() -> None:
    key = derive(OLD)

    assert key.mac(b"ab", b"c") == hmac.digest(key.mac_key, b"abc", "sha256")
    assert key.mac(b"ab", b"d") != key.mac(b"ab", b"c")


def test_the_first_secret_mints() -> None:
    keys = ServerKeys([NEW, OLD])

    assert keys.current == derive(NEW)
    assert keys.tagged(b"body") == b"body" + derive(NEW).tag(b"body")


def test_every_secret_verifies() -> None:
    keys = ServerKeys([NEW, OLD])

    for secret in (NEW, OLD):
        assert keys.untagged(ServerKeys([secret]).tagged(b"body")) == b"body"


def test_a_secret_that_was_removed_verifies_nothing() -> None:
    assert ServerKeys([NEW]).untagged(ServerKeys([OLD]).tagged(b"body")) is None


def test_a_key_is_found_by_its_id_while_it_is_in_force() -> None:
    assert ServerKeys([NEW, OLD]).find(derive(OLD).id) == derive(OLD)
    assert ServerKeys([NEW]).find(derive(OLD).id) is None


@given(body=st.binary(max_size=80), changed=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_changed_bit_of_a_body_or_its_tag_is_noticed(body: bytes, changed: int, bit: int) -> None:
    keys = ServerKeys([OLD])
    data = bytearray(keys.tagged(body))
    data[changed % len(data)] ^= 1 << bit

    assert keys.untagged(bytes(data)) is None


@given(data=st.binary(max_size=80))
def test_what_nobody_tagged_has_no_body(data: bytes) -> None:
    assert ServerKeys([OLD, NEW]).untagged(data) is None


@pytest.mark.parametrize("length", range(TAG_LENGTH + 1))
def test_what_is_no_longer_than_a_tag_is_no_error(length: int) -> None:
    assert ServerKeys([OLD]).untagged(bytes(length)) is None
