"""Who runs what stands on the pages: each fenced block has a runner, or a reason why it has none."""

import re
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum

from tests.docs.pages import COMMANDS, Block, Page, every_page
from tests.docs.stacks import BACKEND_PAGE, KINDS

# Each is read from its first page to its last by one reader, in `test_readings.py`.
DEVELOPERS = (
    "docs/sessions-or-tokens.md",
    "docs/coming-from/fastapi-users.md",
    "docs/coming-from/keycloak.md",
    "docs/coming-from/supabase.md",
    # The last of them, since it goes on to production.
    "README.md",
)
OPERATORS = (
    "docs/production.md",
    "docs/backup.md",
    "docs/coming-from/users.md",
    "docs/when-something-dies.md",
)
PROXY = "docs/proxy.md"
# What installs packages is no part of `make test`: on these pages `make newcomer` types it.
NEWCOMERS = (
    "docs/guard/fastapi.md",
    "docs/guard/flask.md",
    "docs/guard/express.md",
    "docs/production.md",
)
_INSTALLATION = re.compile(r"python3 -m venv |\. \S+/activate$|\S*pip install |npm install ")


class Reason(StrEnum):
    """Why nothing runs a command. There are no other reasons."""

    CONTAINERS = "a container command"
    SUITE = "it would start the suite within the suite"
    SOFTWARE = "software that is not to be had in a test"
    LONG = "it takes more than ten minutes"


_CONTAINER_PAGE = "docs/container.md"
NOT_EXECUTED = {
    (_CONTAINER_PAGE, "docker build -t authsvc ."): Reason.CONTAINERS,
    # For the compose file alone, which refuses to start without it.
    (
        _CONTAINER_PAGE,
        "export AUTHSVC_SECRET_KEYS=$(python3 -c 'import secrets; print(secrets.token_urlsafe(48))')",
    ): Reason.CONTAINERS,
    (
        _CONTAINER_PAGE,
        (
            "docker compose up --build                                             "
            "# with Postgres and Redis, for a first run"
        ),
    ): Reason.CONTAINERS,
    (
        _CONTAINER_PAGE,
        "docker compose exec authsvc python -m authsvc users add ada@example.com",
    ): Reason.CONTAINERS,
    (
        _CONTAINER_PAGE,
        (
            "docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges --init \\\n"
            "    --stop-timeout 30 --restart unless-stopped --env-file /etc/authsvc.env "
            "--publish 127.0.0.1:8000:8000 \\\n"
            "    authsvc python -m authsvc serve --host 0.0.0.0 --workers 4"
        ),
    ): Reason.CONTAINERS,
    ("README.md", "make test"): Reason.SUITE,
    ("docs/demands.md", "AUTHSVC_TEST_VECTORS=/path/to/wycheproof/testvectors_v1 make test"): Reason.SUITE,
    ("docs/guard/apache.md", "apt-get install apache2 libapache2-mod-oauth2"): Reason.SOFTWARE,
    ("docs/guard/apache.md", "a2enmod oauth2 headers proxy_http"): Reason.SOFTWARE,
}
"""The only list of commands that nothing runs, each by its page and its text."""

TESTS = "tests/docs/test_readings.py"
GUARDS = "tests/docs/test_guards.py"
NEWCOMER = "tests/docs/newcomer.py"
# What is no command: the code and the configurations.
_CODE = {
    **{(kind.page, kind.language): GUARDS for kind in KINDS.values()},
    (BACKEND_PAGE, "python"): GUARDS,
    ("docs/clients.md", "js"): "tests/clients/printed.py",
    ("docs/clients.md", "python"): "tests/clients/printed.py",
    (PROXY, "nginx"): TESTS,
    ("docs/production.md", "yaml"): "tests/docs/test_kubernetes.py",
    # The usage of each command, which is no command.
    ("docs/command-line.md", "text"): "tests/architecture/test_reference_pages.py",
}
_DRAWINGS = "tests/docs/test_drawings.py"


def is_installation(line: str) -> bool:
    return _INSTALLATION.match(line) is not None


def runners() -> Iterator[tuple[str, str, str | None]]:
    """Yield each command and each other block: its page, its text, and the file that runs it, if one does."""
    for path in every_page():
        for block in Page(path).blocks:
            if block.language in COMMANDS:
                for command in block.commands():
                    yield path, command.line, _runner_of_command(path, command.line)
            else:
                yield path, block.code, _runner_of_code(path, block)


def summary() -> str:
    """Say in some lines how many commands are run by whom, and which are not and why."""
    counted = Counter(runner for _, _, runner in runners() if runner)
    by = ", ".join(f"{runner} {count}" for runner, count in sorted(counted.items()))
    listed = [f"  {page}: {line}: {reason}" for (page, line), reason in NOT_EXECUTED.items()]
    return "\n".join([f"commands and code of the documentation: {by}; not run {len(listed)}:", *listed])


def _runner_of_command(path: str, line: str) -> str | None:
    if (path, line) in NOT_EXECUTED:
        return None
    if is_installation(line):
        return NEWCOMER if path in NEWCOMERS else None
    if path in (*DEVELOPERS, *OPERATORS, PROXY):
        return TESTS
    return GUARDS if path in {kind.page for kind in KINDS.values()} else None


def _runner_of_code(path: str, block: Block) -> str | None:
    return _DRAWINGS if block.language == "mermaid" else _CODE.get((path, block.language))
