"""Obligations follow the facts: made once, moved in sight, ended and revived by what is true."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.base import SHANGHAI
from models.obligation import Obligation
from models.reconciliation import Due, Reconciled, Wanted, reconcile

OBJECT = "2024-1-D01/yjglj"


def day(text: str) -> date:
    return date.fromisoformat(f"2024-{text}")


def moment(text: str) -> datetime:
    """Nine o'clock of that day, or the minute itself."""
    on, _, at = text.partition(" ")
    return datetime.combine(day(on), time.fromisoformat(at or "09:00"), tzinfo=SHANGHAI)


def a_due(on: str, provisional: bool = False) -> Due:
    at = datetime.combine(day(on), time(), tzinfo=SHANGHAI)
    return Due(day(on), at, provisional, "日历一")


WANTED = Wanted(
    duty="publish",
    object=OBJECT,
    inspection="2024-1-D01",
    about="某某化工",
    department="yjglj",
    person="张三",
    email="zhang@yjglj.example",
    started_on=day("07-09"),
    working_days=20,
    source="方案第八条",
    due=a_due("08-06"),
)


class Book:
    """What is stored, and what each reconciling does to it."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Obligation] = {}

    def lay(self, *wanted: Wanted, as_of: str = "07-10") -> Reconciled:
        found = reconcile(self.rows, wanted, 1, moment(as_of), lambda due: due.on)
        self.rows |= {(row.duty, row.object): row for row in found.new}
        return found

    @property
    def row(self) -> Obligation:
        (row,) = self.rows.values()
        return row


@pytest.fixture
def book() -> Book:
    book = Book()
    book.lay(WANTED)
    return book


def actions(found: Reconciled) -> list[str]:
    return [event.action for event in found.events]


def test_a_fact_starts_its_obligation_and_the_ledger_says_how_it_was_counted() -> None:
    book = Book()
    found = book.lay(WANTED)
    assert book.row.due_on == day("08-06")
    assert (book.row.due_version, book.row.next_alert_on) == (1, day("08-06"))
    assert book.row.open
    (event,) = found.events
    assert (event.action, event.subject) == ("期限起算", f"公示 {OBJECT}")
    assert event.detail["working_days"] == 20
    assert event.detail["source"] == "方案第八条"


def test_reconciling_again_changes_nothing(book: Book) -> None:
    before = dict(vars(book.row))
    assert book.lay(WANTED, as_of="12-31") == Reconciled()
    assert vars(book.row) == before


def moved(start: str = "07-12", due: str = "08-09", **changed: Any) -> Wanted:
    return replace(WANTED, started_on=day(start), due=a_due(due), **changed)


def test_a_moved_start_is_a_new_version_with_its_old_day_in_the_ledger(book: Book) -> None:
    book.row.alerted_level = "before-2"
    found = book.lay(moved())
    assert actions(found) == ["期限变更"]
    assert found.events[0].detail["before"]["due_on"] == day("08-06")
    assert found.events[0].detail["after"]["due_on"] == day("08-09")
    assert [(move.before, move.row) for move in found.moved] == [(day("08-06"), book.row)]
    assert (book.row.due_version, book.row.due_on) == (2, day("08-09"))
    assert (book.row.alerted_level, book.row.next_alert_on) == ("", day("08-09"))
    assert book.row.missed_on == []


@pytest.mark.parametrize(("as_of", "missed"), [("08-06", []), ("08-07", ["2024-08-06"])])
def test_a_missed_day_stays_in_sight_when_the_start_moves(
    book: Book, as_of: str, missed: list[str]
) -> None:
    book.lay(moved(), as_of=as_of)
    assert book.row.missed_on == missed
    assert book.row.was_overdue(day(as_of)) is bool(missed)
    book.lay(moved(met_on=day("08-08")), as_of="08-08")
    assert book.row.was_overdue(day("12-31")) is bool(missed)


def test_what_was_met_in_time_missed_nothing_when_its_start_moves_later(book: Book) -> None:
    book.lay(replace(WANTED, met_on=day("08-01")))
    book.lay(moved(met_on=day("08-01")), as_of="12-31")
    assert book.row.missed_on == []
    assert book.row.due_version == 2


def test_a_start_that_moves_back_can_make_an_obligation_overdue(book: Book) -> None:
    book.lay(moved("06-20", "07-18", met_on=day("07-25")), as_of="07-25")
    assert book.row.was_overdue(day("07-25"))


@pytest.mark.parametrize(
    ("as_of", "met_on", "overdue"),
    [
        ("08-06", None, False),
        ("08-07", None, True),
        ("12-31", "08-06", False),
        ("12-31", "08-07", True),
    ],
)
def test_overdue_begins_the_day_after_the_due_day(
    book: Book, as_of: str, met_on: str | None, overdue: bool
) -> None:
    book.lay(replace(WANTED, met_on=met_on and day(met_on)), as_of=as_of)
    assert book.row.was_overdue(day(as_of)) is overdue


def test_met_late_is_said_in_the_ledger(book: Book) -> None:
    (event,) = book.lay(replace(WANTED, met_on=day("08-07"))).events
    assert event.action == "期限完成"
    assert event.detail == {"met_on": day("08-07"), "due_on": day("08-06"), "late": True}
    assert not book.row.open


def test_a_fact_taken_back_opens_the_obligation_again_and_it_can_be_met_again(book: Book) -> None:
    book.lay(replace(WANTED, met_on=day("08-01")))
    assert actions(book.lay(WANTED)) == ["期限恢复"]
    assert book.row.open
    assert actions(book.lay(replace(WANTED, met_on=day("08-05")))) == ["期限完成"]
    assert book.row.met_on == day("08-05")


def test_what_is_opened_again_is_told_anew_from_its_first_level_on(book: Book) -> None:
    book.row.alerted_level, book.row.next_alert_on = "over-3", day("08-30")
    book.lay(replace(WANTED, met_on=day("08-12")))
    (event,) = book.lay(WANTED, as_of="08-20").events
    assert (event.action, event.detail["version"]) == ("期限恢复", 2)
    assert (book.row.due_version, book.row.alerted_level) == (2, "")
    assert (book.row.due_on, book.row.next_alert_on) == (day("08-06"), day("08-06"))
    assert book.lay(WANTED, as_of="08-21") == Reconciled()


def test_what_is_opened_again_is_counted_by_the_calendar_of_now(book: Book) -> None:
    book.lay(replace(WANTED, met_on=day("08-01")))
    found = book.lay(moved(start="07-09"), as_of="08-07")
    assert actions(found) == ["期限变更", "期限恢复"]
    assert (book.row.due_on, book.row.missed_on) == (day("08-09"), ["2024-08-06"])
    assert book.row.due_version == 2


def test_what_no_fact_calls_for_any_more_is_closed_once_and_kept(book: Book) -> None:
    found = book.lay(as_of="07-15")
    assert actions(found) == ["期限终止"]
    assert (book.row.closed_on, book.row.closed_why) == (day("07-15"), "事实更正后不再需要")
    assert book.lay(as_of="07-20") == Reconciled()
    assert actions(book.lay(WANTED, as_of="07-22")) == ["期限恢复"]
    assert book.row.open
    assert book.row.closed_why == ""


def test_what_was_met_stays_met_when_no_fact_calls_for_it_any_more(book: Book) -> None:
    book.lay(replace(WANTED, met_on=day("08-01")))
    assert book.lay() == Reconciled()
    assert book.row.met_on == day("08-01")


def test_a_closed_obligation_that_is_met_after_all_is_met(book: Book) -> None:
    book.lay(replace(WANTED, closed_on=day("07-20"), closed_why="未实施"))
    assert book.row.closed_why == "未实施"
    book.lay(replace(WANTED, met_on=day("07-19")))
    assert (book.row.met_on, book.row.closed_on, book.row.closed_why) == (day("07-19"), None, "")


def test_who_is_responsible_may_change_without_moving_the_day(book: Book) -> None:
    book.row.alerted_level = "before-2"
    found = book.lay(replace(WANTED, person="李四", email="li@yjglj.example"))
    assert actions(found) == ["责任人变更"]
    assert (book.row.person, book.row.due_version) == ("李四", 1)
    assert book.row.alerted_level == "before-2"


def test_who_was_responsible_stays_when_the_duty_has_ended(book: Book) -> None:
    met = replace(WANTED, met_on=day("07-12"))
    book.lay(met)
    found = book.lay(replace(met, person="李四", email="li@yjglj.example"))
    assert found.events == []
    assert (book.row.person, book.row.email) == ("张三", "zhang@yjglj.example")
    book.lay(replace(WANTED, person="李四"))  # open again, and somebody else's by now
    assert book.row.person == "李四"


def test_a_day_that_becomes_firm_is_a_version_of_its_own(book: Book) -> None:
    book.lay(replace(WANTED, due=a_due("08-06", provisional=True)))
    assert (book.row.provisional, book.row.due_version) == (True, 2)
    (move,) = book.lay(WANTED).moved
    assert (move.before, move.was_provisional) == (day("08-06"), True)
    assert not book.row.provisional


def test_what_is_met_stays_counted_by_the_calendar_of_its_time(book: Book) -> None:
    met = replace(WANTED, met_on=day("08-01"))
    book.lay(met)
    assert book.lay(replace(met, due=a_due("08-09"))) == Reconciled()
    assert book.row.due_on == day("08-06")


def test_a_suspension_rests_the_obligation_without_another_version(book: Book) -> None:
    book.lay(replace(WANTED, suspended=True))
    assert (book.row.suspended, book.row.due_version, book.row.open) == (True, 1, True)
    book.lay(WANTED)
    assert not book.row.suspended


facts = st.builds(
    replace,
    st.just(WANTED),
    duty=st.sampled_from(["publish", "refer"]),
    started_on=st.sampled_from([day("07-09"), day("07-12")]),
    due=st.sampled_from([a_due("08-06"), a_due("08-09"), a_due("08-09", True)]),
    met_on=st.sampled_from([None, day("08-01"), day("08-08")]),
    person=st.sampled_from(["张三", "李四"]),
)
quick = settings(max_examples=15, deadline=None)
histories = st.lists(st.lists(facts, unique_by=lambda fact: fact.duty), max_size=6)


@quick
@given(histories)
def test_whatever_happened_the_same_facts_twice_change_nothing(
    history: Sequence[Sequence[Wanted]],
) -> None:
    book = Book()
    for wanted in history:
        book.lay(*wanted)
        assert book.lay(*wanted) == Reconciled()
        for want in wanted:
            assert book.rows[want.duty, want.object].met_on == want.met_on
        assert len(book.rows) <= 2


@quick
@given(histories)
def test_no_later_fact_takes_a_missed_day_out_of_sight(
    history: Sequence[Sequence[Wanted]],
) -> None:
    book, missed = Book(), dict[tuple[str, str], list[str]]()
    for wanted in history:
        book.lay(*wanted, as_of="12-31")
        for key, row in book.rows.items():
            assert row.missed_on[: len(missed.get(key, []))] == missed.get(key, [])
            missed[key] = list(row.missed_on)


# ---- by the clock -------------------------------------------------------------------------------

TRANSFER = replace(
    WANTED,
    duty="crime_transfer",
    started_on=day("07-13"),
    started_at=moment("07-13 10:00"),
    working_days=None,
    hours=24,
    due=Due(day("07-14"), moment("07-14 10:00"), False, "日历一"),
)


@pytest.fixture
def clock() -> Book:
    book = Book()
    book.lay(TRANSFER, as_of="07-13 10:05")
    return book


def met(at: str, want: Wanted = TRANSFER) -> Wanted:
    return replace(want, met_on=moment(at).date(), met_at=moment(at))


def test_what_runs_by_the_clock_is_looked_at_from_its_first_minute(clock: Book) -> None:
    assert (clock.row.next_alert_on, clock.row.next_alert_at) == (None, moment("07-13 10:00"))
    assert clock.lay(TRANSFER, as_of="07-13 10:06") == Reconciled()


@pytest.mark.parametrize(("at", "late"), [("07-14 10:00", False), ("07-14 10:01", True)])
def test_it_is_late_from_the_minute_after_and_the_ledger_says_so(
    clock: Book, at: str, late: bool
) -> None:
    (event,) = clock.lay(met(at), as_of="07-15").events
    assert (event.action, event.detail["late"]) == ("期限完成", late)
    assert event.detail["met_at"] == moment(at)
    assert clock.row.late is late
    assert clock.row.was_overdue(day("07-14")) is late


def test_a_corrected_minute_is_a_new_version_alerted_anew(clock: Book) -> None:
    clock.row.alerted_level = "before-24"
    later = replace(
        TRANSFER,
        started_at=moment("07-13 10:30"),
        due=Due(day("07-14"), moment("07-14 10:30"), False, "日历一"),
    )
    (event,) = clock.lay(later, as_of="07-13 11:00").events
    assert event.action == "期限变更"
    assert event.detail["before"]["due_at"] == moment("07-14 10:00")
    assert (clock.row.due_version, clock.row.alerted_level) == (2, "")
    assert clock.row.next_alert_at == moment("07-13 10:30")
    assert clock.row.missed_on == []


@pytest.mark.parametrize(
    ("as_of", "missed"), [("07-14 10:00", []), ("07-14 10:01", ["2024-07-14"])]
)
def test_a_missed_minute_stays_in_sight_when_the_start_moves(
    clock: Book, as_of: str, missed: list[str]
) -> None:
    later = replace(
        TRANSFER,
        started_at=moment("07-13 12:00"),
        due=Due(day("07-14"), moment("07-14 12:00"), False, "日历一"),
    )
    clock.lay(later, as_of=as_of)
    assert clock.row.missed_on == missed
