"""Published OAuth 2.0 clients, unmodified, against a running authsvc: `python -m tests.clients.run`."""
