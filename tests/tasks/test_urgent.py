"""Urgent alerts: each level told at its minute, once, on days off as well, whatever happens."""

import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.message import Message
from typing import Any

import pytest
from sqlalchemy import func, select, update

from calendars import WorkingCalendar
from models.alert import Alert
from models.base import SHANGHAI
from models.database import engine_for, reading, writing
from models.ledger import LedgerEntry, first_bad
from models.mail import Mail, letter
from models.obligation import Obligation
from models.plan import read_plan
from models.settings import SHIPPED_PLAN
from tasks import urgent
from tasks.mail import deliver
from tasks.obligation import SweepIncomplete, sweep
from tasks.outbox import outgoing
from tasks.urgent import UrgentFigures, sweep_urgent

PLAN = read_plan(SHIPPED_PLAN)
CALENDAR = WorkingCalendar.china()
HEAD, OFFICE = "head@yjglj.example", "coordinator@weidong.example"


def at(text: str) -> datetime:
    """`07-12 16:30` of 2024."""
    return datetime.fromisoformat(f"2024-{text}").replace(tzinfo=SHANGHAI)


class Kept:
    """Takes every mail and keeps it."""

    sender = ""

    def __init__(self) -> None:
        self.taken: list[Message] = []

    def send(self, message: Message) -> None:
        self.taken.append(message)

    def close(self) -> None: ...


class Office:
    """A database with the shipped plan and one round, and what tests ask of it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def owe(self, started: str = "07-12 16:30", due: str = "07-16 00:00", **changed: Any) -> int:
        """A duty that runs by the clock; Friday afternoon to Monday's end unless told otherwise."""
        with writing(self.url) as session:
            number = session.scalar(select(func.count(Obligation.id))) or 0
            given = {
                "duty": "crime_decide",
                "object": f"2024-1-D0{number}/yjglj",
                "inspection": f"2024-1-D0{number}",
                "round_id": 1,
                "about": "某某化工有限公司",
                "department": "yjglj",
                "person": "应急局负责人",
                "email": HEAD,
                "started_on": at(started).date(),
                "started_at": at(started),
                "natural_days": 3,
                "source": "第五条",
                "due_on": (at(due) - timedelta(minutes=1)).date(),
                "due_at": at(due),
                "provisional": False,
                "calendar_version": CALENDAR.version,
                "next_alert_at": at(started),
            }
            row = Obligation(**(given | changed))
            session.add(row)
            session.flush()
            return row.id

    def change(self, number: int, **values: Any) -> None:
        with writing(self.url) as session:
            session.execute(update(Obligation).where(Obligation.id == number).values(**values))

    def sweep(self, now: str) -> UrgentFigures:
        return sweep_urgent(at(now), url=self.url)

    def deliver(self, now: str) -> list[Message]:
        kept = Kept()
        deliver(at(now), kept, url=self.url)
        return kept.taken

    def alerts(self) -> list[Alert]:
        with reading(self.url) as session:
            return list(session.scalars(select(Alert).order_by(Alert.id)))

    def told(self) -> list[tuple[str, str]]:
        return [(alert.level, alert.role) for alert in self.alerts() if not alert.skipped]

    def mails(self) -> list[Mail]:
        with reading(self.url) as session:
            return list(session.scalars(select(Mail).order_by(Mail.id)))


@pytest.fixture
def office(bare_url: str) -> Office:
    return Office(bare_url)


# From Friday 16:30 to the end of Monday, and two days on; Saturday is nothing special.
MINUTES = [
    ("07-12 16:30", "start", ["responsible"]),
    ("07-15 00:00", "before-24", ["responsible"]),
    ("07-15 20:00", "before-4", ["responsible", "head"]),
    ("07-16 00:01", "over", ["responsible", "head", "coordinator"]),
    ("07-17 00:01", "daily-1", ["responsible", "head", "coordinator"]),
    ("07-18 00:01", "daily-2", ["responsible", "head", "coordinator"]),
]


