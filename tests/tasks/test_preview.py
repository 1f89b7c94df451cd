from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from calendars import WorkingCalendar
from models.alert import Alert, first_alert_on
from models.base import SHANGHAI
from models.crime import CrimeEntry
from models.database import reading, writing
from models.leave import Leave
from models.ledger import LedgerEntry
from models.mail import Mail
from models.obligation import Obligation
from models.plan import read_plan
from models.reconciliation import Due
from models.settings import SHIPPED_PLAN
from tasks import duty
from tasks.crime import enter_crimes
from tasks.mail import deliver
from tasks.obligation import sweep
from tasks.preview import preview, preview_mails
from tasks.urgent import sweep_urgent


def at(text: str) -> datetime:
    """`07-13 10:05` of 2024."""
    return datetime.fromisoformat(f"2024-{text}").replace(tzinfo=SHANGHAI)


def sent() -> list[tuple[str, str, str]]:
    """Level, receiver and reason of each alert that was mailed, first due first."""
    with reading() as session:
        rows = session.execute(
            select(Alert.name, Alert.recipient, Alert.why)
            .join(Obligation, Obligation.id == Alert.obligation_id)
            .where(Alert.mail_id.is_not(None))
            .order_by(Obligation.due_at, Obligation.id, Alert.id)
        )
        return list(rows.tuples())


def foreseen(day: date) -> list[tuple[str, str, str]]:
    return [(one.level, one.to, one.why) for one in preview(day)]


def leave(person: str, delegate: str = "", email: str = "") -> None:
    with writing() as session:
        session.add(
            Leave(
                department="yjglj",
                person=person,
                first_on=date(2024, 7, 1),
                last_on=date(2024, 7, 31),
                delegate=delegate,
                delegate_email=email,
                entered_at=at("06-28 09:00"),
            )
        )


@pytest.mark.parametrize("day", [date(2024, 7, 3), date(2024, 7, 8), date(2024, 7, 22)])
@pytest.mark.parametrize("away", [False, True], ids=["all there", "one on leave"])
def test_the_dry_run_names_the_alerts_that_the_sweep_then_sends(
    drawn: Any, day: date, away: bool
) -> None:
    morning = datetime.combine(day, at("07-01 08:30").timetz())
    duty.update_all_duties(morning)
    if away:
        with reading() as session:
            due = select(Obligation.person).where(
                Obligation.next_alert_on <= day, Obligation.department == "yjglj"
            )
            person = session.scalars(due).first()
        assert person
        leave(person)
    before = drawn.rows()
    shown = foreseen(day)
    assert shown
    assert any(why for _, _, why in shown) == away
    assert drawn.rows() == before
    sweep(day, morning)
    assert shown == sent()
    assert preview(day) == []


def test_a_dry_run_leaves_nothing_on_either_database(
    bare_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHUANGSUIJI_DATABASE_URL", bare_url)
    calendar, due_on = WorkingCalendar.china(), date(2024, 7, 12)
    due = Due(due_on, at("07-13 00:00"), False, calendar.version)
    with writing() as session:
        session.add(
            Obligation(
                duty="refer",
                object="2024-1-D01/yjglj",
                inspection="2024-1-D01",
                round_id=1,
                about="某某化工有限公司",
                department="yjglj",
                person="张三",
                email="zhang@yjglj.example",
                started_on=date(2024, 7, 3),
                working_days=7,
                source="方案第七.2条",
                due_on=due_on,
                due_at=due.at,
                provisional=False,
                calendar_version=calendar.version,
                next_alert_on=first_alert_on(due, read_plan(SHIPPED_PLAN), calendar),
            )
        )
    shown = preview(due_on)
    assert [(one.level, one.to) for one in shown] == [("当日提醒", "张三")]
    assert [one.email for one in preview_mails(due_on)] == ["zhang@yjglj.example"]
    with reading() as session:
        assert session.scalars(select(Alert)).all() == []
        assert session.scalars(select(Mail)).all() == []
        assert session.scalars(select(LedgerEntry)).all() == []
    figures = sweep(due_on, at("07-12 08:30"))
    assert (figures.alerts, figures.skipped) == (1, 1)


def test_the_dry_run_shows_each_mail_as_it_then_goes_out(drawn: Any) -> None:
    day = date(2024, 7, 8)
    before = drawn.rows()
    shown = preview_mails(day)
    assert shown
    assert drawn.rows() == before
    duty.update_all_duties(at("07-08 08:30"))
    sweep(day, at("07-08 08:30"))
    deliver(at("07-08 08:30"))
    mails = [mail for mail in drawn.rows()["mail"] if mail["sent_at"] and mail["day"] == str(day)]
    assert sorted((one.email, one.subject) for one in shown) == sorted(
        (mail["email"], mail["subject"]) for mail in mails
    )
    # Their ledger is one entry longer by then, and each digest says where it ends.
    told = {mail["email"]: mail["text"].split("台账")[0] for mail in mails}
    assert {one.email: one.text.split("台账")[0] for one in shown} == told


def test_the_dry_run_shows_the_urgent_alerts_of_a_day_off_as_they_are_then_sent(
    recorded: Any,
) -> None:
    given = {
        "inspection": "2024-1-D01",
        "department": "区应急管理局",
        "reported_at": "2024-07-12 16:30",
        "handlers": ["张三", "李四"],
        "entered_by": "张三",
    }
    decided = {"decision": "批准", "decided_at": "2024-07-13 10:00", "decided_by": "应急局负责人"}
    enter_crimes([CrimeEntry(**given)], at("07-12 16:40"))
    sweep(date(2024, 7, 13), at("07-13 08:30"))
    enter_crimes([CrimeEntry(**(given | decided))], at("07-13 10:05"))
    with reading() as session:
        last = len(session.scalars(select(Alert.id)).all())
    shown = foreseen(date(2024, 7, 13))
    for minute in range(10, 14 * 60, 10):
        sweep_urgent(at("07-13 10:00") + timedelta(minutes=minute))
    with reading() as session:
        later = session.scalars(select(Alert).where(Alert.id > last).order_by(Alert.id)).all()
        assert shown == [(one.name, one.recipient, one.why) for one in later if one.mail_id]
    assert [level for level, _, _ in shown] == ["加急：不足 24 小时"]
