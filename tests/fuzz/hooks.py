"""The credentials that schemathesis sends: good ones, whatever an earlier request has done to them.

It imports this module (SCHEMATHESIS_HOOKS), which finds the service and its people in the environment.
"""

import base64
import json
import os
from collections.abc import Mapping
from typing import Any

import httpx
import schemathesis
from schemathesis import AuthContext, Case

from tests.fuzz.people import PEOPLE, SERVICE

BY_USERS = "^/(me|verify|sessions.*|password|logout)$"
BY_CLIENTS = "^/(introspect|revoke|token|refresh|login)$"


class Session:
    """A user's access token, asked for anew where it no longer lives: a request may have ended it."""

    def __init__(self, url: str, people: Mapping[str, str]) -> None:
        self._http = httpx.Client(base_url=url, trust_env=False)
        self._login = {"username": people["username"], "password": people["password"]}
        self._token = ""

    def token(self) -> str:
        live = self._http.get("/me", headers={"Authorization": f"Bearer {self._token or 'none'}"})
        if live.status_code != httpx.codes.OK:
            answer = self._http.post("/login", data=self._login)
            self._token = answer.json().get("access_token", self._token)
        return self._token


_people: dict[str, str] = json.loads(os.environ[PEOPLE])
_session = Session(os.environ[SERVICE], _people)


@schemathesis.auth(refresh_interval=None).apply_to(path_regex=BY_USERS)
class AsUser:
    """A Bearer token."""

    def get(self, case: Case[Any], context: AuthContext) -> str:  # noqa: ARG002 - schemathesis calls it so
        return _session.token()

    def set(self, case: Case[Any], data: str, context: AuthContext) -> None:  # noqa: ARG002 - their signature
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.auth(refresh_interval=None).apply_to(path_regex=BY_CLIENTS)
class AsClient:
    """A client's Basic credentials."""

    def get(self, case: Case[Any], context: AuthContext) -> str:  # noqa: ARG002 - schemathesis calls it so
        pair = f"{_people['client_id']}:{_people['client_secret']}"
        return base64.b64encode(pair.encode()).decode()

    def set(self, case: Case[Any], data: str, context: AuthContext) -> None:  # noqa: ARG002 - their signature
        case.headers["Authorization"] = f"Basic {data}"
