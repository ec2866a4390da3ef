"""A bar on standard error for what takes long; nothing where that is no terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class _Count(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Show how many of how many, and how fast."""
        return Text(
            f"{int(task.completed):,} of about {int(task.total or 0):,} rows, {task.speed or 0:,.0f}/s"
        )


@contextmanager
def bar(total: int) -> Iterator[Callable[[str, int], None]]:
    """Show a bar for the length of the block; tell what it yields what is at work, and how much was done."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), _Count(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=total)
        done = 0

        def advance(what: str, count: int) -> None:
            nonlocal done
            done += count
            # An estimate may be too low.
            progress.update(task, description=what, completed=done, total=max(total, done))

        yield advance
