"""The steps that every application takes, whichever Python client library it is built on."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from tests.clients.seen_service import DEAD, DemoClient, Json, SeenService
from tests.clients.steps import Steps

METHODS = ("none", "client_secret_basic", "client_secret_post")


class MethodStep(Protocol):
    """A step taken once for each way to authenticate."""

    __name__: str

    def __call__(self, service: SeenService, method: str) -> None: ...


class TokenHolder(Protocol):
    """What a library makes of a client that has tokens."""

    def refresh(self, refresh_token: str) -> Json: ...
    def revoke(self, token: str, hint: str) -> None: ...


class Application(TokenHolder, Protocol):
    """What a library makes of a client that gets its tokens itself."""

    def sign_in(self, username: str, password: str, scope: str | None = None) -> Json: ...
    def act_for_itself(self) -> Json: ...


Connect = Callable[[SeenService, DemoClient], Application]
Refusal = Callable[[Callable[[], object]], str]


def add_holder_steps(
    steps: Steps, connect: Callable[[SeenService, DemoClient], TokenHolder], refusal: Refusal
) -> None:
    """Add what is done with tokens, however they were come by; *refusal* gives a library's error code."""

    def refreshes(service: SeenService, method: str) -> None:
        first = service.sign_in(method)
        second = connect(service, service.client(method)).refresh(first["refresh_token"])
        assert second["refresh_token"] != first["refresh_token"]
        assert second["scope"] == "account"
        service.assert_describes(service.describe(second["access_token"]), method)

    def revokes_an_access_token_and_keeps_its_session(service: SeenService, method: str) -> None:
        tokens = service.sign_in(method)
        holder = connect(service, service.client(method))
        holder.revoke(tokens["access_token"], "access_token")
        assert service.describe(tokens["access_token"]) == DEAD
        assert holder.refresh(tokens["refresh_token"])["access_token"]

    def revokes_a_refresh_token_and_the_access_token_dies_with_it(service: SeenService, method: str) -> None:
        tokens = service.sign_in(method)
        holder = connect(service, service.client(method))
        holder.revoke(tokens["refresh_token"], "refresh_token")
        assert service.describe(tokens["access_token"]) == DEAD
        assert refusal(lambda: holder.refresh(tokens["refresh_token"])) == "invalid_grant"

    def revoking_a_token_nobody_issued_is_no_error(service: SeenService, method: str) -> None:
        connect(service, service.client(method)).revoke("not-a-token", "access_token")

    for method in METHODS:
        _add(
            steps,
            method,
            refreshes,
            revokes_an_access_token_and_keeps_its_session,
            revokes_a_refresh_token_and_the_access_token_dies_with_it,
            revoking_a_token_nobody_issued_is_no_error,
        )


def add_application_steps(steps: Steps, connect: Connect, refusal: Refusal) -> None:
    """Add those of a holder, and how tokens are got and refused."""

    def signs_in_with_a_password(service: SeenService, method: str) -> None:
        tokens = connect(service, service.client(method)).sign_in(service.username, service.password)
        assert tokens["token_type"] == "Bearer"
        # Authlib and oauthlib each give it in a form of their own.
        assert tokens["scope"] in ("account", ["account"])
        assert tokens["refresh_token"]
        assert tokens["expires_in"] > 0
        service.assert_describes(service.describe(tokens["access_token"]), method)

    def client_credentials_give_a_live_token_and_no_refresh_token(service: SeenService, method: str) -> None:
        tokens = connect(service, service.client(method)).act_for_itself()
        assert "refresh_token" not in tokens
        assert service.describe(tokens["access_token"])["sub"] == service.client(method).client_id

    def a_wrong_secret_is_invalid_client(service: SeenService, method: str) -> None:
        stranger = DemoClient(service.client(method).client_id, "wrong", method)
        application = connect(service, stranger)
        assert refusal(lambda: application.sign_in(service.username, service.password)) == "invalid_client"

    def a_wrong_password_is_invalid_grant(service: SeenService, method: str) -> None:
        application = connect(service, service.client(method))
        assert (
            refusal(lambda: application.sign_in(service.username, "wrong and long enough")) == "invalid_grant"
        )

    def a_scope_that_may_not_be_had_is_invalid_scope(service: SeenService, method: str) -> None:
        application = connect(service, service.client(method))
        assert (
            refusal(lambda: application.sign_in(service.username, service.password, "account everything"))
            == "invalid_scope"
        )

    for method in METHODS:
        _add(steps, method, signs_in_with_a_password)
    add_holder_steps(steps, connect, refusal)
    for method in METHODS[1:]:
        _add(
            steps,
            method,
            client_credentials_give_a_live_token_and_no_refresh_token,
            a_wrong_secret_is_invalid_client,
        )
    _add(steps, "none", a_wrong_password_is_invalid_grant, a_scope_that_may_not_be_had_is_invalid_scope)


def _add(steps: Steps, method: str, *taken: MethodStep) -> None:
    for step in taken:
        name = step.__name__.replace("_", " ")
        steps.add(f"by {method}: {name}", partial(step, method=method))
