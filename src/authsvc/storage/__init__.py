"""The only package that knows SQL and Redis: one file per table or key family.

Postgres (or the embedded SQLite) is the authority for everything. Redis holds the denylist, an
index of what Postgres already knows, so that a check of a JWT costs one short round trip.
"""
