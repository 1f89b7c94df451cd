"""The one way to the database: a writing or a reading transaction.

Writers are one at a time on SQLite (`BEGIN IMMEDIATE`), so that a transaction that has read a
state may act on it; on PostgreSQL the row lock that each stage takes first does the same.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from models.settings import settings

BUSY_TIMEOUT_SECONDS = 30


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin on its own
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@cache
def engine_for(url: str) -> Engine:
    """The engine of a database URL, one a process."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    # An error must not carry a subject's row into a run's state and log.
    engine = create_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS}, hide_parameters=True
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


@contextmanager
def writing(url: str | None = None) -> Iterator[Session]:
    """One transaction that may write: committed at the end, rolled back by any exception."""
    with Session(engine_for(url or settings().database)) as session, session.begin():
        yield session


@contextmanager
def undone(url: str | None = None) -> Iterator[Session]:
    """One transaction that may write, of which nothing stays: for dry runs of what really runs."""
    with Session(engine_for(url or settings().database)) as session:
        yield session  # closing it rolls back


@contextmanager
def reading(url: str | None = None) -> Iterator[Session]:
    """One transaction that only reads, and on SQLite holds up no writer."""
    engine = engine_for(url or settings().database).execution_options(reading=True)
    with Session(engine) as session:
        yield session


def migrate(url: str | None = None) -> None:
    """Create the database or bring it to the newest version of its tables; runs at every start."""
    # Not above: each run of a flow would pay for its import.
    from alembic import command
    from alembic.config import Config

    url = url or settings().database
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine_for(url).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
