"""How many files this process may open; each connection is one."""

import sys
from typing import Final

from authsvc.errors import OperatorError
from authsvc.settings import PREFIX

OTHER_FILES: Final = 200
"""What is open beside connections, and connections that are about to be closed."""


def make_room(connections: int, pool_size: int) -> None:
    """Let this process and its workers open as many as they need, where only a soft limit is in the way.

    Raises:
        OperatorError: the hard limit is too low.
    """
    if sys.platform == "win32":  # it has no such limit
        return
    import resource  # noqa: PLC0415 - not everywhere

    needed = connections + pool_size + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        most = hard - pool_size - OTHER_FILES
        cure = f" or write {PREFIX}MAX_CONNECTIONS={most}" if most >= 10 else ""  # noqa: PLR2004 - the setting's least
        raise OperatorError(
            f"{PREFIX}MAX_CONNECTIONS is {connections}, which takes {needed} open files, and this process "
            f"may open {hard}. Allow more (ulimit -n {needed}; in systemd LimitNOFILE={needed}){cure}."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
