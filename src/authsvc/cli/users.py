"""`authsvc users`: accounts, as the operator handles them."""

import sys
from typing import Annotated

import typer

from authsvc.accounts import Account
from authsvc.cli.output import Json, Value, print_record, print_records
from authsvc.cli.running import with_services
from authsvc.errors import OperatorError
from authsvc.wiring import Services

app = typer.Typer(help="Accounts: add, list, change, disable, delete.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The username.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


def _password(*, from_stdin: bool) -> str:
    if sys.stdin is None:  # closed by whoever started us
        raise OperatorError("There is no standard input to read a password from.")
    if from_stdin:
        try:
            return sys.stdin.read().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise OperatorError("The password on standard input is no UTF-8.") from None
    if not sys.stdin.isatty():
        raise OperatorError("There is no terminal to ask for a password; use --password-stdin.")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _record(account: Account) -> dict[str, Value]:
    return {
        "id": str(account.id),
        "username": account.username,
        "created_at": account.created_at,
        "disabled_at": account.disabled_at,
    }


@app.command()
def add(name: Name, *, password_stdin: FromStdin = False, as_json: Json = False) -> None:
    """Make an account.

    Example: `printf %s "$PASSWORD" | authsvc users add ada@example.com --password-stdin`
    """
    password = _password(from_stdin=password_stdin)
    account = with_services(lambda services: services.accounts.add(name, password))
    print_record(_record(account), as_json=as_json, sentence="Account made.")


@app.command("list")
def list_(*, as_json: Json = False) -> None:
    """List all accounts, oldest first.

    Example: `authsvc users list --json`
    """

    async def work(services: Services) -> list[Account]:
        accounts: list[Account] = []
        while page := await services.accounts.page(after=accounts[-1].id if accounts else None):
            accounts += page
        return accounts

    records = [_record(account) for account in with_services(work)]
    print_records(records, as_json=as_json, nothing="No accounts. Make one with: authsvc users add NAME")


@app.command("set-password")
def set_password(name: Name, *, password_stdin: FromStdin = False, as_json: Json = False) -> None:
    """Replace an account's password and end all its sessions.

    Example: `authsvc users set-password ada@example.com`
    """
    password = _password(from_stdin=password_stdin)

    async def work(services: Services) -> Account:
        account = await services.accounts.named(name)
        await services.accounts.set_password(account, password)
        return account

    account = with_services(work)
    print_record(
        _record(account), as_json=as_json, sentence="Password set; every session of the account ended."
    )


@app.command()
def rename(
    name: Name,
    new_name: Annotated[str, typer.Argument(metavar="NEW_NAME", help="The username from now on.")],
    *,
    as_json: Json = False,
) -> None:
    """Give an account another name; its sessions go on.

    Example: `authsvc users rename ada@example.com ada.lovelace@example.com`
    """

    async def work(services: Services) -> Account:
        account = await services.accounts.named(name)
        await services.accounts.rename(account, new_name)
        return await services.accounts.named(new_name)

    print_record(_record(with_services(work)), as_json=as_json, sentence="Renamed.")


@app.command()
def disable(name: Name, *, as_json: Json = False) -> None:
    """Stop an account from signing in, and end all its sessions at once.

    Example: `authsvc users disable ada@example.com`
    """

    async def work(services: Services) -> int:
        return await services.accounts.disable(await services.accounts.named(name))

    record: dict[str, Value] = {"username": name, "sessions_ended": with_services(work)}
    print_record(record, as_json=as_json, sentence="Disabled.")


@app.command()
def enable(name: Name, *, as_json: Json = False) -> None:
    """Let an account sign in again. Sessions that were ended stay ended.

    Example: `authsvc users enable ada@example.com`
    """

    async def work(services: Services) -> Account:
        await services.accounts.enable(await services.accounts.named(name))
        return await services.accounts.named(name)

    print_record(_record(with_services(work)), as_json=as_json, sentence="Enabled.")


@app.command("end-sessions")
def end_sessions(name: Name, *, as_json: Json = False) -> None:
    """Log an account out everywhere; it may sign in again.

    Example: `authsvc users end-sessions ada@example.com`
    """

    async def work(services: Services) -> int:
        account = await services.accounts.named(name)
        return await services.sessions.end_all(account.id, reason="ended_by_operator")

    record: dict[str, Value] = {"username": name, "sessions_ended": with_services(work)}
    print_record(record, as_json=as_json, sentence="Logged out everywhere.")


@app.command()
def delete(name: Name, *, as_json: Json = False) -> None:
    """Disable an account, end all its sessions at once and free its name; `db purge` removes it later.

    Example: `authsvc users delete ada@example.com`
    """

    async def work(services: Services) -> int:
        return await services.accounts.delete(await services.accounts.named(name))

    record: dict[str, Value] = {"username": name, "sessions_ended": with_services(work)}
    print_record(record, as_json=as_json, sentence="Deleted.")
