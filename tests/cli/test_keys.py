"""`authsvc keys`: the keys that sign JWTs."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.fixtures.installation import SECRET, Installation

OTHER_SECRET = "another secret of installations under test"


def keys(installation: Installation) -> list[dict[str, Any]]:
    return list(installation.run("keys", "list", "--json").json())


def test_there_is_a_key_that_signs_and_one_that_waits(installation: Installation) -> None:
    signing, waiting = keys(installation)

    assert set(signing) == {"kid", "algorithm", "created_at", "signs_from", "revoked_at"}
    assert signing["signs_from"] == signing["created_at"]
    assert (waiting["signs_from"], waiting["revoked_at"]) == (None, None)
    assert (signing["algorithm"], waiting["algorithm"]) == ("ES256", "ES256")


def test_the_list_holds_no_private_key(embedded: Installation) -> None:
    shown = embedded.run("keys", "list").text() + embedded.run("keys", "list", "--json").text()

    assert "PRIVATE" not in shown
    assert "pem" not in shown


def test_another_algorithm_gives_the_next_key_that_one(embedded: Installation) -> None:
    keys(embedded)

    assert [key["algorithm"] for key in keys(embedded.having(SIGNING_ALGORITHM="RS256"))] == [
        "ES256",
        "ES256",
        "RS256",
    ]


def test_a_rotation_waits_until_every_cache_can_have_the_key_and_publishes_one_more(
    installation: Installation,
) -> None:
    _, waiting = keys(installation)

    rotated = installation.run("keys", "rotate", "--json").json()

    assert rotated["kid"] == waiting["kid"]
    published = datetime.fromisoformat(waiting["created_at"])
    max_age, propagation = timedelta(seconds=300), timedelta(seconds=15)
    assert datetime.fromisoformat(rotated["signs_from"]) == published + max_age + propagation
    after = keys(installation)
    assert len(after) == 3
    assert after[1]["signs_from"] == rotated["signs_from"]
    assert after[2]["signs_from"] is None


def test_a_second_rotation_before_the_first_took_effect_is_refused(installation: Installation) -> None:
    installation.run("keys", "rotate").text()
    before = keys(installation)

    refused = installation.run("keys", "rotate").refusal()

    assert re.fullmatch(
        rf"Key {before[1]['kid']} takes over at [0-9: -]{{19}} UTC; rotate again after that, "
        r"or withdraw a key at once with: authsvc keys revoke KID",
        refused,
    )
    assert keys(installation) == before


def test_revoking_the_signing_key_names_the_one_that_signs_now(installation: Installation) -> None:
    signing, waiting = keys(installation)

    revoked = installation.run("keys", "revoke", signing["kid"], "--json").json()

    assert revoked == {"kid": signing["kid"], "signs_now": waiting["kid"]}
    after = keys(installation)
    assert after[0]["revoked_at"] is not None
    assert after[1]["signs_from"] is not None
    assert [key["signs_from"] for key in after[2:]] == [None]


def test_revoking_the_waiting_key_leaves_the_signing_one_and_publishes_another(
    installation: Installation,
) -> None:
    signing, waiting = keys(installation)

    revoked = installation.run("keys", "revoke", waiting["kid"], "--json").json()

    assert revoked == {"kid": waiting["kid"], "signs_now": None}
    after = keys(installation)
    assert after[0] == signing
    assert after[1]["revoked_at"] is not None
    assert [(key["signs_from"], key["revoked_at"]) for key in after[2:]] == [(None, None)]


def test_a_key_that_is_not_there_is_a_sentence(embedded: Installation) -> None:
    refused = embedded.run("keys", "revoke", "nobody")

    assert refused.refusal() == "There is no key 'nobody'; list them with: authsvc keys list"


def test_reencrypting_lets_the_old_secret_be_removed(installation: Installation) -> None:
    keys(installation)
    both = installation.having(SECRET_KEYS=f"{OTHER_SECRET},{SECRET}")

    assert both.run("keys", "reencrypt", "--json").json() == {"keys": 2}

    new_alone = installation.having(SECRET_KEYS=OTHER_SECRET)
    assert new_alone.run("keys", "reencrypt", "--json").json() == {"keys": 2}


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["people", "json"])
def test_reencrypting_without_the_secret_that_encrypted_some_of_them_is_a_sentence(
    embedded: Installation, options: list[str]
) -> None:
    old = [key["kid"] for key in keys(embedded)]
    both = embedded.having(SECRET_KEYS=f"{OTHER_SECRET},{SECRET}")
    for kid in old:  # so that a key of the new secret signs
        both.run("keys", "revoke", kid).text()

    refused = embedded.having(SECRET_KEYS=OTHER_SECRET).run("keys", "reencrypt", *options)

    assert refused.refusal() == (
        "2 of 4 keys cannot be decrypted with any of AUTHSVC_SECRET_KEYS; "
        "add the secret that encrypted them. The others are done."
    )
