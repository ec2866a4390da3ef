"""The shipped list of common passwords."""

import itertools
from pathlib import Path

import pytest

from authsvc import common_passwords
from authsvc.common_passwords import digest_of, is_common


@pytest.mark.parametrize("listed", ["password", "iloveyou1", "passwordpassword1", "QWERTYUIOPASDFGH"])
def test_what_is_listed_is_common(listed: str) -> None:
    assert is_common(listed)


@pytest.mark.parametrize(
    "unlisted", ["", "correct horse battery staple", "olivegravelmonthtrumpet", "\u6f22" * 1024]
)
def test_what_is_not_listed_is_not_common(unlisted: str) -> None:
    assert not is_common(unlisted)


def test_every_entry_of_a_part_of_the_list_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Three passwords, the first alone in its part, the others in one: made for it, as none of them is chosen.
    words = (f"word {number}" for number in itertools.count())
    parts: dict[bytes, list[str]] = {}
    while not (crowded := [part for part in parts.values() if len(part) == 2]):
        parts.setdefault(digest_of(word := next(words))[:2], []).append(word)
    listed = [*crowded[0], "alone"]
    made = tmp_path / "list.bin"
    made.write_bytes(written(listed))
    monkeypatch.setattr(common_passwords, "_LIST", made)

    assert [word for word in listed if not is_common(word)] == []
    assert not is_common(next(words))


def written(passwords: list[str]) -> bytes:
    """A list of these, by the format's description."""
    digests = sorted(map(digest_of, passwords))
    firsts = [int.from_bytes(digest[:2], "big") for digest in digests]
    offsets = [sum(first < part for first in firsts) for part in range(65_537)]
    return b"".join(offset.to_bytes(4, "big") for offset in offsets) + b"".join(
        digest[2:] for digest in digests
    )


def test_the_shipped_list_is_whole_and_in_order() -> None:
    whole = (Path(common_passwords.__file__).parent / "common_passwords.bin").read_bytes()
    table = whole[: 65_537 * 4]
    offsets = [int.from_bytes(table[at : at + 4], "big") for at in range(0, len(table), 4)]

    assert offsets == sorted(offsets)
    assert offsets[-1] == 4_241_705
    assert len(whole) == len(table) + 3 * offsets[-1]
