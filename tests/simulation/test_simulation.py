"""Offices that live by their seed alone, and invariants that can fail."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import invariants
from cases import Cases
from changes import Changes
from crimes import Crimes
from holding import Invariant, Violation, hold
from life import Life
from people import Act
from post import Accepted
from seen import Seen
from world import World

EVERY = {
    invariant.__name__: invariant
    for when in ("STEP", "SWEPT", "DELIVERED", "DAY", "END")
    for invariant in getattr(invariants, when)
}
RUN = Path(__file__).parent / "run.py"
OPEN = "met_on IS NULL AND closed_on IS NULL AND NOT suspended"


def test_the_same_seed_gives_the_same_life_in_any_process(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, str(RUN), "--seed", "251", "--days", "30"],
        env={"PYTHONHASHSEED": "1", "PYTHONPATH": str(RUN.parents[2])},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    here = Life(World(251, tmp_path))
    here.live(30)
    assert f"{here.counts['events']} events" in said
    assert f"digest {here.digest[:12]}" in said
    assert "0 violations" in said


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Some weeks of an office in which more happens than in most."""
    life = Life(World(355, tmp_path_factory.mktemp("lived")))
    with (
        patch.dict(Cases.chances, correct_record=0.6, alternate=0.5),
        patch.dict(Changes.chances, closed_subject=0.3, leave=0.3, back=0.3),
        patch.dict(Crimes.chances, report=0.6, wrong=0.4),
    ):
        life.live(58)
    return life


@pytest.fixture(scope="module")
def lived(life: Life) -> World:
    """That office; its database is to be copied."""
    return life.world


def test_whatever_befalls_an_office_every_invariant_holds(life: Life) -> None:
    assert life.counts["alerts"] > 20
    assert life.counts["mails"] > 20
    said = " ".join(life.log)
    for deed in (
        "crime_decide",
        "crime_transfer",
        "report refusal",
        "alternate for",
        "wrong crime",
    ):
        assert re.search(rf"{deed} \S+: done|{deed} \S+: refused", said), deed
    assert re.search(r"leave \S+: done", said)
    assert re.search(r"back \S+: done", said)
    assert re.search(r"publish 2023-1-\w+/\w+/2: done", said)


@pytest.fixture
def seen(lived: World, tmp_path: Path) -> Iterator[Seen]:
    """That office, looked at twice, its triggers off."""
    shutil.copy(lived.database, tmp_path)
    home, accepted = lived.home, list(lived.post.accepted)
    lived.home = tmp_path
    with lived.lived_in():
        found = Seen(lived)
        for (trigger,) in found.book.execute("SELECT name FROM sqlite_master WHERE type='trigger'"):
            found.book.execute(f"DROP TRIGGER {trigger}")
        found.look()
        found.look()
        yield found
        found.book.close()
    lived.home, lived.post.accepted = home, accepted


