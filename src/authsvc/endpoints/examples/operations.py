"""What whoever operates the service asks."""

from authsvc.endpoints.examples.example import Example

HEALTHZ = (Example("alive", "It serves", 200, {"status": "ok"}),)

READYZ = (
    Example(
        "embedded",
        "On the embedded database, without Redis",
        200,
        {"status": "ready", "database": "ok", "redis": "not configured"},
    ),
)

METRICS = (
    Example(
        "first_lines",
        "How it begins",
        200,
        "# HELP python_gc_objects_collected_total Objects collected during gc\n"
        "# TYPE python_gc_objects_collected_total counter\n",
    ),
)
