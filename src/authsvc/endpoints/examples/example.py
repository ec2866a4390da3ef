"""One exchange with the server of `authsvc dev`, as the OpenAPI document shows it."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authsvc.demo_credentials import DEMO_INTROSPECTING_CLIENT_ID, DEMO_INTROSPECTING_CLIENT_SECRET

ACCESS_TOKEN = "{access_token}"  # noqa: S105 - stands for one
REFRESH_TOKEN = "{refresh_token}"  # noqa: S105 - stands for one
CLIENT_ACCESS_TOKEN = "{client_access_token}"  # noqa: S105 - stands for one
SESSION_ID = "{session_id}"
ETAG = "{etag}"

BY_USER = f"Bearer {ACCESS_TOKEN}"
BY_CLIENT_TOKEN = f"Bearer {CLIENT_ACCESS_TOKEN}"
DEAD_TOKEN = "Bearer dead"  # noqa: S105 - none that lives
DEMO_SERVICE = {
    "client_id": DEMO_INTROSPECTING_CLIENT_ID,
    "client_secret": DEMO_INTROSPECTING_CLIENT_SECRET,
}
BY_BASIC = f"Basic {b64encode(':'.join(DEMO_SERVICE.values()).encode()).decode()}"


@dataclass(frozen=True)
class Example:
    """A request, and the answer to it. Its name is the same on both sides."""

    name: str
    summary: str
    status: int
    body: object = None
    form: Mapping[str, str] | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    authorization: str | None = None

    def write_into(self, operation: dict[str, Any]) -> None:
        """Add it to an operation of the document."""
        sent = {"summary": self.summary, "status": self.status}
        if self.authorization is not None:
            sent["authorization"] = self.authorization
        if self.parameters:
            sent["parameters"] = dict(self.parameters)
        operation.setdefault("x-exchanges", {})[self.name] = sent
        if self.form is not None:
            self._add(operation["requestBody"], dict(self.form))
        if self.body is not None:
            self._add(operation["responses"][str(self.status)], self.body)

    def _add(self, described: dict[str, Any], value: object) -> None:
        for media_type in described["content"].values():
            media_type.setdefault("examples", {})[self.name] = {"summary": self.summary, "value": value}
