"""Postgres: all seven tables. Alembic compares them with the migrations; queries are in their own files."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from authsvc.storage.dialect import UtcDateTime

metadata = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

_FALSE = {"server_default": sa.false()}


class AccountRow(SQLModel, table=True):
    """A resource owner. `username_key` is the case-mapped name; a deleted account has none.

    `known_addresses` is written by some sign-ins and in no index, so the row is updated in place (HOT).
    """

    __tablename__ = "account"

    id: UUID = Field(primary_key=True)
    username: str = Field(sa_type=sa.Text)
    username_key: str | None = Field(sa_type=sa.Text, unique=True)
    password_hash: str = Field(sa_type=sa.Text)
    created_at: datetime = Field(sa_type=UtcDateTime)
    disabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    known_addresses: bytes | None = Field(default=None)


class ClientRow(SQLModel, table=True):
    """A registered application. Grants, scope and default scope are lists with spaces.

    Every change raises `version`, by which an instance tells that its copy is an old one.
    """

    __tablename__ = "client"

    id: str = Field(primary_key=True, sa_type=sa.Text)
    name: str = Field(sa_type=sa.Text)
    is_confidential: bool
    secret_sha256: bytes | None = Field(default=None)
    previous_secret_sha256: bytes | None = Field(default=None)
    previous_secret_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    grants: str = Field(sa_type=sa.Text)
    scope: str = Field(sa_type=sa.Text)
    default_scope: str = Field(sa_type=sa.Text)
    audience: str | None = Field(default=None, sa_type=sa.Text)
    may_introspect: bool
    created_at: datetime = Field(sa_type=UtcDateTime)
    disabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = Field(sa_column_kwargs={"server_default": "1"})
    changed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    undelivered: bool = Field(sa_column_kwargs=_FALSE)


class SessionRow(SQLModel, table=True):
    """One sign-in of an account through a client, and the ratchet of its refresh tokens.

    No column that a refresh writes is in an index, so Postgres updates the row in place (HOT).
    """

    __tablename__ = "session"
    __table_args__ = (
        sa.Index("ix_session_account_id", "account_id"),
        sa.Index(
            "ix_session_undelivered",
            "id",
            postgresql_where=sa.text("undelivered"),
            sqlite_where=sa.text("undelivered"),
        ),
        sa.Index(
            "ix_session_ended_at",
            "ended_at",
            postgresql_where=sa.text("ended_at IS NOT NULL"),
            sqlite_where=sa.text("ended_at IS NOT NULL"),
        ),
        {"postgresql_with": {"fillfactor": "80"}},
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="account.id")
    client_id: str = Field(foreign_key="client.id", sa_type=sa.Text)
    scope: str = Field(sa_type=sa.Text)
    salt: bytes
    server_key_id: str = Field(sa_type=sa.Text)
    generation: int = Field(sa_type=sa.BigInteger)
    rotated_at: datetime = Field(sa_type=UtcDateTime)
    repeats: int
    access_tokens_issued: int = Field(sa_type=sa.BigInteger)
    created_at: datetime = Field(sa_type=UtcDateTime)
    last_used_at: datetime = Field(sa_type=UtcDateTime)
    access_until: datetime = Field(sa_type=UtcDateTime)
    address: str | None = Field(default=None, sa_type=sa.Text)
    user_agent: str | None = Field(default=None, sa_type=sa.Text)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    end_reason: str | None = Field(default=None, sa_type=sa.Text)
    undelivered: bool


class AccessTokenRow(SQLModel, table=True):
    """An opaque access token, by its SHA-256. One of a client's own has no session.

    `number` counts the access tokens of a session; times within one second do not order them.
    """

    __tablename__ = "access_token"
    __table_args__ = (
        sa.Index("ix_access_token_session_id", "session_id"),
        sa.Index("ix_access_token_expires_at", "expires_at"),
    )

    sha256: bytes = Field(primary_key=True)
    session_id: UUID | None = Field(default=None, foreign_key="session.id", ondelete="CASCADE")
    client_id: str = Field(foreign_key="client.id", sa_type=sa.Text)
    number: int = Field(sa_type=sa.BigInteger)
    scope: str = Field(sa_type=sa.Text)
    audience: str = Field(sa_type=sa.Text)
    issued_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)


class DeniedTokenRow(SQLModel, table=True):
    """A single JWT that was revoked before its `exp`."""

    __tablename__ = "denied_token"
    __table_args__ = (
        sa.Index(
            "ix_denied_token_undelivered",
            "jti",
            postgresql_where=sa.text("undelivered"),
            sqlite_where=sa.text("undelivered"),
        ),
        sa.Index("ix_denied_token_expires_at", "expires_at"),
    )

    jti: str = Field(primary_key=True, sa_type=sa.Text)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    denied_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    undelivered: bool


class SigningKeyRow(SQLModel, table=True):
    """A key that signs JWTs. The private part is encrypted with a key of the server's secret.

    `position` orders them and lets only one of two instances make the next one. A key signs from
    `signs_from` until the one after it does; the last one, with none, is published and waits.
    """

    __tablename__ = "signing_key"

    kid: str = Field(primary_key=True, sa_type=sa.Text)
    position: int = Field(unique=True)
    algorithm: str = Field(sa_type=sa.Text)
    public_pem: str = Field(sa_type=sa.Text)
    encrypted_private_pem: str = Field(sa_type=sa.Text)
    created_at: datetime = Field(sa_type=UtcDateTime)
    signs_from: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    undelivered: bool = Field(sa_column_kwargs=_FALSE)


class LeaseRow(SQLModel, table=True):
    """What one holder has for all instances, until `expires_at` if that is set."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True, sa_type=sa.Text)
    holder: str = Field(sa_type=sa.Text)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
