"""Measurements, each by one command; none is part of `make test`."""
