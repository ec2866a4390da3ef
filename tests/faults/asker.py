"""One client of the load: sends single requests to either instance and records each answer with its times."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.faults.record import Answer, Kind, Record, fingerprint, now
from tests.fixtures.service import PASSWORD


@dataclass(frozen=True)
class Tokens:
    """What a login or a refresh was answered with."""

    access: str
    refresh: str


@dataclass
class Asker:
    """Number *number* of the load."""

    number: int
    username: str
    caller: httpx.BasicAuth
    instances: Mapping[str, httpx.AsyncClient]
    record: Record
    sessions: int = field(default=0)

    def new_session(self) -> str:
        self.sessions += 1
        return f"{self.number}.{self.sessions}"

    async def log_in(self, instance: str, session: str) -> Tokens | None:
        form = {"username": self.username, "password": PASSWORD}
        return _tokens(await self._ask("login", instance, session, form=form))

    async def refresh(
        self, instance: str, session: str, token: str, **meant: Any
    ) -> tuple[int, Tokens | None]:
        """Return the status, 0 without an answer, and the new tokens if there are some."""
        form = {"refresh_token": token}
        response = await self._ask("refresh", instance, session, token, form=form, **meant)
        return (0 if response is None else response.status_code), _tokens(response)

    async def introspect(self, instance: str, session: str, token: str) -> None:
        await self._ask("introspect", instance, session, token, form={"token": token}, auth=self.caller)

    async def verify(self, instance: str, session: str, token: str) -> None:
        await self._ask("verify", instance, session, token, bearer=token)

    async def log_out(self, instance: str, session: str, token: str) -> bool:
        """Log out by a token of either kind; whether that was answered, one way or the other."""
        if token.startswith("asvc_rt_"):
            response = await self._ask("logout", instance, session, token, form={"refresh_token": token})
        else:
            response = await self._ask("logout", instance, session, token, bearer=token)
        return response is not None and response.status_code != 503

    async def revoke(self, instance: str, session: str, token: str) -> bool:
        form = {"token": token, "client_id": "public"}
        response = await self._ask("revoke", instance, session, token, form=form)
        return response is not None and response.status_code != 503

    async def _ask(
        self,
        kind: Kind,
        instance: str,
        session: str,
        presented: str = "",
        *,
        form: dict[str, str] | None = None,
        bearer: str = "",
        auth: httpx.BasicAuth | None = None,
        **meant: Any,
    ) -> httpx.Response | None:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        request = self.instances[instance].build_request(
            "GET" if kind == "verify" else "POST", f"/{kind}", data=form, headers=headers
        )
        response, error, begun = None, "", now()
        try:
            response = await self.instances[instance].send(request, auth=auth)
        except httpx.TransportError as broken:
            error = type(broken).__name__
        answered = now()
        facts = {"error": error} if response is None else _facts(kind, response)
        self.record.answers.append(
            Answer(
                asker=self.number,
                kind=kind,
                instance=instance,
                begun=begun,
                answered=answered,
                status=0 if response is None else response.status_code,
                session=session,
                presented=fingerprint(presented) if presented else "",
                **facts,
                **meant,
            )
        )
        return response


def _facts(kind: Kind, response: httpx.Response) -> dict[str, Any]:
    facts: dict[str, Any] = {"retry_after": response.headers.get("Retry-After", "")}
    if response.status_code >= 400:
        facts["error"] = _error(response)
    if kind == "verify" and response.status_code in (200, 401):
        facts["live"] = response.status_code == 200
    elif kind == "introspect" and response.status_code == 200:
        facts["live"] = bool(response.json()["active"])
    elif (tokens := _tokens(response)) is not None:
        facts |= {"access": fingerprint(tokens.access), "refresh": fingerprint(tokens.refresh)}
        facts["kid"] = _kid(tokens.access)
    return facts


def _error(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return "no JSON"
    return str(body.get("error") or body.get("title") or "")


def _tokens(response: httpx.Response | None) -> Tokens | None:
    if response is None or response.status_code != 200 or not response.content:
        return None
    body = response.json()
    return Tokens(body["access_token"], body["refresh_token"]) if "refresh_token" in body else None


def _kid(access_token: str) -> str:
    """The key that signed a JWT; nothing for an opaque token."""
    if access_token.count(".") != 2:
        return ""
    header = access_token.partition(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"])
