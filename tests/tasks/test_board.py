"""What gets onto the deadline board, from a real database."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, select, update

from calendars import Suspension, WorkingCalendar
from models.base import SHANGHAI
from models.board import Away
from models.database import reading, writing
from models.draw import Draw
from models.inspection import Inspection
from models.leave import LeaveEntry, ReturnEntry
from models.mail import letter
from models.obligation import Obligation
from models.round import Round
from tasks import duty, inspection, leave, obligation
from tasks.board import board
from tasks.grant import grant_time
from tasks.progress import progress

DAY = date(2024, 7, 15)


def at(day: date) -> datetime:
    return datetime.combine(day, time(9), tzinfo=SHANGHAI)


def drawn_names() -> dict[str, str]:
    with reading() as session:
        return {one.code: one.name for one in session.scalars(select(Inspection))}


def test_before_the_reveal_nothing_on_the_board_tells_who_was_drawn(drawn: Any) -> None:
    found = board(DAY, at(DAY))
    assert {one.subject for one in found.overdue if one.duty == "notify"} <= set(drawn_names())
    everything = json.dumps(found.as_dict(), ensure_ascii=False)
    with reading() as session:
        codes = list(session.scalars(select(Inspection.subject_code)))
    hidden = [*drawn_names().values(), *codes]
    assert found.overdue
    assert [text for text in hidden if text in everything] == []


def test_once_a_draw_is_revealed_the_subject_has_its_name(drawn: Any) -> None:
    with writing() as session:
        session.execute(update(Draw).where(Draw.grade == "D").values(revealed_at=at(DAY)))
    names = drawn_names()
    for one in board(DAY, at(DAY)).overdue:
        revealed = one.inspection.startswith("2024-1-D")
        assert one.subject == (names[one.inspection] if revealed else one.inspection)


def test_what_is_overdue_is_counted_in_working_days_and_ranked(drawn: Any) -> None:
    found = board(DAY, at(DAY))
    calendar = WorkingCalendar.china()
    with reading() as session:
        rows = session.scalars(
            select(Obligation).where(
                Obligation.met_on.is_(None),
                Obligation.closed_on.is_(None),
                Obligation.due_on < DAY,
            )
        ).all()
        expected = {
            (row.duty, row.object): calendar.count_working_days(row.due_on, DAY) for row in rows
        }
    assert {(one.duty, one.object): one.days for one in found.overdue} == expected
    assert [one.due_on for one in found.overdue] == sorted(one.due_on for one in found.overdue)
    assert max(expected.values()) == 6  # the notices of 8 July were to be served by 5 July


@pytest.mark.parametrize(("days", "shown"), [(-1, "overdue"), (0, "soon"), (7, "soon"), (8, "")])
def test_due_soon_means_within_a_week_today_included(drawn: Any, days: int, shown: str) -> None:
    with writing() as session:
        row = session.scalars(select(Obligation).where(Obligation.duty == "inspect")).first()
        assert row is not None
        row.due_on = DAY + timedelta(days=days)
        object = row.object
    found = board(DAY, at(DAY))
    places = {
        name
        for name in ("overdue", "soon")
        for one in getattr(found, name)
        if (one.duty, one.object) == ("inspect", object)
    }
    assert places == ({shown} if shown else set())


def test_each_duty_tells_its_last_alert_and_what_comes_next(drawn: Any) -> None:
    day = date(2024, 7, 8)  # the first working day over, for the notices of the first visits
    obligation.sweep(day, at(day))
    told = next(one for one in board(day, at(day)).overdue if one.duty == "notify")
    assert (told.last_alert, told.last_alert_on) == ("逾期催办", day)
    assert (told.next, told.next_on) == ("督办（部门负责人）", date(2024, 7, 10))


def test_a_suspended_duty_stays_on_the_board_with_no_next_alert(drawn: Any) -> None:
    with reading() as session:
        row = session.scalars(select(Obligation).where(Obligation.duty == "record")).first()
        assert row is not None
    grant = Suspension(
        DAY, DAY + timedelta(days=9), "批复〔2024〕1号", "行政处罚法", "局长", date(2024, 7, 3)
    )
    grant_time("record", row.object, grant, "李四", at(DAY))
    with writing() as session:
        changed = session.scalars(select(Obligation).where(Obligation.id == row.id)).one()
        changed.suspended, changed.due_on = True, date(2024, 7, 12)
    found = next(one for one in board(DAY, at(DAY)).overdue if one.object == row.object)
    assert found.suspended
    assert (found.next, found.next_on) == ("", None)


def test_who_is_away_today_is_on_the_board_until_the_last_day_of_it(drawn: Any) -> None:
    head, tomorrow = "应急局负责人", DAY + timedelta(days=1)
    away = LeaveEntry(
        department="yjglj",
        person=head,
        first_on=DAY,
        last_on=DAY + timedelta(days=9),
        reason="年休假",
        entered_by="李四",
    )
    leave.enter_leave(away, at(DAY))
    back = {"department": "yjglj", "person": head, "entered_by": "李四"}
    leave.end_leave(ReturnEntry(back_on=DAY + timedelta(days=4), **back), at(DAY))
    through = DAY + timedelta(days=3)
    (found,) = board(tomorrow, at(tomorrow)).away
    assert found == Away("区应急管理局", head, through, "无人代办")
    assert board(DAY - timedelta(days=1), at(DAY)).away == ()
    assert board(through + timedelta(days=1), at(DAY)).away == ()


def test_the_strip_counts_every_round_and_stage(drawn: Any) -> None:
    first, second = board(DAY, at(DAY)).rounds
    cells = {cell.duty: cell for cell in first.cells}
    assert (first.code, second.code) == ("2024-1", "2024-2")
    assert (cells["draw"].state, cells["draw"].done) == ("done", 4)
    assert (cells["record"].total, cells["record"].state) == (34, "overdue")
    assert cells["publish"].state == "none"
    assert [cell.state for cell in second.cells if cell.total] == ["open"]


def test_the_board_and_the_card_agree(drawn: Any, sheet: Any) -> None:
    day = date(2024, 7, 9)
    inspection.record_inspections([sheet("2024-1-A01", ended_on=date(2024, 7, 8))], at(day))
    duty.update_duties("2024-1", at(day))
    figures = progress("2024-1", DAY)
    line = board(DAY, at(DAY)).rounds[0]
    for cell in line.cells:
        own = figures.duties[cell.duty]
        assert (cell.total, cell.done, cell.overdue, cell.soon) == (
            own.total,
            own.done,
            own.overdue,
            own.soon,
        )
    assert figures.duties["record"].done == 1


def test_mails_that_reached_nobody_are_shown_without_address_or_subject(drawn: Any) -> None:
    with writing() as session:
        letter(
            session,
            key="team:x",
            name="王五",
            email="不是邮箱@局",
            day=DAY,
            subject="〔2024-1-D03〕检查任务：某某公司",
            text="某某公司",
        )
    found = board(DAY, at(DAY))
    (lost,) = found.mails
    assert found.lost_mails == 1
    assert (lost.name, lost.subject) == ("王五", "信件〔2024-1-D03〕")
    assert "@" not in lost.why


def test_the_last_sweep_and_the_calendar_are_told(drawn: Any) -> None:
    assert board(DAY, at(DAY)).swept_on is None
    obligation.sweep(DAY, at(DAY))
    found = board(DAY, at(DAY))
    assert (found.swept_on, found.swept_at) == (DAY, at(DAY))
    assert found.coverage is not None
    assert found.coverage.firm_through == WorkingCalendar.china().firm_through


def test_of_closed_rounds_the_newest_stay_on_the_board(drawn: Any) -> None:
    with writing() as session:
        model = session.scalars(select(Round).where(Round.code == "2024-1")).one()
        for number in range(3, 9):
            session.add(
                Round(
                    plan_id=model.plan_id,
                    code=f"2023-{number}",
                    number=number,
                    task_number="",
                    opens_on=DAY,
                    visits_from=DAY,
                    ends_on=DAY,
                    registered_at=at(DAY),
                    closed_on=DAY,
                    outcome="已办结",
                )
            )
    shown = [line.code for line in board(DAY, at(DAY)).rounds]
    assert shown == ["2024-1", "2024-2", "2023-5", "2023-6", "2023-7", "2023-8"]


@contextmanager
def queries() -> Iterator[list[str]]:
    made: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        made.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield made
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_five_hundred_overdue_take_as_many_queries_as_a_few(drawn: Any) -> None:
    with queries() as few:
        before = board(DAY, at(DAY))
    table = Obligation.__table__
    with writing() as session:
        row = session.execute(select(table).where(table.c.duty == "record")).mappings().first()
        assert row is not None
        copies = [
            {**row, "id": None, "object": f"{row['object']}/{number}", "due_on": DAY - timedelta(1)}
            for number in range(500)
        ]
        session.execute(insert(Obligation), copies)
    with queries() as made:
        found = board(DAY, at(DAY))
    assert len(found.overdue) == len(before.overdue) + 500
    assert len(made) == len(few) <= 16