# What is done to the office behind its back, and which invariant says so. {one} is an open duty
# that was alerted, {told} its last alert, {mail} the digest of it.
NEW_ALERT = (
    "INSERT INTO alert (obligation_id, due_version, level, name, role, recipient, email, why, "
    "raised_on, mail_id) SELECT obligation_id, due_version, {level}, name, {role}, recipient, "
    "{email}, '', raised_on, {mail} FROM alert WHERE id = {told}"
)
MAIL_AGAIN = (
    "CREATE TABLE again AS SELECT * FROM mail WHERE id = {mail}; UPDATE again SET "
    "id = id + 100000, key = key || '2', text = {text}; INSERT INTO mail SELECT * FROM again"
)
PREPARED = "corrections_reach_the_public"
UNTRUE = [
    ("UPDATE obligation SET due_on = '2030-01-02' WHERE id = {one}", "due_days_move_with_an_entry"),
    ("UPDATE obligation SET due_on = '2030-01-02' WHERE id = {one}", "due_days_are_counted_right"),
    ("UPDATE obligation SET provisional = 1 WHERE id = {one}", "due_days_are_counted_right"),
    ("UPDATE obligation SET met_on = due_on WHERE id = {one}", "duties_end_with_an_entry"),
    ("DELETE FROM obligation WHERE id = {one}", "duties_end_with_an_entry"),
    (
        "UPDATE obligation SET due_on = '2020-01-02' WHERE id = {one} THEN "
        "UPDATE obligation SET due_version = 99, due_on = '2030-01-02' WHERE id = {one}",
        "nothing_missed_is_forgotten",
    ),
    (
        NEW_ALERT.format(
            level="'early'", role="role", email="email", mail="mail_id", told="{told}"
        ),
        "alerts_come_on_their_day",
    ),
    (
        NEW_ALERT.format(level="'x'", role="role", email="'a@b.example'", mail="1", told="{told}"),
        "alerts_reach_somebody",
    ),
    (
        "INSERT INTO leave (department, person, first_on, last_on, delegate, delegate_email, "
        "entered_by, entered_at) SELECT department, person, '2000-01-01', '2100-01-01', '', '', "
        "'', '2000-01-01' FROM obligation WHERE id = {one}; "
        + NEW_ALERT.format(
            level="'x'", role="'responsible'", email="email", mail="1", told="{told}"
        ),
        "who_is_away_is_told_nothing",
    ),
    (
        NEW_ALERT.format(level="'x'", role="role", email="email", mail="NULL", told="{told}"),
        "what_is_skipped_was_overtaken",
    ),
    (
        "CREATE TABLE copy AS SELECT * FROM alert; DROP TABLE alert; "
        "ALTER TABLE copy RENAME TO alert; INSERT INTO alert SELECT id + 100000, obligation_id, "
        "due_version, level, name, role, recipient, email, why, raised_on, mail_id "
        "FROM alert WHERE id = {told}",
        "no_level_is_told_twice",
    ),
    ("DELETE FROM alert WHERE id = {told}", "every_level_is_accounted_for"),
    ("UPDATE alert SET due_version = 0 WHERE id = {told}", "every_level_is_accounted_for"),
    (
        "UPDATE obligation SET suspended = 1 WHERE id = {one}",
        "nothing_rests_longer_than_granted",
    ),
    ("UPDATE round SET closed_on = '2020-01-01'", "closed_rounds_are_done"),
    ("UPDATE obligation SET person = '' WHERE id = {one}", "every_duty_has_an_owner"),
    (
        "UPDATE obligation SET next_alert_on = NULL WHERE id = {one}",
        "every_duty_is_looked_at_again",
    ),
    (
        MAIL_AGAIN.format(text="''", mail="{mail}")
        + "; UPDATE alert SET mail_id = mail_id + 100000 WHERE id = {told}",
        "digests_tell_what_is_open",
    ),
    (MAIL_AGAIN.format(text="text", mail="{mail}"), "one_digest_a_day"),
    (MAIL_AGAIN.format(text="text", mail="{mail}"), "one_mail_a_key"),
    (
        "UPDATE mail SET message_id = '<other@office.example>' WHERE id = {mail}",
        "every_mail_arrived_or_shows_why",
    ),
    ("UPDATE mail SET state = 'pending' WHERE id = {mail}", "every_mail_arrived_or_shows_why"),
    ("UPDATE alert SET email = 'a@b.example' WHERE id = {told}", "what_is_told_has_a_mail"),
    ("UPDATE ledger SET detail = '{{}}' WHERE id = 7", "the_ledger_is_one_chain"),
    ("DELETE FROM ledger WHERE id = 7", "the_ledger_is_one_chain"),
    (
        "INSERT INTO ledger (at, actor, action, subject, detail, previous, digest) "
        "SELECT at, actor, action, subject, detail, previous, digest "
        "FROM ledger WHERE action = '抽取封存'",
        "draws_are_sealed_once",
    ),
    ("UPDATE drawn_subject SET code = 'other'", "sealed_draws_stay"),
    (
        "UPDATE team_member SET certificate = certificate || '9'",
        "draws_can_be_recomputed",
    ),
    ("UPDATE inspection SET unannounced = 1", "nobody_is_warned"),
    (
        "UPDATE alert SET level = 'daily-99', id = id + 100000 WHERE id = (SELECT max(id) "
        "FROM alert WHERE obligation_id IN (SELECT id FROM obligation WHERE started_at NOT NULL))",
        "urgent_alerts_come_at_their_minute",
    ),
    (
        "UPDATE obligation SET met_on = NULL, met_at = NULL WHERE started_at IS NOT NULL THEN "
        "DELETE FROM alert WHERE level = 'start'",
        "every_urgent_level_is_accounted_for",
    ),
    (
        "UPDATE mail SET state = 'pending', attempts = 0 WHERE kind = 'urgent'",
        "urgent_mails_wait_for_no_working_day",
    ),
    (
        "UPDATE obligation SET due_at = datetime(due_at, '+1 day') WHERE started_at IS NOT NULL",
        "due_minutes_are_counted_right",
    ),
    (
        "UPDATE obligation SET met_at = NULL WHERE duty = 'crime_transfer'",
        "crimes_have_their_duties",
    ),
    ("UPDATE mail SET state = 'void' WHERE id = {mail}", "what_is_still_owed_was_told"),
    ("UPDATE publication_version SET content = '{{}}'", "what_was_public_stays"),
    ("DELETE FROM publication_version WHERE number = 1", "what_was_public_stays"),
    (
        "UPDATE obligation SET met_on = NULL WHERE duty = 'republish'",
        "corrections_of_what_is_public_are_owed",
    ),
    (
        "INSERT INTO publication_version SELECT id + 1000, publication_id, number + 100, '{{}}', "
        "prepared_on, '', NULL FROM publication_version",
        "corrections_of_what_is_public_are_owed",
    ),
    ('UPDATE publication SET content = \'{{"insDate": 1, "details": []}}\'', PREPARED),
    ("UPDATE round SET closed_on = '2020-01-01'", "closed_rounds_are_whole"),
    ("DELETE FROM refusal_report", "refusals_are_to_be_reported"),
    ("UPDATE inspection SET attestation = '拒签'", "refusals_are_to_be_reported"),
    (
        "UPDATE inspection SET replaces = (SELECT max(replaces) FROM inspection)",
        "alternates_stand_in_for_the_closed",
    ),
]


