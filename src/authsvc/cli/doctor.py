"""`authsvc doctor`: what is wrong with this set-up, and what to type."""

import asyncio
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from authsvc.cli.finding import Finding, refused
from authsvc.cli.findings import Surroundings, examine
from authsvc.cli.output import Json, print_json
from authsvc.environment import load_settings
from authsvc.errors import OperatorError, Unavailable, reason
from authsvc.logs import configure_logs
from authsvc.wiring import build_services

_MARKS = {"ok": "ok      ", "warning": "warning ", "problem": "PROBLEM "}
_COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


def doctor(
    *,
    host: Annotated[str, typer.Option("--host", help="As for `serve`.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="As for `serve`.")] = 8000,
    workers: Annotated[int, typer.Option("--workers", min=1, max=256, help="As for `serve`.")] = 1,
    as_json: Json = False,
) -> None:
    """Look at settings, stores, clock, secrets, proxies and the issuer's URL; say what to mend and how.

    The exit status is 1 if there is a problem, 0 if there are warnings at most.

    Example: `authsvc doctor --host 0.0.0.0 --workers 4`
    """
    configure_logs("console", "error")
    findings = asyncio.run(_findings(Surroundings(host, port, workers)))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            _print(finding)
    if any(finding.level == "problem" for finding in findings):
        raise typer.Exit(1)


async def _findings(around: Surroundings) -> list[Finding]:
    try:
        settings = load_settings()
        services = build_services(settings)
    except OperatorError as error:
        return [refused("settings", line) for line in str(error).splitlines()]
    findings: list[Finding] = []
    try:
        async for finding in examine(settings, services, around):
            findings.append(finding)  # noqa: PERF401 - what was found before a store went away counts
    except Unavailable as error:
        findings.append(_lost(error))
    finally:
        services.hasher.close()
        await services.stores.close()
    return findings


def _lost(error: Unavailable) -> Finding:
    return Finding(
        "database",
        "problem",
        f"{error.description.removesuffix('.')} {reason(error)}".strip(),
        "requests that need it are answered 503",
        "psql, as the role of AUTHSVC_DATABASE_URL: it must get in, and may read and write the tables",
    )


def _print(finding: Finding) -> None:
    mark = typer.style(_MARKS[finding.level], fg=_COLOURS[finding.level] if sys.stdout.isatty() else None)
    line = f"{mark}{finding.subject}: {finding.what}"
    if finding.why:
        line += f" - {finding.why} - type: {finding.cure}"
    typer.echo(line)
