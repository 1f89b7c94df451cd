"""What must hold of duties that run by the clock, recomputed from their minutes alone."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from holding import moment, name
from seen import Row, Seen, is_open

MINUTE = timedelta(minutes=1)
Levels = dict[str, tuple[datetime, list[str]]]


def levels(seen: Seen, row: Row, now: datetime) -> Levels:
    """The urgent levels that fell due until now, by name: the minute, and the roles."""
    found: Levels = {}
    started_at, due_at = moment(row["started_at"]), moment(row["due_at"])
    for level in seen.plan["urgent_alerts"]:
        number = 1
        at = started_at if level["at_start"] else due_at + timedelta(hours=level["hours"])
        while at + MINUTE * (not level["at_start"] and at >= due_at) <= now:
            told = f"{level['level']}-{number}" if level["every"] else level["level"]
            found[told] = at, level["to"]
            if not level["every"]:
                break
            at, number = at + timedelta(hours=level["every"]), number + 1
    return found


def urgent_alerts_come_at_their_minute(seen: Seen) -> Iterator[str]:
    """Nothing is alerted before its minute where a term runs by the clock."""
    now = seen.world.clock.now()
    for alert in seen.alerts:
        row = seen.owed[alert["obligation_id"]]
        if row["started_at"] and (
            alert["level"] not in levels(seen, row, now)
            or alert["due_version"] != row["due_version"]
        ):
            yield f"{name(row)}: {alert['level']} by {now:%m-%d %H:%M}, due {row['due_at']}"


def every_urgent_level_is_accounted_for(seen: Seen) -> Iterator[str]:
    """Every urgent level that fell due is alerted or skipped, once, on whatever day it is."""
    now = seen.world.clock.now()
    for number, row in seen.owed.items():
        if row["started_at"] is None or not is_open(row):
            continue
        told = [
            (alert["level"], alert["role"])
            for alert in seen.rows(
                "SELECT level, role FROM alert WHERE obligation_id = ? AND due_version = ?",
                number,
                row["due_version"],
            )
        ]
        for level, (at, roles) in levels(seen, row, now).items():
            for role in roles:
                if told.count((level, role)) != 1:
                    yield f"{name(row)}: {level} of {at:%m-%d %H:%M} for {role}"


def due_minutes_are_counted_right(seen: Seen) -> Iterator[str]:
    """A decision is due at the end of the third day after its report, a transfer in 24 hours."""
    for row in seen.owed.values():
        if row["started_at"] is None:
            continue
        started_at = moment(row["started_at"])
        right = started_at + timedelta(hours=24)
        if row["duty"] == "crime_decide":
            right = started_at.replace(hour=0, minute=0) + timedelta(4)
        if (moment(row["due_at"]), row["due_on"]) != (right, (right - MINUTE).date()):
            yield f"{name(row)}: due {row['due_at']}, counted {right}"


def crimes_have_their_duties(seen: Seen) -> Iterator[str]:
    """Each suspected crime is to be decided, and what was approved to be handed over, at once."""
    owed = {(row["duty"], row["object"]): row for row in seen.owed.values()}
    for crime in seen.rows(
        "SELECT c.*, i.code || '/' || r.department AS object FROM crime_report c "
        "JOIN department_record r ON r.id = record_id JOIN inspection i ON i.id = inspection_id"
    ):
        wanted = [("crime_decide", crime["reported_at"], crime["decided_at"])]
        if crime["decision"] == "批准":
            wanted.append(("crime_transfer", crime["decided_at"], crime["transferred_at"]))
        for duty, started_at, met_at in wanted:
            row = owed.get((duty, crime["object"]), {})
            if (row.get("started_at"), row.get("met_at")) != (started_at, met_at):
                yield f"{duty} {crime['object']}: {row.get('started_at')}, {row.get('met_at')}"
