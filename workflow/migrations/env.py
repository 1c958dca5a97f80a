"""Alembic runs on the connection it is given: the owner's, inside one transaction."""

from alembic import context

from workflow.models import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, compare_type=True, compare_server_default=False)
with context.begin_transaction():
    context.run_migrations()
