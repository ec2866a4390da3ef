"""The extension to ASGI by which a server takes an answer that is there whole.

Other servers have none, and get the same answer in the two messages that they know.
"""

from collections.abc import Callable, Sequence

from starlette.types import Scope

EXTENSION = "authsvc.whole_answer"

TakeWhole = Callable[[Scope, int, Sequence[tuple[bytes, bytes]], bytes], bool]
"""Is given the request, status, headers and body, and tells whether it sent them; if not, it sent nothing."""
