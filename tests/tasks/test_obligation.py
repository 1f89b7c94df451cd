from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from calendars import WorkingCalendar
from models.alert import Alert, Sweep, first_alert_on
from models.base import SHANGHAI
from models.database import reading, writing
from models.leave import Leave
from models.ledger import LedgerEntry, first_bad
from models.mail import Mail
from models.obligation import Obligation
from models.plan import PlanVersion, read_plan
from models.reconciliation import Due
from models.settings import SHIPPED_PLAN
from tasks import obligation
from tasks.mail import deliver
from tasks.obligation import sweep

PLAN = read_plan(SHIPPED_PLAN)
CALENDAR = WorkingCalendar.china()
DUE = date(2024, 7, 12)  # Friday
HEAD, OFFICE = "head@yjglj.example", "coordinator@weidong.example"


def morning(day: date) -> datetime:
    return datetime.combine(day, time(8, 30), tzinfo=SHANGHAI)


class Nowhere:
    """Takes every mail."""

    sender = ""

    def send(self, message: object) -> None: ...

    def close(self) -> None: ...


class Office:
    """A database with the shipped plan and one round, and what tests ask of it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def owe(self, due_on: date = DUE, **changed: Any) -> int:
        with writing(self.url) as session:
            number = session.scalar(select(func.count(Obligation.id))) or 0
            due = Due(due_on, morning(due_on), False, CALENDAR.version)
            given = {
                "duty": "refer",
                "object": f"2024-1/{number}/yjglj",
                "inspection": f"2024-1/{number}",
                "round_id": 1,
                "about": "某某化工有限公司",
                "department": "yjglj",
                "person": "张三",
                "email": "Zhang@yjglj.example",
                "started_on": CALENDAR.add_working_days(due_on, -7),
                "working_days": 7,
                "source": "方案第七.2条",
                "due_on": due_on,
                "due_at": due.at,
                "provisional": False,
                "calendar_version": CALENDAR.version,
                "next_alert_on": first_alert_on(due, PLAN, CALENDAR),
            }
            row = Obligation(**(given | changed))
            session.add(row)
            session.flush()
            return row.id

    def change(self, number: int, **values: Any) -> None:
        with writing(self.url) as session:
            session.execute(update(Obligation).where(Obligation.id == number).values(**values))

    def sweep(self, day: date, **options: Any) -> obligation.SweepFigures:
        return sweep(day, morning(day), url=self.url, **options)

    def sweep_each_day(self, first: date, last: date) -> None:
        for ahead in range((last - first).days + 1):
            self.sweep(first + timedelta(days=ahead))

    def deliver(self, day: date) -> int:
        return deliver(morning(day), Nowhere(), url=self.url).sent

    def alerts(self, **match: Any) -> list[Alert]:
        with reading(self.url) as session:
            return list(session.scalars(select(Alert).filter_by(**match).order_by(Alert.id)))

    def told(self, **match: Any) -> list[tuple[str, str, str]]:
        """Level, role and day of each alert that was mailed."""
        return [
            (alert.level, alert.role, alert.raised_on.isoformat())
            for alert in self.alerts(**match)
            if not alert.skipped
        ]

    def mails(self) -> list[Mail]:
        with reading(self.url) as session:
            return list(session.scalars(select(Mail).order_by(Mail.id)))


@pytest.fixture
def office(bare_url: str) -> Office:
    return Office(bare_url)


# 12 July 2024 is a Friday; no holiday before 中秋节.
ALL_TOLD = [
    ("before-2", "responsible", "2024-07-10"),
    ("due", "responsible", "2024-07-12"),
    ("over-1", "responsible", "2024-07-15"),
    ("over-3", "responsible", "2024-07-17"),
    ("over-3", "head", "2024-07-17"),
    ("over-5", "responsible", "2024-07-19"),
    ("over-5", "coordinator", "2024-07-19"),
    ("weekly-1", "responsible", "2024-07-26"),
    ("weekly-1", "head", "2024-07-26"),
    ("weekly-1", "coordinator", "2024-07-26"),
    ("weekly-2", "responsible", "2024-08-02"),
    ("weekly-2", "head", "2024-08-02"),
    ("weekly-2", "coordinator", "2024-08-02"),
]


def test_every_level_is_told_on_its_day_to_its_roles(office: Office) -> None:
    office.owe()
    office.sweep_each_day(date(2024, 7, 1), date(2024, 8, 2))
    assert office.told() == ALL_TOLD
    assert {alert.email for alert in office.alerts(role="responsible")} == {"Zhang@yjglj.example"}


@pytest.mark.parametrize("outage", [1, 3, 30])
def test_after_an_outage_every_level_is_there_once_and_the_latest_is_mailed(
    office: Office, outage: int
) -> None:
    office.owe()
    office.sweep(date(2024, 7, 12))
    back = date(2024, 7, 12) + timedelta(days=outage)
    figures = office.sweep(back)
    office.sweep_each_day(back, date(2024, 8, 16))
    levels = [(alert.level, alert.role) for alert in office.alerts()]
    expected = [(level, role) for level, role, _ in ALL_TOLD]
    assert len(set(levels)) == len(levels)
    assert set(expected) <= set(levels)
    caught_up = [told for told in office.told() if told[2] == back.isoformat()]
    assert len(caught_up) == len({role for _, role, _ in caught_up}) == figures.alerts
    if outage == 30:
        assert [told[:2] for told in caught_up] == [
            ("weekly-3", "responsible"),
            ("weekly-3", "head"),
            ("weekly-3", "coordinator"),
        ]
    assert figures.mails == figures.alerts  # no burst: one mail a person


def test_a_second_sweep_finds_nothing_new(office: Office) -> None:
    office.owe()
    assert office.sweep(DUE).obligations == 1
    assert office.sweep(DUE).obligations == 0
    assert len(office.mails()) == 1


def test_an_older_sweep_that_comes_late_does_nothing(office: Office) -> None:
    office.sweep(DUE)
    office.owe()
    figures = office.sweep(DUE - timedelta(days=1))
    assert figures.stale
    assert office.alerts() == []


def test_a_clock_set_back_doubles_nothing(office: Office) -> None:
    office.owe()
    office.sweep(DUE)
    sweep(DUE, morning(DUE) - timedelta(hours=1), url=office.url)
    office.sweep(DUE - timedelta(days=1))
    assert [alert.level for alert in office.alerts()] == ["before-2", "due"]
    assert len(office.mails()) == 1


def test_a_day_of_alerting_turned_back_by_hand_doubles_nothing(office: Office) -> None:
    number = office.owe()
    office.sweep(DUE)
    office.change(number, next_alert_on=date(2024, 7, 10), alerted_level="")
    office.sweep(DUE)
    assert [alert.level for alert in office.alerts()] == ["before-2", "due"]
    office.sweep(date(2024, 7, 15))
    assert office.alerts()[-1].level == "over-1"


def test_a_moved_due_day_alerts_again_by_its_new_version(office: Office) -> None:
    number = office.owe()
    office.sweep(date(2024, 7, 15))
    moved = date(2024, 7, 26)
    office.change(
        number,
        due_on=moved,
        due_version=2,
        alerted_level="",
        next_alert_on=date(2024, 7, 24),
    )
    office.sweep_each_day(date(2024, 7, 15), moved)
    assert office.told(due_version=2) == [
        ("before-2", "responsible", "2024-07-24"),
        ("due", "responsible", "2024-07-26"),
    ]


def test_a_new_head_does_not_get_the_old_levels(office: Office) -> None:
    office.owe()
    office.sweep_each_day(date(2024, 7, 10), date(2024, 7, 17))
    content = PLAN.model_dump(mode="json")
    content["departments"][0]["head"] = {"name": "新负责人", "email": "new@yjglj.example"}
    with writing(office.url) as session:
        session.execute(update(PlanVersion).values(content=content))
    office.sweep_each_day(date(2024, 7, 17), date(2024, 7, 26))
    heads = [(alert.level, alert.email) for alert in office.alerts(role="head")]
    assert heads == [("over-3", HEAD), ("weekly-1", "new@yjglj.example")]


@pytest.mark.parametrize(
    "ended",
    [{"met_on": date(2024, 7, 11)}, {"closed_on": date(2024, 7, 11)}, {"suspended": True}],
)
def test_what_is_done_or_suspended_is_not_alerted(office: Office, ended: dict[str, Any]) -> None:
    office.owe(**ended)
    assert office.sweep(DUE).obligations == 0


def test_who_has_no_address_is_told_through_the_head_and_the_coordinator_sees_why(
    office: Office,
) -> None:
    office.owe(email="")
    office.sweep(date(2024, 7, 10))
    found = [(alert.role, alert.email, alert.why) for alert in office.alerts()]
    assert found == [
        ("responsible", HEAD, "张三没有邮箱"),
        ("coordinator", OFFICE, "张三没有邮箱，已转应急局负责人"),
    ]


def test_a_level_of_which_nobody_can_be_told_reaches_the_coordinator_and_stops_no_other(
    office: Office,
) -> None:
    office.owe(email="")
    office.owe(object="other", department="scjgj")
    with writing(office.url) as session:
        session.add(
            Leave(
                department="yjglj",
                person="应急局负责人",
                first_on=date(2024, 7, 1),
                last_on=date(2024, 7, 31),
                entered_at=morning(date(2024, 7, 1)),
            )
        )
    office.sweep_each_day(date(2024, 7, 10), date(2024, 7, 17))
    over = [
        (alert.obligation_id, alert.role, alert.email) for alert in office.alerts(level="over-3")
    ]
    assert over == [
        (1, "responsible", OFFICE),
        (1, "coordinator", OFFICE),
        (1, "head", OFFICE),
        (2, "responsible", "Zhang@yjglj.example"),
        (2, "head", "head@scjgj.example"),
    ]


def test_a_delegate_is_told_during_leave_alone(office: Office) -> None:
    office.owe()
    with writing(office.url) as session:
        session.add(
            Leave(
                department="yjglj",
                person="张三",
                first_on=date(2024, 7, 8),
                last_on=date(2024, 7, 12),
                delegate="李四",
                delegate_email="li@yjglj.example",
                entered_at=morning(date(2024, 7, 5)),
            )
        )
    office.sweep_each_day(date(2024, 7, 10), date(2024, 7, 15))
    assert [alert.email for alert in office.alerts()] == [
        "li@yjglj.example",
        "li@yjglj.example",
        "Zhang@yjglj.example",
    ]
    assert office.alerts()[0].why == "张三请假，由李四代办"


def test_one_digest_a_person_a_day_gathers_all_alerts(office: Office) -> None:
    for due_on in (DUE, DUE, date(2024, 7, 16)):
        office.owe(due_on)
    office.owe(person="王五", email="wang@yjglj.example")
    office.sweep(DUE)
    mails = office.mails()
    assert [mail.key for mail in mails] == [
        "digest:2024-07-12:wang@yjglj.example",
        "digest:2024-07-12:zhang@yjglj.example",
    ]
    assert len(office.alerts(mail_id=mails[1].id)) == 3
    assert [alert.level for alert in office.alerts(mail_id=None)] == ["before-2"] * 3


def test_alerts_found_after_the_digest_went_out_go_into_the_next_working_days(
    office: Office,
) -> None:
    office.owe()
    office.sweep(DUE)
    office.owe()
    office.sweep(DUE)
    assert len(office.mails()) == 1
    assert office.deliver(DUE) == 1
    office.owe()
    office.sweep(DUE)
    office.owe()
    office.sweep(DUE)
    assert [mail.day for mail in office.mails()] == [DUE, date(2024, 7, 15)]
    assert office.deliver(DUE) == 0
    assert office.deliver(date(2024, 7, 15)) == 1


def test_a_sender_that_was_down_for_days_sends_one_digest(office: Office) -> None:
    office.owe()
    office.sweep_each_day(date(2024, 7, 10), date(2024, 7, 15))
    assert len(office.mails()) == 1
    assert office.deliver(date(2024, 7, 15)) == 1
    office.owe()
    office.sweep(date(2024, 7, 15))
    assert office.mails()[-1].day == date(2024, 7, 16)


def test_a_sweep_on_a_day_off_mails_on_the_next_working_day(office: Office) -> None:
    office.owe()
    office.sweep(date(2024, 7, 13))
    assert office.mails()[0].day == date(2024, 7, 15)
    assert office.deliver(date(2024, 7, 13)) == 0


def test_small_batches_alert_everything_once(office: Office) -> None:
    for _ in range(5):
        office.owe()
    figures = office.sweep(date(2024, 7, 10), batch=2)
    assert (figures.obligations, figures.alerts, len(office.mails())) == (5, 5, 1)


def test_a_sweep_is_in_the_ledger_and_noted_for_the_watchdog(office: Office) -> None:
    office.owe()
    office.sweep(date(2024, 7, 10))
    office.sweep(date(2024, 7, 11))
    with reading(office.url) as session:
        entries = list(session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)))
        sweeps = list(session.scalars(select(Sweep).order_by(Sweep.id)))
    assert [(entry.action, entry.subject) for entry in entries] == [("催办", "2024-07-10")]
    assert entries[0].detail["levels"] == {"before-2": 1}
    assert first_bad(entries) is None
    assert [(row.as_of, row.alerts) for row in sweeps] == [
        (date(2024, 7, 10), 1),
        (date(2024, 7, 11), 0),
    ]


def test_a_sweep_that_fails_leaves_nothing_behind(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("disk full")

    number = office.owe()
    with monkeypatch.context() as broken:
        broken.setattr(obligation, "append", full)
        with pytest.raises(OSError, match="disk full"):
            office.sweep(DUE)
    assert office.alerts() == []
    assert office.mails() == []
    with reading(office.url) as session:
        assert session.get_one(Obligation, number).alerted_level == ""
        assert session.scalar(select(func.count(Sweep.id))) == 0
    assert office.sweep(DUE).alerts == 1


def test_no_level_can_be_recorded_twice(office: Office) -> None:
    office.owe()
    office.sweep(date(2024, 7, 10))
    alert = office.alerts()[0]
    copied = {column.name: getattr(alert, column.name) for column in Alert.__table__.columns}
    again = copied | {"id": alert.id + 1, "email": "other@yjglj.example"}
    with pytest.raises(IntegrityError), writing(office.url) as session:
        session.execute(insert(Alert), [again])


@pytest.mark.server
def test_an_obligation_held_by_a_stage_is_waited_for(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(postgresql_url)
    held = office.owe()
    office.owe()
    monkeypatch.setattr(obligation, "PATIENCE", 3)
    monkeypatch.setattr(obligation, "PAUSE_SECONDS", 0.01)
    with writing(office.url) as session:
        session.execute(select(Obligation).where(Obligation.id == held).with_for_update())
        with pytest.raises(obligation.SweepIncomplete):
            office.sweep(DUE)
    assert {alert.obligation_id for alert in office.alerts()} == {held + 1}
    assert office.sweep(DUE).obligations == 1


@pytest.mark.server
def test_eight_sweepers_at_once_alert_each_obligation_once(postgresql_url: str) -> None:
    office = Office(postgresql_url)
    office.owe()
    with writing(office.url) as session:
        first = session.scalars(select(Obligation)).one()
        values = {column.name: getattr(first, column.name) for column in Obligation.__table__.c}
        session.execute(delete(Obligation))
        rows = [
            values | {"id": number, "object": f"{number}", "email": f"p{number % 50}@yjglj.example"}
            for number in range(1, 4001)
        ]
        session.execute(Obligation.__table__.insert(), rows)
    with ThreadPoolExecutor(8) as pool:
        runs = [pool.submit(office.sweep, date(2024, 7, 10), batch=250) for _ in range(8)]
        found = [run.result() for run in runs]
    assert sum(figures.alerts for figures in found) == 4000
    assert len({alert.obligation_id for alert in office.alerts()}) == len(office.alerts()) == 4000
    assert len(office.mails()) == 50
