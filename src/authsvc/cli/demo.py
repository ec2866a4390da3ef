"""What `authsvc dev` puts into its own database, and what it prints for whoever started it."""

from authsvc.clients import GRANTS, new_client
from authsvc.demo_credentials import (
    DEMO_ACCOUNT_ID,
    DEMO_INTROSPECTING_CLIENT_ID,
    DEMO_INTROSPECTING_CLIENT_SECRET,
    DEMO_PASSWORD,
    DEMO_PUBLIC_CLIENT_ID,
    DEMO_USERNAME,
)
from authsvc.errors import OperatorError
from authsvc.scopes import ACCOUNT
from authsvc.wiring import Services


async def add_demo(services: Services) -> None:
    """Make the demo account and the two demo clients where they are missing."""
    if await services.accounts.find(DEMO_ACCOUNT_ID) is None:
        await services.accounts.add(DEMO_USERNAME, DEMO_PASSWORD, account_id=DEMO_ACCOUNT_ID)
    scope = frozenset({ACCOUNT})
    for client in (
        new_client(
            "A demo app",
            services.clock,
            secret=None,
            id=DEMO_PUBLIC_CLIENT_ID,
            grants=frozenset({"password", "refresh_token"}),
            scope=scope,
            default_scope=scope,
        ),
        new_client(
            "A demo service that asks about tokens",
            services.clock,
            secret=DEMO_INTROSPECTING_CLIENT_SECRET,
            id=DEMO_INTROSPECTING_CLIENT_ID,
            grants=frozenset(GRANTS),
            scope=scope,
            default_scope=scope,
            may_introspect=True,
        ),
    ):
        if await services.clients.find(client.id) is None:
            await services.clients.add(client)


async def refuse_demo(services: Services) -> None:
    """Refuse a database that holds credentials anyone can read.

    Raises:
        OperatorError: the demo account or a demo client is in it.
    """
    account = await services.accounts.find(DEMO_ACCOUNT_ID)
    client = await services.clients.find(DEMO_INTROSPECTING_CLIENT_ID)
    if account is not None or client is not None:
        raise OperatorError(
            "AUTHSVC_DATABASE_URL: this database holds the demo account of `authsvc dev`, whose password is "
            "published. Name another database for `authsvc serve`."
        )


def curl_lines(base: str) -> str:
    """Return four lines that log in, ask who that is, introspect and log out, pasted in this order."""
    client = f"{DEMO_INTROSPECTING_CLIENT_ID}:{DEMO_INTROSPECTING_CLIENT_SECRET}"
    login = f"-d username={DEMO_USERNAME} --data-urlencode 'password={DEMO_PASSWORD}'"
    take = """sed 's/.*"access_token":"//; s/".*//'"""
    return "\n".join(
        [
            f'TOKEN=$(curl -s {base}/login {login} | {take}); echo "$TOKEN"',
            f'curl -s {base}/me -H "Authorization: Bearer $TOKEN"; echo',
            f'curl -s {base}/introspect -u {client} -d "token=$TOKEN"; echo',
            f'curl -si -X POST {base}/logout -H "Authorization: Bearer $TOKEN" | head -n 1',
        ]
    )
