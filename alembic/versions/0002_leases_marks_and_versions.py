"""Who holds what for all instances, what Redis has not heard of yet, and how often a client changed."""

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
    with op.batch_alter_table("client") as client:
        client.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        client.add_column(sa.Column("changed_at", MOMENT, nullable=True))
        client.add_column(sa.Column("undelivered", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("signing_key") as key:
        key.add_column(sa.Column("undelivered", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("denied_token") as token:
        token.add_column(sa.Column("denied_at", MOMENT, nullable=True))
    op.create_index("ix_denied_token_expires_at", "denied_token", ["expires_at"])
    op.create_index("ix_access_token_expires_at", "access_token", ["expires_at"])
    ended = sa.text("ended_at IS NOT NULL")
    op.create_index(
        "ix_session_ended_at", "session", ["ended_at"], postgresql_where=ended, sqlite_where=ended
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_session_ended_at", "session")
    op.drop_index("ix_access_token_expires_at", "access_token")
    op.drop_index("ix_denied_token_expires_at", "denied_token")
    with op.batch_alter_table("denied_token") as token:
        token.drop_column("denied_at")
    with op.batch_alter_table("signing_key") as key:
        key.drop_column("undelivered")
    with op.batch_alter_table("client") as client:
        client.drop_column("undelivered")
        client.drop_column("changed_at")
        client.drop_column("version")
    op.drop_table("lease")
