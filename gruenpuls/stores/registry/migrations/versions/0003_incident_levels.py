"""How an incident rose and fell, and what everything its rule watches said.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; a rule's first series may have said nothing."""
    with op.batch_alter_table("incident") as table:
        table.alter_column("peak", existing_type=sa.Double(), nullable=True)
        table.alter_column("last_value", existing_type=sa.Double(), nullable=True)
        table.add_column(sa.Column("steps", sa.JSON(), nullable=False, server_default="[]"))
        table.add_column(sa.Column("saw", sa.JSON(), nullable=False, server_default="[]"))
