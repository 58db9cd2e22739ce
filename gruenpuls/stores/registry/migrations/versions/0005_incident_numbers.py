"""Numbers of incidents are never given again, what was withdrawn stays, and a watering that ended one is kept.

Revision ID: 0005
"""

import json

import sqlalchemy as sa
from alembic import op

from gruenpuls.stores.registry.columns import TEXT

revision = "0005"
down_revision = "0004"

_GOES_ON = sa.text("state IN ('pending', 'firing', 'acknowledged')")


def upgrade() -> None:
    """Change the tables; what an incident's history says stays."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    _end_all_but_the_last()
    if on_sqlite:
        # It has to make the table anew, and dropping the old one takes what refers to it along.
        op.execute("CREATE TEMPORARY TABLE kept_history AS SELECT * FROM incident_history")
    with op.batch_alter_table("incident", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_constraint("uq_incident_rule_site_id_began_at", type_="unique")
        table.add_column(sa.Column("watering_id", sa.BigInteger(), nullable=True))
        table.create_foreign_key("fk_incident_watering_id", "watering", ["watering_id"], ["id"], ondelete="SET NULL")
    if on_sqlite:
        op.execute("DELETE FROM incident_history")
        op.execute("INSERT INTO incident_history SELECT * FROM kept_history")
        op.execute("DROP TABLE kept_history")
        _go_on_counting()
    op.create_index("ix_incident_rule_site_id", "incident", ["rule", "site_id"])
    op.create_index(
        "uq_incident_open",
        "incident",
        ["rule", "site_id"],
        unique=True,
        sqlite_where=_GOES_ON,
        postgresql_where=_GOES_ON,
    )
    op.add_column("incident_history", sa.Column("revision", TEXT, nullable=True))
    op.add_column("incident_history", sa.Column("detail", sa.JSON(), nullable=False, server_default="{}"))
    op.execute(
        "INSERT INTO incident_history (incident_id, noted_at, state, severity, actor, note, revision)"
        " SELECT id, last_at, state, severity, 'rule', '', 'withdrawn' FROM incident WHERE state = 'withdrawn'"
    )


def _end_all_but_the_last() -> None:
    """Withdraw what was left open beside a newer one: an older program could forget what never fired."""
    op.execute(
        "UPDATE incident SET state = 'withdrawn' WHERE state IN ('pending', 'firing', 'acknowledged') AND EXISTS ("
        "SELECT 1 FROM incident AS newer WHERE newer.rule = incident.rule AND newer.site_id = incident.site_id"
        " AND newer.state IN ('pending', 'firing', 'acknowledged') AND newer.began_at > incident.began_at)"
    )


def _go_on_counting() -> None:
    """Let the next number follow the highest that was ever told, also of what is not there any more."""
    connection = op.get_bind()
    numbers = [0, *connection.execute(sa.text("SELECT id FROM incident")).scalars()]
    for number, former in connection.execute(sa.text("SELECT number, former FROM told")):
        numbers += [number, *json.loads(former)]
    subjects = connection.execute(sa.text("SELECT subject FROM audit WHERE subject LIKE 'incident %'")).scalars()
    numbers += [int(subject.split()[1]) for subject in subjects]
    connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = 'incident'"))
    connection.execute(sa.text("INSERT INTO sqlite_sequence VALUES ('incident', :highest)"), {"highest": max(numbers)})
