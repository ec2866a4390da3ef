"""The parts of a page that a command writes: they stand between two marks."""

from pathlib import Path


def replace_section(file: Path, name: str, text: str) -> None:
    """Put *text* between `<!-- name -->` and `<!-- /name -->`.

    Raises:
        ValueError: the marks are not there.
    """
    page = file.read_text()
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, is_there, rest = page.partition(begin)
    _, is_closed, tail = rest.partition(end)
    if not is_there or not is_closed:
        raise ValueError(f"{file.name} has no {begin} … {end} to write between.")
    file.write_text(f"{head}{begin}\n\n{text.strip()}\n\n{end}{tail}")
