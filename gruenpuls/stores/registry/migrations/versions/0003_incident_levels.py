"""How an incident rose and fell, and what everything its rule watches said.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; a rule's first series may have said nothing."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    if on_sqlite:
        # It has to make the table anew, and dropping the old one takes what refers to it along.
        op.execute("CREATE TEMPORARY TABLE kept_history AS SELECT * FROM incident_history")
    with op.batch_alter_table("incident") as table:
        table.alter_column("peak", existing_type=sa.Double(), nullable=True)
        table.alter_column("last_value", existing_type=sa.Double(), nullable=True)
        table.add_column(sa.Column("steps", sa.JSON(), nullable=False, server_default="[]"))
        table.add_column(sa.Column("saw", sa.JSON(), nullable=False, server_default="[]"))
    if on_sqlite:
        op.execute("DELETE FROM incident_history")
        op.execute("INSERT INTO incident_history SELECT * FROM kept_history")
        op.execute("DROP TABLE kept_history")
