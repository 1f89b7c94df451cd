"""What an observer sees of an office: its tables as plain rows, read without any of its code."""

import json
import sqlite3
from datetime import date
from typing import Any

from post import Accepted
from world import World

Row = dict[str, Any]
DAYS = ("started_on", "due_on", "met_on", "closed_on", "next_alert_on", "raised_on")


class Seen:
    """The office now and as it was at the last look, and what is new since."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.book = sqlite3.connect(world.database, isolation_level=None)
        self.book.row_factory = sqlite3.Row
        self.owed: dict[int, Row] = {}
        self.before: dict[int, Row] = {}
        self.entries: list[Row] = []
        self.alerts: list[Row] = []
        self.frozen: list[Row] = []
        self.accepted: list[Accepted] = []
        self.sealed: dict[str, str] = {}
        self.public: dict[int, Row] = {}
        self.plan: Row = {}
        self._entry = self._alert = self._mail = 0
        self._known: set[str] = set()
        self._frozen: set[int] = set()
        self._planned: list[Row] = []
        self._levels: dict[Any, dict[str, tuple[date, list[str]]]] = {}

    def rows(self, query: str, *given: Any) -> list[Row]:
        """Any rows, with days as days."""
        return [_plain(row) for row in self.book.execute(query, given)]

    def today(self) -> date:
        """The day that the office's clock shows."""
        return self.world.clock.now().date()

    def look(self) -> None:
        """Look once more."""
        self._learn()
        self.before = self.owed
        self.owed = {row["id"]: row for row in self.rows("SELECT * FROM obligation ORDER BY id")}
        self.entries = self.rows("SELECT * FROM ledger WHERE id > ? ORDER BY id", self._entry)
        self._entry = self.entries[-1]["id"] if self.entries else self._entry
        self.alerts = self.rows("SELECT * FROM alert WHERE id > ? ORDER BY id", self._alert)
        self._alert = self.alerts[-1]["id"] if self.alerts else self._alert
        self.accepted = self.world.post.accepted[self._mail :]
        self._mail += len(self.accepted)
        frozen = self.book.execute(
            "SELECT id FROM mail WHERE kind IN ('digest', 'urgent') AND frozen_at IS NOT NULL"
        ).fetchall()
        new = [number for (number,) in frozen if number not in self._frozen]
        self._frozen |= set(new)
        self.frozen = [
            row for number in new for row in self.rows("SELECT * FROM mail WHERE id = ?", number)
        ]

    def _learn(self) -> None:
        """What the office knows of the calendar and of its plan, it has in its tables."""
        world = self.world
        planned = self.rows("SELECT version, content FROM plan")
        if planned != self._planned:
            self._planned = planned
            self.plan = json.loads(planned[0]["content"]) if planned else {}
            world.closed = {
                date.fromordinal(number)
                for one in self.plan.get("closures", ())
                for number in range(
                    date.fromisoformat(one["from_on"]).toordinal(),
                    date.fromisoformat(one["through_on"]).toordinal() + 1,
                )
            }
            self._levels.clear()
        for (number,) in self.book.execute("SELECT number FROM holiday_notice").fetchall():
            if number not in self._known:
                self._known.add(number)
                self._levels.clear()
                if number in world.amendments:
                    world.days.amend(world.amendments[number])
                else:
                    world.days.learn(world.year + 1)

    def levels(self, row: Row, through: date) -> dict[str, tuple[date, list[str]]]:
        """The levels of a duty that fell due through a day, by name: the day, and the roles."""
        key = row["due_on"], row["provisional"], through
        if key not in self._levels:
            base = row["due_on"]
            if row["provisional"]:
                base = date.fromordinal(base.toordinal() - 7)
            self._levels[key] = dict(self._counted(base, through))
        return self._levels[key]

    def _counted(self, base: date, through: date) -> Any:
        days, closed = self.world.days, self.world.closed
        for level in self.plan["alerts"]:
            offset, name, number = level["offset"], level["level"], 1
            while True:
                if offset:
                    on = days.count(base, offset, closed)
                else:  # the due day, or the last working day before it
                    on = days.count(date.fromordinal(base.toordinal() + 1), -1, closed)
                if on > through:
                    break
                yield (f"{name}-{number}" if level["every"] else name), (on, level["to"])
                if not level["every"]:
                    break
                offset, number = offset + level["every"], number + 1

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        names = [
            name
            for (name,) in self.book.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            )
        ]
        return {
            name: [tuple(row) for row in self.book.execute(f'SELECT * FROM "{name}" ORDER BY 1')]
            for name in names
        }


def is_open(row: Row) -> bool:
    """Neither met nor closed."""
    return row["met_on"] is None and row["closed_on"] is None


def _plain(row: sqlite3.Row) -> Row:
    found = dict(row)
    for name in DAYS:
        if found.get(name):
            found[name] = date.fromisoformat(found[name])
    return found
