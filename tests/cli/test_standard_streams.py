"""Commands whose standard streams are closed or full say so in a sentence, or do without."""

import subprocess
import sys

import pytest

from tests.fixtures.command import environment
from tests.fixtures.installation import Installation
from tests.fixtures.process import ServerProcess
from tests.fixtures.processes import free_port

COMMANDS = [("doctor", "--port", "0000"), ("users", "list"), ("users", "list", "--json")]


def in_a_shell(
    installation: Installation, redirection: str, *command: str
) -> subprocess.CompletedProcess[str]:
    port = str(free_port())
    words = [port if word == "0000" else word for word in command]
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-m", "authsvc", *words],
        cwd=installation.folder,
        env=environment(installation.settings),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_does_without_a_stream_that_is_closed(
    embedded: Installation, redirection: str, command: tuple[str, ...]
) -> None:
    done = in_a_shell(embedded, redirection, *command)

    assert (done.returncode, done.stderr) == (0, "")
    assert (done.stdout == "") == (">&-" in redirection.replace("2>&-", ""))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_whose_output_finds_no_room_says_so(
    embedded: Installation, command: tuple[str, ...]
) -> None:
    done = in_a_shell(embedded, ">/dev/full", *command)

    assert done.returncode == 1
    assert done.stderr == "Standard output cannot be written to (No space left on device).\n"


def test_a_server_without_any_stream_serves_and_ends_in_order(embedded: Installation) -> None:
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
    server = ServerProcess("serve", settings=embedded.settings, folder=embedded.folder, through=closed)
    embedded.servers.append(server)

    assert server.wait_until_serving().stop() == 0
