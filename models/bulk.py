"""Many rows in one statement."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnDefault, TextClause, bindparam, text
from sqlalchemy.orm import Session

from models.base import Base


def insert_rows(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows of the same columns: text, whole numbers, truth values, dates, None.

    They go over as one JSON value, which the database takes apart itself; on PostgreSQL that is
    several times as fast as a statement a row. Defaults of the model do not apply.
    """
    if not rows:
        return
    name = table.__tablename__
    columns = [f'"{column}"' for column in rows[0]]
    if session.get_bind().dialect.name == "postgresql":
        values = columns
        source = f"json_populate_recordset(CAST(NULL AS {name}), CAST(:rows AS json))"
    else:
        values = [f"value ->> '{column}'" for column in rows[0]]
        source = "json_each(:rows)"
    session.execute(
        text(f"INSERT INTO {name} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {source}"),
        {"rows": json.dumps(rows, default=date.isoformat, ensure_ascii=False)},
    )


def defaults(table: type[Base]) -> dict[str, Any]:
    """What the model fills in by itself, by column, for rows of `insert_rows`."""
    found = {}
    for column in table.__table__.columns:
        if isinstance(column.default, ColumnDefault):
            value = column.default.arg
            found[column.name] = value(None) if callable(value) else value
    return found


def among(session: Session, column: str, values: Sequence[int] | Sequence[str]) -> TextClause:
    """Whether `column` holds one of `values`, all whole numbers or all text.

    They go over as one value: ten thousand parameters take longer to write than to look up.
    """
    if session.get_bind().dialect.name == "postgresql":
        kind = "text" if values and isinstance(values[0], str) else "bigint"
        elements = (
            f"SELECT CAST(value AS {kind}) FROM json_array_elements_text(CAST(:among AS json))"
        )
    else:
        elements = "SELECT value FROM json_each(:among)"
    within = text(f"{column} IN ({elements})")
    return within.bindparams(bindparam("among", json.dumps(values)))
