"""Time enters at one place, and the database is asked for it by one query."""

import re
from pathlib import Path

# What SQL and SQLAlchemy call the present; ruff's list of banned names holds what Python does.
OF_SQL = re.compile(
    r"\b(?:clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|current_timestamp|"
    r"current_date|localtimestamp|datetime\('now'\)|func\.now)\b|(?<![\w.])now\(\)",
    re.IGNORECASE,
)


def test_one_query_asks_the_database_the_time(repository: Path) -> None:
    files = [file for folder in ("src", "alembic") for file in (repository / folder).rglob("*.py")]
    asked = {
        file.relative_to(repository).as_posix(): found
        for file in files
        if (found := OF_SQL.findall(file.read_text()))
    }

    assert asked == {"src/authsvc/storage/database_time.py": ["clock_timestamp"]}
