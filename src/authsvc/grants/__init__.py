"""Grants: the file name is the `grant_type`. `issuing` makes the tokens they all end in.

| file | what a client exchanges | RFC |
| --- | --- | --- |
| `password` | a username and a password, for a new session | RFC 6749 §4.3 |
| `refresh_token` | a refresh token, for the next of its session; judged by `refresh_verdict` | RFC 6749 §6 |
| `client_credentials` | its own secret, for a token of its own | RFC 6749 §4.4 |
"""
