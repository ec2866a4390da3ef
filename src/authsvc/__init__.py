"""authsvc: an async, API-only authentication microservice."""

from importlib.metadata import version

__version__ = version("authsvc")
