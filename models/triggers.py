"""The triggers: taken off for a migration, and made again from what the models say."""

from sqlalchemy import Connection, text

from models.tables import TRIGGERS

_NAMES = {
    "sqlite": "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": (
        "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
        "WHERE NOT tgisinternal"
    ),
}


def drop_triggers(connection: Connection) -> None:
    """Take off every trigger there is, within the caller's transaction."""
    dialect = connection.dialect.name
    for name, table in connection.execute(text(_NAMES[dialect])).all():
        on = f' ON "{table}"' if dialect == "postgresql" else ""
        connection.execute(text(f'DROP TRIGGER "{name}"{on}'))


def make_triggers(connection: Connection) -> None:
    """Make every trigger of `TRIGGERS`; those there were must be off."""
    for statement in TRIGGERS[connection.dialect.name]:
        connection.exec_driver_sql(statement)
