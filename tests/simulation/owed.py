"""What must hold of duties: their days, their ends, whose they are."""

import json
from collections.abc import Iterator
from datetime import date

from holding import moment, name
from seen import Seen, is_open

from tasks.board import board


def due_days_move_with_an_entry(seen: Seen) -> Iterator[str]:
    """No due day starts, moves or holds anew without its entry in the ledger, for each version."""
    for number, row in seen.owed.items():
        was = seen.before.get(number)
        if row == was and not seen.entries:
            continue
        entries = [e for e in seen.entries if e["subject"] == name(row)]
        moves = [json.loads(e["detail"])["after"] for e in entries if e["action"] == "期限变更"]
        opened = [json.loads(e["detail"]) for e in entries if e["action"] == "期限恢复"]
        versions = {one["version"] for one in moves + opened}
        begun = sum(e["action"] == "期限起算" for e in entries)
        if begun != (was is None):
            yield f"{name(row)}: {begun} beginnings"
        if row["due_version"] != (was["due_version"] if was else 1) + len(versions):
            yield f"{name(row)}: version {row['due_version']}, in the ledger {sorted(versions)}"
        if (
            was
            and not moves
            and any(
                row[field] != was[field]
                for field in ("due_on", "due_at", "started_on", "started_at", "provisional")
            )
        ):
            yield f"{name(row)}: {was['due_on']} became {row['due_on']}"
        if moves and moves[-1]["due_on"] != str(row["due_on"]):
            yield f"{name(row)}: {row['due_on']}, in the ledger {moves[-1]['due_on']}"


def duties_end_with_an_entry(seen: Seen) -> Iterator[str]:
    """No duty is met, closed or opened again without its entry in the ledger; none is deleted."""
    for number in seen.before.keys() - seen.owed.keys():
        yield f"{name(seen.before[number])}: deleted"
    for number, row in seen.owed.items():
        was = seen.before.get(number)
        ended = row["met_on"], row["closed_on"]
        if ended == ((was["met_on"], was["closed_on"]) if was else (None, None)):
            continue
        action = "期限完成" if row["met_on"] else "期限终止" if row["closed_on"] else "期限恢复"
        if not any(e["subject"] == name(row) and e["action"] == action for e in seen.entries):
            yield f"{name(row)}: no {action}"


def nothing_missed_is_forgotten(seen: Seen) -> Iterator[str]:
    """A due day that passed with its duty open stays in sight, whatever becomes of the duty."""
    today = seen.today()
    for number, was in seen.before.items():
        row = seen.owed.get(number)
        if row is None or row == was:
            continue
        missed, before = json.loads(row["missed_on"]), json.loads(was["missed_on"])
        if missed[: len(before)] != before:
            yield f"{name(row)}: {before} became {missed}"
        over = (was["met_on"] or was["closed_on"] or today) > was["due_on"]
        moved = row["due_on"] != was["due_on"] or any(
            (e["subject"], e["action"]) == (name(row), "期限变更") for e in seen.entries
        )
        if over and moved and str(was["due_on"]) not in missed:
            yield f"{name(row)}: was due on {was['due_on']}, now {row['due_on']}, missed {missed}"


def nothing_rests_longer_than_granted(seen: Seen) -> Iterator[str]:
    """A duty that is suspended has a suspension that lasts."""
    today = str(seen.today())
    for row in seen.owed.values():
        if (
            is_open(row)
            and row["suspended"]
            and not seen.rows(
                "SELECT 1 FROM granted_time WHERE duty = ? AND object = ? AND through_on >= ?",
                row["duty"],
                row["object"],
                today,
            )
        ):
            yield name(row)


def every_duty_has_an_owner(seen: Seen) -> Iterator[str]:
    """Every open duty has a person, and a department of the plan or the office itself."""
    known = {one["code"] for one in seen.plan["departments"]} | {""}
    for row in seen.owed.values():
        if is_open(row) and (not row["person"].strip() or row["department"] not in known):
            yield name(row)


def every_duty_is_looked_at_again(seen: Seen) -> Iterator[str]:
    """An open duty has a day of its next level, unless the last of its levels is behind it."""
    levels = seen.plan["alerts"]
    for row in seen.owed.values():
        last = not levels[-1]["every"] and row["alerted_level"] == levels[-1]["level"]
        if row["started_at"]:
            continue
        if is_open(row) and row["next_alert_on"] is None and not last:
            yield f"{name(row)}: after {row['alerted_level']!r} no day"


def due_days_are_counted_right(seen: Seen) -> Iterator[str]:
    """The due day of an open duty without grants is the one counted day by day off the notices."""
    world, days = seen.world, seen.world.days
    granted = {(r["duty"], r["object"]) for r in seen.rows("SELECT * FROM granted_time")}
    rounds = {row["id"]: row for row in seen.rows("SELECT * FROM round")}
    terms = {term["duty"]: term["working_days"] for term in seen.plan["terms"]}
    for row in seen.owed.values():
        if not is_open(row) or (row["duty"], row["object"]) in granted:
            continue
        held, number = rounds[row["round_id"]], row["working_days"]
        provisional = False
        if row["duty"] == "inspect":
            right = date.fromisoformat(held["ends_on"])
        elif row["duty"] == "draw":
            right = days.on_or_after(date.fromisoformat(held["opens_on"]), world.closed)
        elif number is None or row["duty"] not in terms:
            continue
        else:
            if number != terms[row["duty"]]:
                yield f"{name(row)}: {number} working days, in the plan {terms[row['duty']]}"
            right = days.count(row["started_on"], number, world.closed)
            last = right if number > 0 else date.fromordinal(row["started_on"].toordinal() - 1)
            provisional = last > days.firm_through
        if (row["due_on"], bool(row["provisional"])) != (right, provisional):
            yield f"{name(row)}: due {row['due_on']} {row['provisional']}, counted {right}"


def the_board_shows_what_is_over(seen: Seen) -> Iterator[str]:
    """The board shows as overdue every open duty whose due day has passed, and no other."""
    now = seen.world.clock.now()
    shown = {(one.duty, one.object) for one in board(now.date(), now).overdue}
    over = {
        (row["duty"], row["object"])
        for row in seen.owed.values()
        if is_open(row)
        and (moment(row["due_at"]) < now if row["started_at"] else row["due_on"] < now.date())
    }
    yield from (f"{duty} {object}" for duty, object in shown ^ over)
