"""What an operator is told of a database that is of no use: the variable, why, and what to write instead."""

from authsvc.errors import Unavailable, reason

REFUSES_TLS = "rejected SSL upgrade"
"""What the driver says when a request for TLS is answered by neither yes nor a no that may be."""

_VARIABLE = "AUTHSVC_DATABASE_URL"
_TAKES_NO_WRITES = (
    "this Postgres takes no writes{said}: it is a replica, or set to read only. Name the primary"
)

# By the beginning of Postgres' SQLSTATE.
_SENTENCES = {
    "25006": _TAKES_NO_WRITES,
    "28": "Postgres refuses the login{said}. "
    "Write the right one into it: postgresql://USER:PASSWORD@HOST:5432/DATABASE",
    "3D": "Postgres has no such database{said}. Make it with createdb, or name another",
    "42501": "the role lacks a right{said}. "
    "Name the role that owns the tables, or let that one grant this one to read and write them",
    "53300": "Postgres has no connection left{said}. "
    "Raise its max_connections, or lower AUTHSVC_DATABASE_POOL_SIZE",
}


def of_database(error: Unavailable) -> str:
    """Return the sentence for a command that could not ask the database, or for what else was too busy."""
    if error.__cause__ is None:
        return error.description
    said = f" {reason(error)}"
    driver = getattr(error.__cause__, "orig", None) or error.__cause__
    if hasattr(driver, "sqlite_errorname"):
        return (
            f"{_VARIABLE}: the SQLite file cannot be used{said}. Is its folder there, "
            "may this user write to both, and is there space? (For `authsvc dev`: AUTHSVC_DATA_DIR.)"
        )
    if ".postgresql" in str(getattr(driver, "filename", "")):
        return (
            f"HOME: the driver of Postgres looks for certificates below it and may not{said}. "
            "Set HOME to a folder of this user's own, or to /nonexistent"
        )
    if REFUSES_TLS in str(driver):
        return (
            f"{_VARIABLE}: what answers there is a Postgres without TLS, or none at all. "
            "Turn TLS on there (ssl = on) or take ?ssl=… out of the URL, or name a Postgres"
        )
    state = str(getattr(driver, "sqlstate", None) or "")
    for beginning, sentence in _SENTENCES.items():
        if state.startswith(beginning):
            return f"{_VARIABLE}: {sentence.format(said=said)}"
    return (
        f"{_VARIABLE}: the database cannot be reached{said}. "
        "Is it running, and are host, port, user, password and database name right?"
    )


def of_reading_only() -> str:
    """Return the sentence for a database that answers and can keep nothing."""
    return f"{_VARIABLE}: {_TAKES_NO_WRITES.format(said='')}"
