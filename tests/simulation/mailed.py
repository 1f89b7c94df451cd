"""What must hold of mails: what they tell, when they go out, and that none is lost."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from holding import moment, name
from seen import Seen, is_open


def digests_tell_what_is_open(seen: Seen) -> Iterator[str]:
    """A digest or urgent mail tells every duty of its alerts that is open, or is void: none is."""
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


def what_is_still_owed_was_told(seen: Seen) -> Iterator[str]:
    """No alert of what is still owed, as it is due now, was in a mail found not to be needed."""
    for alert in seen.rows(
        "SELECT a.obligation_id, a.due_version, a.level FROM alert a JOIN mail m ON m.id = mail_id "
        "WHERE m.state = 'void'"
    ):
        row = seen.owed[alert["obligation_id"]]
        if is_open(row) and not row["suspended"] and row["due_version"] == alert["due_version"]:
            yield f"{name(row)}: {alert['level']}"


def mails_go_out_on_working_days(seen: Seen) -> Iterator[str]:
    """No mail but an urgent one goes out on a day off, as far as those are known by then."""
    for one in seen.accepted:
        if not seen.world.days.works(one.day) and not seen.rows(
            "SELECT 1 FROM mail WHERE kind = 'urgent' AND message_id = ?", one.message_id
        ):
            yield f"{one.day} to {one.to}"


def one_digest_a_day(seen: Seen) -> Iterator[str]:
    """Nobody gets two digests of one day; a second on one day failed on a day before."""
    rows = seen.rows("SELECT email, frozen_at FROM mail WHERE kind = 'digest' AND state != 'void'")
    frozen = Counter(
        (row["email"].lower(), moment(row["frozen_at"]).date()) for row in rows if row["frozen_at"]
    )
    yield from (f"{email} {day}: {count}" for (email, day), count in frozen.items() if count > 1)


def repeats_are_the_same_mail(seen: Seen) -> Iterator[str]:
    """A mail that goes out again does so under the same Message-ID with the same bytes."""
    bytes_of: dict[str, str] = {}
    for one in seen.world.post.accepted:
        if bytes_of.setdefault(one.message_id, one.sha256) != one.sha256:
            yield f"{one.message_id} to {one.to} on {one.day}"


def every_mail_arrived_or_shows_why(seen: Seen) -> Iterator[str]:
    """Each mail was taken by the server, or is shown as undeliverable, or as not needed."""
    taken = {one.message_id for one in seen.world.post.accepted}
    mails = seen.rows("SELECT * FROM mail")
    for mail in mails:
        fits = {
            "sent": mail["message_id"] in taken,
            "undeliverable": bool(mail["error"]),
            "void": mail["kind"] in ("digest", "urgent") and mail["message_id"] not in taken,
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


def urgent_mails_wait_for_no_working_day(seen: Seen) -> Iterator[str]:
    """After a delivery by a server that works, every urgent mail was tried, days off included."""
    if seen.world.post.down:
        return
    for mail in seen.rows(
        "SELECT key FROM mail WHERE kind = 'urgent' AND state = 'pending' AND attempts = 0 "
        "AND day <= ?",
        str(seen.today()),
    ):
        yield mail["key"]
