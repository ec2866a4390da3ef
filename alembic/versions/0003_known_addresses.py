"""Where an account signed in from lately: not subject to the limit on guesses over all addresses."""

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("account", sa.Column("known_addresses", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("account") as account:
        account.drop_column("known_addresses")
