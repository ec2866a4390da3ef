"""The extension to ASGI by which a server takes an answer that is there whole.

Other servers have none, and get the same answer in the two messages that they know.
"""

from collections.abc import Callable, Sequence

EXTENSION = "authsvc.whole_answer"

TakeWhole = Callable[[int, Sequence[tuple[bytes, bytes]], bytes], bool]
"""Is given status, headers and body, and tells whether it sent them; if not, nothing was sent."""
