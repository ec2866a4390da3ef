"""What a password is compared with where there is no account: a hash of nobody's, as dear as accounts have.

While the policy moves, accounts have hashes of several costs, and a name that is nobody's must not be told
by being always of one. So each such name has a cost of its own, the same at every attempt and on every
instance, and of all those names as many have each cost as of all accounts. Time then tells a cost, and a
cost tells nothing.
"""

from collections.abc import Mapping
from itertools import accumulate

from authsvc.passwords import nobodys_hash
from authsvc.server_keys import ServerKey

_MANY = 2**64


class StandInHashes:
    """Chooses a hash of nobody's for each name. Until it is told of the accounts, all are of the policy."""

    def __init__(self, key: ServerKey, policy_prefix: str) -> None:
        self._key = key
        self._policy_prefix = policy_prefix
        self._up_to: list[tuple[int, str]] = []

    def learn(self, accounts: Mapping[str, int]) -> None:
        """Take note of how many accounts have a hash that begins so."""
        whole = sum(accounts.values())
        ordered = sorted(accounts.items())
        shares = accumulate(count for _, count in ordered)
        self._up_to = [
            (share * _MANY // whole, prefix) for share, (prefix, _) in zip(shares, ordered, strict=True)
        ]

    def of(self, username: str) -> str:
        """Return the stand-in of *username*, which is no account's."""
        number = int.from_bytes(self._key.name_tag(username.encode(errors="replace")), "big")
        prefix = next((prefix for up_to, prefix in self._up_to if number < up_to), self._policy_prefix)
        return nobodys_hash(prefix)
