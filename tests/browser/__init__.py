"""Swagger UI and a single page application, in a real Chromium: `make browser`."""
