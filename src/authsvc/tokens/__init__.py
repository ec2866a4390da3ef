"""Tokens. An access token is issued in one of two formats, judged by its shape, and dies by its names.

`access_token` says what one is; `jwt` and `opaque` are its two formats, `verifier` picks by shape;
`refresh_handle` makes and opens refresh tokens; `keys` holds what signs.
"""
