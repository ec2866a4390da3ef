"""Which Redis a connection leads to, by what it says of itself."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class RedisNode:
    """One process of Redis in one role; another process, or another history, is another node."""

    run_id: str
    replication_id: str
    is_primary: bool
    policy: str
    evicted: str = "0"

    @classmethod
    def described_by(cls, info: str) -> Self:
        """Read the answers to INFO."""
        lines = (line.partition(":") for line in info.splitlines())
        said = {name: value.strip() for name, _, value in lines}
        return cls(
            run_id=said.get("run_id", ""),
            replication_id=said.get("master_replid", ""),
            is_primary=said.get("role", "master") == "master",
            policy=said.get("maxmemory_policy", "noeviction"),
            evicted=said.get("evicted_keys", "0"),
        )

    @property
    def marker(self) -> bytes:
        """What stands in the marker once this node holds the whole denylist.

        A restart changes the first part, a change of primary the second; the last, each key that was
        dropped to make room, under a policy that nobody may have seen.
        """
        return f"{self.run_id}:{self.replication_id}:{self.evicted}".encode()

    @property
    def evicts(self) -> bool:
        """Whether it may drop a denial to make room."""
        return self.policy != "noeviction"

    @property
    def problem(self) -> str | None:
        """Why it cannot be asked about denials; None if it can."""
        if self.evicts:
            return f"it evicts keys (maxmemory-policy {self.policy})"
        if not self.is_primary:
            return "it is a replica"
        if not self.run_id or not self.replication_id:
            return "it does not tell its run_id and master_replid"
        return None
