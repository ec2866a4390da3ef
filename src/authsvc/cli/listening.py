"""The address that a server is to listen at."""

import errno
import socket

from authsvc.errors import OperatorError

LAST_PORT = 65_535


def refuse_taken_port(host: str, port: int) -> None:
    """Say in one sentence that another program is listening there.

    Raises:
        OperatorError: the address cannot be listened at.
    """
    if not host:  # which would be every address of this machine
        raise OperatorError("--host is empty; write 127.0.0.1, or 0.0.0.0 for every address of this machine.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (UnicodeError, TypeError):
            raise OperatorError(f"--host {host!a} is no name; write an address, or a name of DNS.") from None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise OperatorError(
                    f"{host}:{port} cannot be used ({error.strerror}); choose others with --host and --port."
                ) from None
            other = port + 1 if port < LAST_PORT else port - 1
            raise OperatorError(
                f"{host}:{port} is taken by another program. Choose another: --port {other}"
            ) from None