def test_every_invariant_is_seen_to_fail() -> None:
    by_hand = {
        "mails_go_out_on_working_days",
        "repeats_are_the_same_mail",
        "the_board_shows_what_is_over",
    }
    assert {named for _, named in UNTRUE} | by_hand == EVERY.keys()


@pytest.mark.parametrize(("statement", "named"), UNTRUE)
def test_what_was_done_behind_the_offices_back_is_named(
    seen: Seen, statement: str, named: str
) -> None:
    invariant: Invariant = EVERY[named]
    if named in ("sealed_draws_stay", "draws_are_sealed_once"):
        seen.entries = seen.rows("SELECT * FROM ledger")
        seen.sealed.clear()
        hold(seen, (EVERY["draws_are_sealed_once"],))
        seen.look()
    hold(seen, (invariant,))
    [told, one, mail] = seen.book.execute(
        "SELECT a.id, o.id, mail_id FROM alert a JOIN obligation o ON o.id = obligation_id "
        f"AND a.due_version = o.due_version JOIN mail m ON m.id = mail_id WHERE {OPEN} "
        "AND working_days IS NOT NULL AND kind = 'digest' AND state = 'sent' AND a.why = '' "
        "AND (o.duty, o.object) NOT IN (SELECT duty, object FROM granted_time) "
        "ORDER BY a.id DESC LIMIT 1"
    ).fetchone()
    for part in statement.format(one=one, told=told, mail=mail).split(" THEN "):
        seen.book.executescript(part)
        seen.look()
    with pytest.raises(Violation, match=re.escape(" ".join(str(invariant.__doc__).split()))):
        hold(seen, (invariant,))


def test_a_mail_on_a_day_off_is_named(seen: Seen) -> None:
    hold(seen, (EVERY["mails_go_out_on_working_days"],))
    saturday = seen.world.clock.day
    while seen.world.days.works(saturday):
        saturday += timedelta(1)
    seen.world.clock.begin(saturday, timedelta())
    seen.world.post.accepted.append(Accepted(seen.world.clock.now(), "a@b.example", "<1>", ""))
    seen.look()
    with pytest.raises(Violation, match="day off"):
        hold(seen, (EVERY["mails_go_out_on_working_days"],))


def test_a_repeat_with_other_bytes_is_named(seen: Seen) -> None:
    hold(seen, (EVERY["repeats_are_the_same_mail"],))
    seen.world.post.accepted.append(replace(seen.world.post.accepted[0], sha256="other"))
    with pytest.raises(Violation, match="same bytes"):
        hold(seen, (EVERY["repeats_are_the_same_mail"],))


def test_a_board_that_hides_what_is_over_is_named(seen: Seen) -> None:
    board = EVERY["the_board_shows_what_is_over"]
    hold(seen, (board,))
    with (
        patch("owed.board", lambda *_: SimpleNamespace(overdue=[])),
        pytest.raises(Violation, match="every open duty whose due"),
    ):
        hold(seen, (board,))


def test_a_wrong_entry_that_stands_is_named(seen: Seen) -> None:
    another: Any = Life(seen.world)
    another.seen = seen
    with pytest.raises(Violation, match="cannot stand is refused"):
        another._act(Act("nonsense", lambda at: None, wrong=True))
