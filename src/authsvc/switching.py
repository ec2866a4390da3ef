"""How soon a thread that waits for the interpreter's lock is given it.

A hash that has ended waits for the lock to say so. A busy event loop lets the lock go between any two of its
callbacks and takes it again at once, and each time the waiting thread is woken in vain, 78 times for one
hash: a fifth of the loop's time while logins are many. Whoever waits for longer than this is handed the lock.
"""

import sys

_SECONDS = 0.000_02  # the default of 5 ms begins anew with each time that it is woken


def switch_soon() -> None:
    """Let no thread of this process wait for longer, about."""
    sys.setswitchinterval(_SECONDS)
