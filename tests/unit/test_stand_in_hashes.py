"""What the password of an unknown account is compared with."""

from collections import Counter

import pytest
from passlib.hash import argon2

from authsvc.passwords import prefix_of
from authsvc.server_keys import derive
from authsvc.stand_in_hashes import StandInHashes

POLICY = "$argon2id$v=19$m=19456,t=2,p=1$"
OLD = "$argon2id$v=19$m=9216,t=4,p=1$"
DEARER = "$argon2id$v=19$m=65536,t=3,p=4$"
NAMES = [f"name-{number}" for number in range(20_000)]


@pytest.fixture
def made() -> StandInHashes:
    return StandInHashes(derive("a secret of the server"), POLICY)


def test_until_something_is_known_of_accounts_all_are_of_the_policy(made: StandInHashes) -> None:
    assert {prefix_of(made.of(name)) for name in NAMES[:100]} == {POLICY}


def test_as_many_names_have_each_cost_as_accounts_have_it(made: StandInHashes) -> None:
    made.learn({POLICY: 700, OLD: 250, DEARER: 50})

    shares = Counter(prefix_of(made.of(name)) for name in NAMES)

    assert shares.keys() == {POLICY, OLD, DEARER}
    for prefix, share in ((POLICY, 0.70), (OLD, 0.25), (DEARER, 0.05)):
        assert abs(shares[prefix] / len(NAMES) - share) < 0.02


def test_a_name_has_the_same_cost_each_time_and_on_every_instance(made: StandInHashes) -> None:
    other = StandInHashes(derive("a secret of the server"), DEARER)
    for instance in (made, other):
        instance.learn({OLD: 1, POLICY: 1})

    assert [made.of(name) for name in NAMES[:100]] == [other.of(name) for name in NAMES[:100]]


def test_nobody_without_the_servers_secret_can_tell_the_cost_of_a_name(made: StandInHashes) -> None:
    other = StandInHashes(derive("another secret"), POLICY)
    for instance in (made, other):
        instance.learn({OLD: 1, POLICY: 1})

    same = sum(made.of(name) == other.of(name) for name in NAMES)
    assert 0.45 < same / len(NAMES) < 0.55


@pytest.mark.parametrize("prefix", [POLICY, OLD, DEARER])
def test_a_stand_in_is_a_hash_that_can_be_compared_with(made: StandInHashes, prefix: str) -> None:
    made.learn({prefix: 3})

    stand_in = made.of("\ud800")

    assert stand_in.startswith(prefix)
    assert not argon2.verify("", stand_in)


@pytest.mark.parametrize(
    ("stored", "prefix"), [(f"{OLD}c2FsdA$ZGlnZXN0", OLD), ("", ""), ("!", "!"), ("a$b", "a$b")]
)
def test_a_hash_begins_with_what_it_costs(stored: str, prefix: str) -> None:
    assert prefix_of(stored) == prefix
    assert stored.startswith(prefix)
