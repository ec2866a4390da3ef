"""When the garbage collector looks, and at what.

`__main__` switches it off before anything is loaded. A request leaves no reference cycles behind, so there is
little to find; each look goes through the objects of all requests in work, and holds them up.
"""

import gc

_NEW_OBJECTS = 10_000  # before the youngest are looked through; the default of 700 is that of 30 requests


def go_on() -> None:
    """Look again, if that was switched off, but not through what is loaded by now: all of it stays."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def settle_in() -> None:
    """Leave out what the start has made, since all of it stays, and look for garbage less often."""
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
