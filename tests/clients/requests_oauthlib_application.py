"""The steps of an application built on requests-oauthlib; the runner sets OAUTHLIB_INSECURE_TRANSPORT."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from oauthlib.oauth2 import (  # type: ignore[import-untyped] # installed in the clients' environment only
    BackendApplicationClient,
    LegacyApplicationClient,
    OAuth2Error,
)
from requests.auth import HTTPBasicAuth
from requests_oauthlib import (  # type: ignore[import-untyped] # installed in the clients' environment only
    OAuth2Session,
)

from tests.clients.application import add_application_steps
from tests.clients.seen_service import DemoClient, Json, SeenService
from tests.clients.steps import Steps


@dataclass(frozen=True)
class Application:
    """One client of the service, as requests-oauthlib makes it."""

    client: DemoClient
    metadata: Json

    def session(self, scope: str | None = None, **options: Any) -> Any:
        """Return a session that signs in with a password."""
        # A scope given to the session instead is compared with the answer, but never sent.
        return OAuth2Session(client=LegacyApplicationClient(self.client.client_id, scope=scope), **options)

    @property
    def basic(self) -> Any:
        """Basic credentials, or nothing where they go by form."""
        if self.client.method != "client_secret_basic":
            return None
        return HTTPBasicAuth(self.client.client_id, self.client.secret or "")

    @property
    def form(self) -> Json:
        """What goes into the form of a request that the library leaves to its caller."""
        if self.client.method == "client_secret_basic":
            return {}
        secret = {"client_secret": self.client.secret} if self.client.secret else {}
        return {"client_id": self.client.client_id} | secret

    def fetch(self, session: Any, **grant: Any) -> Json:
        """Ask for tokens."""
        by_form = {} if self.basic else {"include_client_id": True, "client_secret": self.client.secret}
        return dict(session.fetch_token(self.metadata["token_endpoint"], auth=self.basic, **by_form, **grant))

    def sign_in(self, username: str, password: str, scope: str | None = None) -> Json:
        """Exchange a password for tokens."""
        return self.fetch(self.session(scope), username=username, password=password)

    def refresh(self, refresh_token: str) -> Json:
        """Exchange a refresh token for tokens."""
        url = self.metadata["token_endpoint"]
        tokens = dict(self.session().refresh_token(url, refresh_token, auth=self.basic, **self.form))
        return tokens | {"scope": " ".join(tokens["scope"])}

    def act_for_itself(self) -> Json:
        """Get a token of the client's own."""
        return self.fetch(OAuth2Session(client=BackendApplicationClient(self.client.client_id)))

    def revoke(self, token: str, hint: str) -> None:
        """Revoke a token, by the request that oauthlib prepares."""
        prepare = LegacyApplicationClient(self.client.client_id).prepare_token_revocation_request
        url, headers, body = prepare(self.metadata["revocation_endpoint"], token, hint, **self.form)
        answer = self.session().post(url, data=body, headers=headers, auth=self.basic, withhold_token=True)
        answer.raise_for_status()


def connect(service: SeenService, client: DemoClient) -> Application:
    """Return the application that *client* is."""
    return Application(client, service.metadata)


def refusal(request: Callable[[], object]) -> str:
    """Return the error code with which *request* is refused."""
    try:
        request()
    except OAuth2Error as error:
        return str(error.error)
    raise AssertionError("not refused")


steps = Steps()
add_application_steps(steps, connect, refusal)


@steps
def the_scope_asked_for_is_the_scope_granted(service: SeenService) -> None:
    # The library raises where the answer names another.
    tokens = connect(service, service.client("none")).sign_in(service.username, service.password, "account")
    assert tokens["scope"] == ["account"]


@steps
def an_expired_token_is_refreshed_unasked(service: SeenService) -> None:
    application = connect(service, service.client("none"))
    kept: list[Json] = []
    session = application.session(
        auto_refresh_url=service.metadata["token_endpoint"],
        auto_refresh_kwargs=application.form,
        token_updater=kept.append,
    )
    first = application.fetch(session, username=service.username, password=service.password)
    session.token = first | {"expires_in": -1, "expires_at": 1}
    me = session.get(f"{service.url}/me")
    assert me.json()["username"] == service.username
    assert kept[0]["refresh_token"] != first["refresh_token"]
