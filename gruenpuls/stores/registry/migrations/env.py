"""What Alembic runs: the migration of a connection somebody else opened, locked and will commit."""

from alembic import context

from gruenpuls.stores.registry.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by making a new one
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
