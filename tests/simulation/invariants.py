"""What must hold of an office at any time, each a function that yields what does not hold.

The docstring is the statement. Nothing here calls a rule of the office: what is due is recomputed
in the simplest way, from the tables and tests/data alone.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from itertools import groupby

from seen import Row, Seen, is_open

from deployments.verify_draw import verify
from models.base import SHANGHAI
from models.plan import DUTY_NAMES
from tasks.board import board
from tasks.evidence import NotRevealed, evidence

Invariant = Callable[[Seen], Iterator[str]]


class Violation(Exception):
    """Something that must hold does not."""

    def __init__(self, statement: str, faults: list[str]) -> None:
        self.statement, self.faults = statement, faults
        super().__init__(f"{statement} {'; '.join(faults[:5])}")


def hold(seen: Seen, invariants: tuple[Invariant, ...]) -> None:
    """Raises Violation for the first of them that does not hold."""
    for invariant in invariants:
        if faults := list(invariant(seen)):
            raise Violation(" ".join((invariant.__doc__ or "").split()), faults)


def name(row: Row) -> str:
    """A duty as the ledger names it."""
    return f"{DUTY_NAMES[row['duty']]} {row['object']}"


# ---- after every step ----------------------------------------------------------------------------


def due_days_move_with_an_entry(seen: Seen) -> Iterator[str]:
    """No due day starts or moves without its entry in the ledger, one for each version."""
    for number, row in seen.owed.items():
        was = seen.before.get(number)
        if row == was and not seen.entries:
            continue
        entries = [e for e in seen.entries if e["subject"] == name(row)]
        moves = [json.loads(e["detail"])["after"] for e in entries if e["action"] == "期限变更"]
        begun = sum(e["action"] == "期限起算" for e in entries)
        if begun != (was is None):
            yield f"{name(row)}: {begun} beginnings"
        if row["due_version"] != (was["due_version"] if was else 1) + len(moves):
            yield f"{name(row)}: version {row['due_version']}, {len(moves)} entries"
        if (
            was
            and not moves
            and any(row[field] != was[field] for field in ("due_on", "started_on", "provisional"))
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
        moved = row["due_version"] > was["due_version"]
        if over and moved and str(was["due_on"]) not in missed:
            yield f"{name(row)}: was due on {was['due_on']}, now {row['due_on']}, missed {missed}"


def alerts_come_on_their_day(seen: Seen) -> Iterator[str]:
    """Nothing is alerted before its day."""
    for alert in seen.alerts:
        row = seen.owed[alert["obligation_id"]]
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


def digests_tell_what_is_open(seen: Seen) -> Iterator[str]:
    """A digest tells every duty of its alerts that is open, or is void where there is none."""
    for mail in seen.frozen:
        told = seen.rows("SELECT * FROM alert WHERE mail_id = ?", mail["id"])
        wanted = {
            row["object"]
            for alert in told
            if is_open(row := seen.owed[alert["obligation_id"]])
            and not row["suspended"]
            and row["due_version"] == alert["due_version"]
        }
        if (mail["state"] == "void") != (not wanted):
            yield f"{mail['key']}: {mail['state']}, {sorted(wanted)}"
        for one in sorted(wanted):
            if one not in mail["text"]:
                yield f"{mail['key']}: {one} is not in it"


def draws_are_sealed_once(seen: Seen) -> Iterator[str]:
    """A draw is sealed once, after its digest left the office; what is sealed never changes."""
    sealed = [json.loads(e["detail"]) | e for e in seen.entries if e["action"] == "抽取封存"]
    for entry in sealed:
        if entry["subject"] in seen.sealed:
            yield f"{entry['subject']}: sealed again"
        if not seen.rows(
            "SELECT id FROM mail WHERE key LIKE ? AND state = 'sent'",
            f"letter:freeze:{entry['subject']}:%",
        ):
            yield f"{entry['subject']}: sealed before its digest was out"
        seen.sealed[entry["subject"]] = _content(seen, entry["subject"])


def sealed_draws_stay(seen: Seen) -> Iterator[str]:
    """What a sealed draw drew, and whom, never changes."""
    for code, content in seen.sealed.items():
        if _content(seen, code) != content:
            yield code


def _content(seen: Seen, code: str) -> str:
    draw = seen.rows(
        "SELECT draw.* FROM draw JOIN round ON round.id = round_id WHERE code || '-' || grade = ?",
        code,
    )[0]
    del draw["revealed_at"]
    number = draw["id"]
    parts = [
        draw,
        seen.rows("SELECT * FROM drawn_subject WHERE draw_id = ? ORDER BY id", number),
        seen.rows(
            "SELECT m.id, i.code, subject_code, department, certificate, position, leader "
            "FROM team_member m JOIN inspection i ON i.id = m.inspection_id "
            "WHERE draw_id = ? AND joined_by = '抽取' ORDER BY m.id",
            number,
        ),
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def mails_go_out_on_working_days(seen: Seen) -> Iterator[str]:
    """No mail goes out on a day off, as far as days off are known when it goes out."""
    for one in seen.accepted:
        if not seen.world.days.works(one.day):
            yield f"{one.day} to {one.to}"


# ---- after every finished sweep ------------------------------------------------------------------


def every_level_is_accounted_for(seen: Seen) -> Iterator[str]:
    """Every level that fell due of an open duty was alerted, or recorded as skipped for a later."""
    [(swept,)] = seen.book.execute("SELECT as_of FROM sweep ORDER BY id DESC LIMIT 1").fetchall()
    told = defaultdict(set)
    recorded = seen.book.execute("SELECT obligation_id, due_version, level, role FROM alert")
    for owed, version, level, role in recorded:
        told[owed, version].add((level, role))
    for number, row in seen.owed.items():
        if not is_open(row) or row["suspended"]:
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


# ---- at the end of every day ---------------------------------------------------------------------


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
        if is_open(row) and row["next_alert_on"] is None and not last:
            yield f"{name(row)}: after {row['alerted_level']!r} no day"


def closed_rounds_are_done(seen: Seen) -> Iterator[str]:
    """A round in which a duty is open is not closed."""
    closed = {row["id"] for row in seen.rows("SELECT id FROM round WHERE closed_on IS NOT NULL")}
    for row in seen.owed.values():
        if is_open(row) and row["round_id"] in closed:
            yield name(row)


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


def one_digest_a_day(seen: Seen) -> Iterator[str]:
    """Nobody gets two digests of one day; a second on one day failed on a day before."""
    rows = seen.rows("SELECT email, frozen_at FROM mail WHERE kind = 'digest' AND state != 'void'")
    frozen = Counter(
        (row["email"].lower(), _moment(row["frozen_at"]).date()) for row in rows if row["frozen_at"]
    )
    yield from (f"{email} {day}: {count}" for (email, day), count in frozen.items() if count > 1)


def repeats_are_the_same_mail(seen: Seen) -> Iterator[str]:
    """A mail that goes out again does so under the same Message-ID with the same bytes."""
    bytes_of: dict[str, str] = {}
    for one in seen.world.post.accepted:
        if bytes_of.setdefault(one.message_id, one.sha256) != one.sha256:
            yield f"{one.message_id} to {one.to} on {one.day}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).astimezone(SHANGHAI)


# ---- at the end ----------------------------------------------------------------------------------


def the_ledger_is_one_chain(seen: Seen) -> Iterator[str]:
    """Every entry of the ledger follows from the one before it."""
    previous = "0" * 64
    for row in seen.rows("SELECT * FROM ledger ORDER BY id"):
        at = _moment(row["at"]).isoformat()
        body = [
            previous,
            at,
            row["actor"],
            row["action"],
            row["subject"],
            json.loads(row["detail"]),
        ]
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        previous = hashlib.sha256(text.encode()).hexdigest()
        if row["digest"] != previous:
            yield f"entry {row['id']}"
            return


def every_mail_arrived_or_shows_why(seen: Seen) -> Iterator[str]:
    """Each mail was taken by the server, or is shown as undeliverable, or as not needed."""
    taken = {one.message_id for one in seen.world.post.accepted}
    mails = seen.rows("SELECT * FROM mail")
    for mail in mails:
        fits = {
            "sent": mail["message_id"] in taken,
            "undeliverable": bool(mail["error"]),
            "void": mail["kind"] == "digest" and mail["message_id"] not in taken,
        }
        if not fits.get(mail["state"]):
            yield f"{mail['key']}: {mail['state']}"
    for one in taken - {mail["message_id"] for mail in mails}:
        yield f"{one}: went out, and is in no outbox"


def one_mail_a_key(seen: Seen) -> Iterator[str]:
    """No two mails are the same mail: each has its own Message-ID, each digest its own day."""
    mails = sorted(
        seen.rows("SELECT * FROM mail WHERE message_id != ''"), key=lambda mail: mail["message_id"]
    )
    for number, same in groupby(mails, key=lambda mail: mail["message_id"]):
        if len(list(same)) > 1:
            yield str(number)


def what_is_told_has_a_mail(seen: Seen) -> Iterator[str]:
    """Every alert that is not skipped belongs to a mail to its own recipient."""
    for row in seen.rows(
        "SELECT a.id, a.email, m.email AS to_whom FROM alert a LEFT JOIN mail m ON m.id = mail_id "
        "WHERE mail_id IS NOT NULL"
    ):
        if row["to_whom"] is None or row["email"].lower() != row["to_whom"].lower():
            yield f"alert {row['id']} to {row['email']}, mail to {row['to_whom']}"


def draws_can_be_recomputed(seen: Seen) -> Iterator[str]:
    """A revealed draw is recomputed from its evidence; of another there is none."""
    for draw in seen.rows("SELECT draw.*, code FROM draw JOIN round ON round.id = round_id"):
        code, grade = draw["code"], draw["grade"]
        try:
            problem = verify(evidence(code, grade).decode())
        except NotRevealed:
            problem = draw["revealed_at"] and "no evidence"
        else:
            problem = problem or (not draw["revealed_at"] and "evidence before the reveal")
        if problem:
            yield f"{code}-{grade}: {problem}"


def the_board_shows_what_is_over(seen: Seen) -> Iterator[str]:
    """The board shows as overdue every open duty whose due day has passed, and no other."""
    now = seen.world.clock.now()
    shown = {(one.duty, one.object) for one in board(now.date(), now).overdue}
    over = {
        (row["duty"], row["object"])
        for row in seen.owed.values()
        if is_open(row) and row["due_on"] < now.date()
    }
    yield from (f"{duty} {object}" for duty, object in shown ^ over)


def nobody_is_warned(seen: Seen) -> Iterator[str]:
    """An inspection that is not to be announced has no notice."""
    for row in seen.rows(
        "SELECT i.code FROM inspection i JOIN notice n ON n.inspection_id = i.id WHERE unannounced"
    ):
        yield row["code"]


STEP: tuple[Invariant, ...] = (
    due_days_move_with_an_entry,
    duties_end_with_an_entry,
    nothing_missed_is_forgotten,
    alerts_come_on_their_day,
    alerts_reach_somebody,
    no_level_is_told_twice,
    digests_tell_what_is_open,
    draws_are_sealed_once,
    mails_go_out_on_working_days,
)
SWEPT: tuple[Invariant, ...] = (
    every_level_is_accounted_for,
    what_is_skipped_was_overtaken,
    nothing_rests_longer_than_granted,
)
DAY: tuple[Invariant, ...] = (
    every_duty_has_an_owner,
    every_duty_is_looked_at_again,
    closed_rounds_are_done,
    due_days_are_counted_right,
    one_digest_a_day,
    repeats_are_the_same_mail,
)
END: tuple[Invariant, ...] = (
    sealed_draws_stay,
    the_ledger_is_one_chain,
    every_mail_arrived_or_shows_why,
    one_mail_a_key,
    what_is_told_has_a_mail,
    draws_can_be_recomputed,
    the_board_shows_what_is_over,
    nobody_is_warned,
)
