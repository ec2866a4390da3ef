"""Every metric of the service. Labels hold names from fixed sets, never a user's or a token's."""

import os

from prometheus_client import (
    PLATFORM_COLLECTOR,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where several workers share their counts; the library reads it when it is first imported."""

EVENTS = Counter("authsvc_events", "Security events by name; logins by outcome are among them.", ["event"])
REQUESTS = Histogram(
    "authsvc_request_seconds",
    "Time to answer, by method, route and status.",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)
REQUESTS_REFUSED = Counter(
    "authsvc_requests_refused",
    "Requests and connections turned away by a limit, before anything was looked into.",
    ["limit"],
)
HASHES = Histogram(
    "authsvc_password_hash_seconds",
    "Time one password hash took, without its wait.",
    buckets=(0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0),
)
HASHES_REFUSED = Counter(
    "authsvc_password_hashes_refused", "Passwords not hashed because the wait was long or memory was short."
)
STORE_ERRORS = Counter("authsvc_store_errors", "Times a store could not be asked.", ["store"])
FALLBACKS = Counter("authsvc_fallbacks", "Checks that asked the database because Redis could not be asked.")
JOB_FAILURES = Counter("authsvc_job_failures", "Turns of a background job that failed.", ["job"])
LOADS = Counter("authsvc_denylist_loads", "Times the denylist was loaded into Redis from the database.")
PURGED = Counter("authsvc_purged_rows", "Rows that clean-up has removed.", ["table"])
PURGE_SECONDS = Histogram(
    "authsvc_purge_seconds",
    "Time one turn of clean-up took, its rests among it.",
    buckets=(0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0),
)
PURGE_LAST_SUCCESS = Gauge(
    "authsvc_purge_last_success_timestamp_seconds",
    "When this server last ended a turn of clean-up.",
    multiprocess_mode="max",
)
CLOCK_STEPS = Counter("authsvc_clock_steps", "Times the database's clock was found set by a second or more.")
GUESSES_COUNTED_HERE = Counter(
    "authsvc_guesses_counted_here", "Guesses that one process counted alone because Redis could not be asked."
)
DENIALS = Counter("authsvc_denials", "Denials written to the denylist.")


# It would name the versions of what this runs on.
REGISTRY.unregister(PLATFORM_COLLECTOR)


def exposition() -> bytes:
    """Return all metrics in the text format of Prometheus, of every worker of this server."""
    if not os.environ.get(MULTIPROCESS_FOLDER):  # noqa: TID251 - the library's own variable
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # the library has no types here
    return generate_latest(registry)
