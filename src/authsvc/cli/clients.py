"""`authsvc clients`: the applications that may ask for tokens."""

from datetime import timedelta
from typing import Annotated

import typer

from authsvc.cli.output import Json, Value, print_record, print_records
from authsvc.cli.running import with_services
from authsvc.clients import GRANTS, Client, new_client
from authsvc.scopes import ACCOUNT, parse_scope
from authsvc.secret_tokens import new_client_secret
from authsvc.wiring import Services

app = typer.Typer(help="Clients: the applications that may ask for tokens.", no_args_is_help=True)

ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID", help="As `authsvc clients list` shows it.")]
Scopes = Annotated[list[str] | None, typer.Option("--scope", help="A scope it may have. Repeat it for more.")]
DefaultScopes = Annotated[
    list[str] | None, typer.Option("--default-scope", help="A scope it gets unasked. Default: all of them.")
]
Grants = Annotated[
    list[str] | None, typer.Option("--grant", help=f"One of: {', '.join(GRANTS)}. Repeatable.")
]
Audience = Annotated[
    str | None, typer.Option("--audience", help="`aud` of its tokens. Default: the service's.")
]
SHOWN_ONCE = "The secret is shown this once; keep it where the application finds it."


def _record(client: Client) -> dict[str, Value]:
    return {
        "client_id": client.id,
        "name": client.name,
        "confidential": client.is_confidential,
        "grants": sorted(client.grants),
        "scope": sorted(client.scope),
        "default_scope": sorted(client.default_scope),
        "audience": client.audience,
        "introspect": client.may_introspect,
        "created_at": client.created_at,
        "disabled_at": client.disabled_at,
    }


# long: the options of a command are its signature
@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A label; the id is generated.")],
    *,
    confidential: Annotated[bool, typer.Option("--confidential", help="It can keep a secret.")] = False,
    scope: Scopes = None,
    default_scope: DefaultScopes = None,
    grant: Grants = None,
    audience: Audience = None,
    introspect: Annotated[
        bool, typer.Option("--introspect", help="It may ask about every access token.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Register a client.

    Without `--grant` it gets every grant its kind can use, without `--scope` the scope `account`.

    A web or mobile app: `authsvc clients add shop`

    A service that asks about tokens: `authsvc clients add orders --confidential --introspect`
    """
    secret = new_client_secret() if confidential else None
    scopes = parse_scope(" ".join(scope or [ACCOUNT]))
    grants = grant or [one for one in GRANTS if confidential or one != "client_credentials"]

    async def work(services: Services) -> Client:
        client = new_client(
            name,
            services.clock,
            secret=secret,
            grants=frozenset(grants),
            scope=scopes,
            default_scope=scopes if default_scope is None else parse_scope(" ".join(default_scope)),
            audience=audience,
            may_introspect=introspect,
        )
        await services.clients.add(client)
        return client

    record = _record(with_services(work))
    if secret is not None:
        record = {"client_id": record.pop("client_id"), "client_secret": secret} | record
    print_record(
        record, as_json=as_json, sentence=f"Client registered. {SHOWN_ONCE if secret else ''}".strip()
    )


@app.command("list")
def list_(*, as_json: Json = False) -> None:
    """List all clients, oldest first.

    Example: `authsvc clients list --json`
    """
    clients = with_services(lambda services: services.clients.every())
    print_records([_record(client) for client in clients], as_json=as_json, nothing="No clients.")


@app.command("set")
def set_(
    client_id: ClientId,
    *,
    name: Annotated[str | None, typer.Option("--name", help="A new label.")] = None,
    scope: Scopes = None,
    default_scope: DefaultScopes = None,
    grant: Grants = None,
    audience: Audience = None,
    introspect: Annotated[
        bool | None, typer.Option("--introspect/--no-introspect", help="It may ask about every access token.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Change a client; what is not named stays. Lists replace what was there.

    Keep an app from the password grant: `authsvc clients set CLIENT_ID --grant refresh_token`
    """
    changes: dict[str, object] = {
        "name": name,
        "scope": None if scope is None else parse_scope(" ".join(scope)),
        "default_scope": None if default_scope is None else parse_scope(" ".join(default_scope)),
        "grants": None if grant is None else frozenset(grant),
        "audience": audience,
        "may_introspect": introspect,
    }
    if scope is not None and default_scope is None:
        changes["default_scope"] = changes["scope"]
    named = {field: value for field, value in changes.items() if value is not None}
    client = with_services(lambda services: services.clients.change(client_id, **named))
    print_record(
        _record(client), as_json=as_json, sentence="Changed." if named else "Nothing was named to change."
    )


@app.command("rotate-secret")
def rotate_secret(
    client_id: ClientId,
    *,
    overlap: Annotated[
        int,
        typer.Option("--overlap", min=0, max=30 * 86_400, help="Seconds for which the old secret works on."),
    ] = 0,
    as_json: Json = False,
) -> None:
    """Give a confidential client a new secret.

    Example: `authsvc clients rotate-secret CLIENT_ID --overlap 3600`
    """
    span = timedelta(seconds=overlap)
    secret = with_services(lambda services: services.clients.rotate_secret(client_id, overlap=span))
    record: dict[str, Value] = {"client_id": client_id, "client_secret": secret}
    print_record(record, as_json=as_json, sentence=SHOWN_ONCE)


@app.command()
def disable(client_id: ClientId, *, as_json: Json = False) -> None:
    """Suspend a client and every token issued to it, until it is enabled again.

    Example: `authsvc clients disable CLIENT_ID`
    """
    with_services(lambda services: services.clients.disable(client_id))
    print_record({"client_id": client_id}, as_json=as_json, sentence="Disabled.")


@app.command()
def enable(client_id: ClientId, *, as_json: Json = False) -> None:
    """Let a client work again; its tokens that have not expired live again.

    Example: `authsvc clients enable CLIENT_ID`
    """
    with_services(lambda services: services.clients.enable(client_id))
    print_record({"client_id": client_id}, as_json=as_json, sentence="Enabled.")