def test_every_level_is_told_at_its_minute_and_not_a_minute_before(office: Office) -> None:
    office.owe()
    expected: list[tuple[str, str]] = []
    for minute, level, roles in MINUTES:
        before = f"{at(minute) - timedelta(minutes=1):%m-%d %H:%M}"
        assert office.sweep(before) == UrgentFigures()
        assert office.sweep(minute).alerts == len(roles)
        assert office.sweep(minute) == UrgentFigures()
        expected += [(level, role) for role in roles]
        assert office.told() == expected


def test_after_an_outage_skipped_levels_are_recorded_and_the_latest_is_mailed(
    office: Office,
) -> None:
    office.owe()
    figures = office.sweep("07-17 08:00")
    assert (figures.alerts, figures.skipped, figures.mails) == (3, 7, 2)
    assert office.told() == [("daily-1", role) for role in ("responsible", "head", "coordinator")]
    assert [mail.email for mail in office.mails()] == [HEAD, OFFICE]  # the head has two roles


def test_sweeps_out_of_order_double_nothing(office: Office) -> None:
    office.owe()
    minutes = [minute for minute, *_ in MINUTES] * 3
    random.Random(7).shuffle(minutes)
    for minute in minutes:
        office.sweep(minute)
    office.sweep(MINUTES[-1][0])
    keys = [(alert.level, alert.role) for alert in office.alerts()]
    assert sorted(keys) == sorted((level, role) for _, level, roles in MINUTES for role in roles)


def test_a_level_turned_back_by_hand_is_not_told_again(office: Office) -> None:
    number = office.owe()
    office.sweep("07-15 00:00")
    office.change(number, alerted_level="", next_alert_at=at("07-12 16:30"))
    assert office.sweep("07-15 00:05").alerts == 0
    assert len(office.alerts()) == 2
    assert office.sweep("07-15 20:00").alerts == 2


def test_a_corrected_minute_is_alerted_by_its_new_version(office: Office) -> None:
    number = office.owe()
    office.sweep("07-12 16:30")
    office.change(
        number, due_version=2, alerted_level="", started_at=at("07-12 17:00"),
        next_alert_at=at("07-12 17:00"),
    )  # fmt: skip
    office.sweep("07-12 17:05")
    assert [(alert.due_version, alert.level) for alert in office.alerts()] == [
        (1, "start"),
        (2, "start"),
    ]


@pytest.mark.parametrize(
    "ended", [{"met_on": at("07-12 00:00").date()}, {"closed_on": at("07-12 00:00").date()}]
)
def test_what_is_done_is_not_alerted(office: Office, ended: dict[str, Any]) -> None:
    office.owe(**ended)
    assert office.sweep("07-18 00:00") == UrgentFigures()


def test_the_morning_s_sweep_leaves_them_alone(office: Office) -> None:
    office.owe()
    done = sweep(at("07-18 08:30").date(), at("07-18 08:30"), url=office.url)
    assert (done.obligations, office.alerts()) == (0, [])


def test_the_ledger_keeps_what_was_told(office: Office) -> None:
    office.owe()
    office.sweep("07-16 00:01")
    with reading(office.url) as session:
        (entry,) = session.scalars(select(LedgerEntry)).all()
        assert first_bad([entry]) is None
    assert (entry.action, entry.subject) == ("加急催办", "2024-07-16 00:01")
    assert (entry.detail["alerts"], entry.detail["levels"]) == (3, {"over": 3})


# ---- the mails -----------------------------------------------------------------------------------


def test_on_a_saturday_the_urgent_mail_goes_out_and_no_other(office: Office) -> None:
    office.owe("07-12 16:30", "07-13 16:30", duty="crime_transfer", natural_days=None, hours=24)
    office.owe(
        duty="refer", started_at=None, natural_days=None, working_days=7, next_alert_at=None,
        next_alert_on=at("07-12 00:00").date(),
    )  # fmt: skip
    sweep(at("07-12 08:30").date(), at("07-12 08:30"), url=office.url)  # its digest waits
    with writing(office.url) as session:
        letter(
            session, key="x", name="张三", email="z@yjglj.example", day=at("07-12 00:00").date(),
            subject="〔x〕", text="x",
        )  # fmt: skip
    office.sweep("07-13 12:30")
    (mail,) = office.deliver("07-13 12:30")
    text = mail.get_payload(0).get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert "还剩 4 小时 0 分" in text
    assert "2024年7月12日（周五）16时30分起算，24 小时，休息日照计" in text
    assert office.deliver("07-13 12:40") == []
    assert office.deliver("07-14 12:40") == []
    assert len(office.deliver("07-15 08:30")) == 2


