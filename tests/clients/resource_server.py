"""The steps that every resource server takes which checks access tokens itself, by the published keys."""

from collections.abc import Callable

from tests.clients.seen_service import Json, SeenService
from tests.clients.steps import Steps, raises

ELSEWHERE = "https://other.example"
# (service, token, issuer, audience) -> claims
Verify = Callable[[SeenService, str, str, str], Json]


def add_resource_server_steps(steps: Steps, verify: Verify, refusal: type[Exception]) -> None:
    """Add them; *verify* raises a *refusal* for a token it does not admit."""

    @steps
    def a_users_access_token_is_admitted(service: SeenService) -> None:
        token = service.sign_in()["access_token"]
        claims = verify(service, token, service.url, service.url)
        assert claims["username"] == service.username
        assert claims["client_id"] == service.client("none").client_id
        assert claims["sub"] == service.describe(token)["sub"]

    @steps
    def a_services_access_token_is_admitted(service: SeenService) -> None:
        claims = verify(service, service.act_for_itself(), service.url, service.url)
        assert claims["sub"] == service.client("client_secret_post").client_id

    @steps
    def an_access_token_is_refused_where_another_audience_is_meant(service: SeenService) -> None:
        token = service.sign_in()["access_token"]
        assert raises(refusal, lambda: verify(service, token, service.url, ELSEWHERE))

    @steps
    def an_access_token_is_refused_where_another_issuer_is_trusted(service: SeenService) -> None:
        token = service.sign_in()["access_token"]
        assert raises(refusal, lambda: verify(service, token, ELSEWHERE, service.url))

    @steps
    def an_access_token_with_another_signature_is_refused(service: SeenService) -> None:
        first, second = (service.sign_in()["access_token"] for _ in range(2))
        forged = ".".join([*first.split(".")[:2], second.split(".")[2]])
        assert raises(refusal, lambda: verify(service, forged, service.url, service.url))
