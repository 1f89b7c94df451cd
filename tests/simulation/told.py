"""What must hold of alerts: each level on its day or at its minute, once, to somebody."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from holding import name
from seen import Seen, is_open


def alerts_come_on_their_day(seen: Seen) -> Iterator[str]:
    """Nothing is alerted before its day."""
    for alert in seen.alerts:
        row = seen.owed[alert["obligation_id"]]
        if row["started_at"]:
            continue
        due = seen.levels(row, alert["raised_on"])
        if alert["due_version"] != row["due_version"] or alert["level"] not in due:
            yield f"{name(row)}: {alert['level']} on {alert['raised_on']}, due {row['due_on']}"


def alerts_reach_somebody(seen: Seen) -> Iterator[str]:
    """Whoever is told has an address; is the person, the head or the office, or it says why not."""
    heads = {one["code"]: one["head"]["email"] for one in seen.plan["departments"]}
    for alert in seen.alerts:
        row = seen.owed[alert["obligation_id"]]
        office = seen.plan["coordinator"]["email"]
        head = heads.get(row["department"], office)
        right = {"responsible": row["email"], "head": head, "coordinator": office}[alert["role"]]
        if "@" not in alert["email"] or (alert["email"] != right and not alert["why"]):
            yield f"{name(row)}: {alert['level']} for {alert['role']} to {alert['email']!r}"


def who_is_away_is_told_nothing(seen: Seen) -> Iterator[str]:
    """Somebody else is told of a person's duty for the days of their leave, and for no other."""
    for alert in seen.alerts:
        row = seen.owed[alert["obligation_id"]]
        if alert["role"] != "responsible" or not row["department"]:
            continue
        day = str(alert["raised_on"])
        newest = seen.rows(
            "SELECT delegate FROM leave WHERE department = ? AND person = ? "
            "AND first_on <= ? AND last_on >= ? ORDER BY id DESC LIMIT 1",
            *(row["department"], row["person"], day, day),
        )
        away = bool(newest) and newest[0]["delegate"] != row["person"]
        if away != alert["why"].startswith(f"{row['person']}请假"):
            yield f"{name(row)}: {alert['level']} on {day} to {alert['recipient']}, {alert['why']}"


def no_level_is_told_twice(seen: Seen) -> Iterator[str]:
    """Each level of each version of a due day is recorded once for each role."""
    for alert in seen.alerts:
        key = tuple(alert[one] for one in ("obligation_id", "due_version", "level", "role"))
        [(count,)] = seen.book.execute(
            "SELECT count(*) FROM alert "
            "WHERE (obligation_id, due_version, level, role) = (?, ?, ?, ?)",
            key,
        ).fetchall()
        if count != 1:
            yield f"{name(seen.owed[alert['obligation_id']])}: {key[2:]} {count} times"


def every_level_is_accounted_for(seen: Seen) -> Iterator[str]:
    """Every level that fell due of an open duty was alerted, or recorded as skipped for a later."""
    [(swept,)] = seen.book.execute("SELECT as_of FROM sweep ORDER BY id DESC LIMIT 1").fetchall()
    told = defaultdict(set)
    recorded = seen.book.execute("SELECT obligation_id, due_version, level, role FROM alert")
    for owed, version, level, role in recorded:
        told[owed, version].add((level, role))
    for number, row in seen.owed.items():
        if not is_open(row) or row["suspended"] or row["started_at"]:
            continue
        due = seen.levels(row, date.fromisoformat(swept))
        for level, (on, roles) in due.items():
            for role in roles:
                if (level, role) not in told[number, row["due_version"]]:
                    yield f"{name(row)}: {level} of {on} for {role}, due {row['due_on']}"


def what_is_skipped_was_overtaken(seen: Seen) -> Iterator[str]:
    """A level without a mail was overtaken by a later one of that role, mailed by that sweep."""
    for alert in seen.alerts:
        if alert["mail_id"] is None and not any(
            other["mail_id"]
            and other["id"] > alert["id"]
            and all(other[one] == alert[one] for one in ("obligation_id", "due_version", "role"))
            for other in seen.alerts
        ):
            yield f"{name(seen.owed[alert['obligation_id']])}: {alert['level']} {alert['role']}"