@pytest.mark.parametrize("minute", ["07-13 09:07", "07-14 23:59", "10-01 00:05", "10-03 12:00"])
def test_weekend_or_holiday_it_is_sent_within_the_same_run(office: Office, minute: str) -> None:
    office.owe(minute, f"{at(minute) + timedelta(days=2):%m-%d %H:%M}")
    office.sweep(minute)
    with reading(office.url) as session:
        assert [each.email for each in outgoing(session, at(minute))] == [HEAD]
    assert len(office.deliver(minute)) == 1
    (mail,) = office.mails()
    assert (mail.state, mail.urgent_since) == ("sent", at(minute))
    assert mail.subject.startswith("【双随机紧急】涉罪决定：还剩 48 小时 0 分（期限 2024年")
    assert "某某化工" not in mail.subject


def test_what_is_met_before_its_mail_goes_out_is_not_told_any_more(office: Office) -> None:
    number = office.owe()
    office.sweep("07-12 16:30")
    office.change(number, met_on=at("07-12 00:00").date(), met_at=at("07-12 16:35"))
    assert office.deliver("07-12 16:40") == []
    (mail,) = office.mails()
    assert mail.state == "void"


def test_each_level_is_a_mail_of_its_own_under_a_key_of_its_own(office: Office) -> None:
    office.owe()
    for minute, *_ in MINUTES[:4]:
        office.sweep(minute)
        office.deliver(minute)
    assert [(mail.key.split(":", 1)[1], mail.state) for mail in office.mails()] == [
        (f"1:1:start:{HEAD}", "sent"),
        (f"1:1:before-24:{HEAD}", "sent"),
        (f"1:1:before-4:{HEAD}", "sent"),
        (f"1:1:over:{HEAD}", "sent"),
        (f"1:1:over:{OFFICE}", "sent"),
    ]
    assert office.mails()[-1].subject == (
        "【双随机紧急】涉罪决定：已逾期 1 分（期限 2024年7月15日（周一）24时）"
    )


# ---- many at once, and killed --------------------------------------------------------------------


def test_four_sweepers_at_once_tell_each_level_once(office: Office) -> None:
    for _ in range(12):
        office.owe()
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(office.sweep, minute) for minute, *_ in MINUTES for _ in range(2)]
        for run in runs:
            run.result()
    office.sweep(MINUTES[-1][0])
    keys = [(alert.obligation_id, alert.level, alert.role) for alert in office.alerts()]
    assert len(keys) == len(set(keys)) == 12 * 13
    told = {alert.mail_id for alert in office.alerts() if not alert.skipped}
    assert told == {mail.id for mail in office.mails()}


KILLED = """
import os, signal, sys
from datetime import datetime
from tasks import urgent
urgent.append = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
urgent.sweep_urgent(datetime.fromisoformat(sys.argv[1]), url=sys.argv[2])
"""


def test_a_sweep_that_is_killed_half_way_leaves_nothing_and_the_next_tells_it(
    office: Office,
) -> None:
    office.owe()
    engine_for(office.url).dispose()
    died = subprocess.run(
        [sys.executable, "-c", KILLED, at("07-13 09:00").isoformat(), office.url], check=False
    )
    assert died.returncode == -signal.SIGKILL
    assert (office.alerts(), office.mails()) == ([], [])
    assert office.sweep("07-13 09:10").alerts == 1


@pytest.mark.server
def test_one_held_by_a_stage_is_waited_for_and_the_others_are_told(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(postgresql_url)
    held = office.owe()
    office.owe()
    monkeypatch.setattr(urgent, "PATIENCE", 3)
    monkeypatch.setattr(urgent, "PAUSE_SECONDS", 0.01)
    with writing(office.url) as session:
        session.execute(select(Obligation).where(Obligation.id == held).with_for_update())
        with pytest.raises(SweepIncomplete):
            office.sweep("07-12 16:30")
    assert {alert.obligation_id for alert in office.alerts()} == {held + 1}
    assert office.sweep("07-12 16:40").obligations == 1
