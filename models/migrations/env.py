"""Runs the migrations over the connection that `models.database.migrate` hands in."""

from alembic import context

from models.tables import Base
from models.triggers import drop_triggers, make_triggers

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=Base.metadata, render_as_batch=True, compare_type=True
)
head = context.get_head_revision()
if context.get_context().get_current_revision() != head:
    # Off while rows move, and made as the models have them now: a table that is made anew on
    # SQLite would lose them without a word.
    drop_triggers(connection)
    with context.begin_transaction():
        context.run_migrations()
    make_triggers(connection)
