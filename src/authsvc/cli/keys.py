"""`authsvc keys`: the keys that sign JWTs."""

from typing import Annotated

import typer

from authsvc.cli.output import Json, Value, print_record, print_records
from authsvc.cli.running import with_services
from authsvc.errors import OperatorError
from authsvc.wiring import Services

app = typer.Typer(help="Signing keys: list, rotate, revoke, encrypt anew.", no_args_is_help=True)


@app.command("list")
def list_(*, as_json: Json = False) -> None:
    """List all signing keys, oldest first. The one without a start is published and waits.

    Example: `authsvc keys list`
    """
    keys = with_services(lambda services: services.key_rotation.every())
    records: list[dict[str, Value]] = [
        {
            "kid": key.kid,
            "algorithm": key.algorithm,
            "created_at": key.created_at,
            "signs_from": key.signs_from,
            "revoked_at": key.revoked_at,
        }
        for key in keys
    ]
    print_records(records, as_json=as_json, nothing="No keys.")


@app.command()
def rotate(*, as_json: Json = False) -> None:
    """Let the waiting key sign as soon as every cache of the key set can have it, and publish one more.

    Example: `authsvc keys rotate`
    """
    key = with_services(lambda services: services.key_rotation.rotate())
    record: dict[str, Value] = {"kid": key.kid, "signs_from": key.signs_from}
    print_record(record, as_json=as_json, sentence="The waiting key takes over:")


@app.command()
def revoke(
    kid: Annotated[str, typer.Argument(metavar="KID", help="As `authsvc keys list` shows it.")],
    *,
    as_json: Json = False,
) -> None:
    """Withdraw a key at once: every token it signed is dead. For a key that leaked.

    Example: `authsvc keys revoke 3f2a…`
    """
    successor = with_services(lambda services: services.key_rotation.revoke(kid))
    record: dict[str, Value] = {"kid": kid, "signs_now": None if successor is None else successor.kid}
    print_record(record, as_json=as_json, sentence="Revoked; tokens it signed are dead.")


@app.command()
def reencrypt(*, as_json: Json = False) -> None:
    """Encrypt every private key under the first of AUTHSVC_SECRET_KEYS, before the old one is removed.

    Example: `authsvc keys reencrypt`
    """

    async def work(services: Services) -> int:
        done, unreadable = await services.key_rotation.reencrypt()
        if unreadable:
            raise OperatorError(
                f"{unreadable} of {done + unreadable} keys cannot be decrypted with any of "
                "AUTHSVC_SECRET_KEYS; add the secret that encrypted them. The others are done."
            )
        return done

    print_record({"keys": with_services(work)}, as_json=as_json, sentence="Encrypted anew.")
