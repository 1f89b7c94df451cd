"""An autumn and a winter across 中秋节, 国庆节, New Year and 春节: every alert worked out by hand.

Working days of these months (国办发明电〔2023〕7号, 〔2024〕12号), one line a stretch:

    2024-09   2-6   9-14 (Saturday the 14th works)   18-20   23-27   29 (Sunday) 30
    2024-10   8-12 (Saturday the 12th works)   14-18   21-25   28-31
    2024-11   1   4-8   11-15   18-22   25-29
    2024-12   2-6   9-13   16-20   23-27   30 31
    2025-01   2 3   6-10   13-17   20-24   26 (Sunday) 27
    2025-02   5-8 (Saturday the 8th works)   10-14   17-21   24-28
"""

import email
import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from models import fiction
from models.alert import Alert
from models.base import SHANGHAI
from models.database import reading, writing
from models.inspection import Inspection
from models.notice import ServiceEntry
from models.obligation import Obligation
from models.plan import Plan, PlannedRound
from models.publication import PublicationEntry
from models.record import RecordEntry
from models.referral import FollowUpEntry, ReferralEntry
from tasks import brief, draw, duty, inspection, notice, publication, referral, reveal
from tasks.mail import deliver
from tasks.obligation import sweep
from tasks.plan import load_plan
from tasks.registers import save_inspectors, save_subjects

DATA = Path(__file__).parents[1] / "data"
FIRST, LAST = date(2024, 9, 2), date(2025, 2, 28)
COORDINATOR = "coordinator@weidong.example"
ROLES = {
    "before-2": ("responsible",),
    "due": ("responsible",),
    "over-1": ("responsible",),
    "over-3": ("responsible", "head"),
    "over-5": ("responsible", "coordinator"),
    "weekly-1": ("responsible", "head", "coordinator"),
    "weekly-2": ("responsible", "head", "coordinator"),
}


def day(text: str) -> date:
    """09-14 is of 2024, 01-14 of 2025."""
    return date.fromisoformat(f"{2024 if text >= '09' else 2025}-{text}")


@dataclass(frozen=True)
class Told:
    """A duty, the day on which it ended, and the days of its levels until then, in their order.

    `known`: the day after whose sweep it came to be, where levels of it lay before.
    """

    duty: str
    object: str
    ended: str
    on: str
    known: str = ""

    @property
    def levels(self) -> dict[str, date]:
        return {level: day(text) for level, text in zip(ROLES, self.on.split(), strict=False)}


# The sweep is at 8:30, people act after it: a duty that ends on the day of a level was told.
TABLE = [
    # The draws, at the opening of each round on Tuesday 09-10 and Monday 12-16. Two working days
    # before 09-10: 09-09, 09-06; before 12-16: 12-13, 12-12.
    *(Told("draw", f"2024-1-{grade}", "09-10", "09-06 09-10") for grade in "ABCD"),
    *(Told("draw", f"2024-2-{grade}", "12-16", "12-12 12-16") for grade in "ABCD"),
    # The briefs: twenty-five from 09-30: 10-08..12 (5) 14-18 (10) 21-25 (15) 28-11-01 (20) 04-08.
    # Before 11-08: 11-07, 11-06. Sent on 11-07.
    Told("brief", "2024-1", "11-07", "11-06"),
    # From 12-31: 01-02 03 (2) 06-10 (7) 13-17 (12) 20-24 (17) 26 27 (19) | 02-05..08 (23) 10 11.
    # Before 02-11: 02-10, and 02-08, a Saturday that works.
    Told("brief", "2024-2", "02-11", "02-08 02-11"),
    # Each draw is revealed on the day of its last record, or of the last one given up.
    *(Told("reveal", f"2024-1-{grade}", "09-10", "") for grade in "ABC"),
    *(Told("reveal", f"2024-2-{grade}", "12-16", "") for grade in "ABC"),
    Told("reveal", "2024-1-D", "10-16", ""),
    Told("reveal", "2024-2-D", "01-20", ""),
    # ---- 1-D01, planned for Saturday 09-14, a make-up day; visited on it.
    # The working day before 09-14 is 09-13; two before that 09-12, 09-11. Served 09-12.
    Told("notify", "2024-1-D01", "09-12", "09-11"),
    # By the window's end, 09-30; two before it: Sunday 09-29 works, 09-27. Over on 09-14.
    Told("inspect", "2024-1-D01", "09-14", ""),
    # Three from 09-14: 18, 19, 20. Recorded on the day itself.
    Told("record", "2024-1-D01/yjglj", "09-14", ""),
    # The other department not before 10-10. Before: 19, 18. Over: 23 24 25 (3rd) 26 27 (5th)
    # 29 30 | 10-08 10-09 10-10 (10th).
    Told("record", "2024-1-D01/scjgj", "10-10", "09-18 09-20 09-23 09-25 09-27 10-10"),
    # Seven from 09-14: 18 19 20 23 24 25 26. Before: 25, 24. Decided on the last day: 需.
    Told("decide_referral", "2024-1-D01/yjglj", "09-26", "09-24 09-26"),
    # The referral is due the same day, yet wanted only since its afternoon: the first two levels
    # had passed. Over: 27 29 30 (3rd) | 10-08 09 (5th) 10 11 12 14 15 (10th) 16 17 18 21 22 (15th).
    Told(
        "refer",
        "2024-1-D01/yjglj",
        "10-23",
        "09-24 09-26 09-27 09-30 10-09 10-15 10-22",
        known="09-26",
    ),
    # Twenty from 09-14: 18 19 20 (3) 23-27 (8) 29 30 (10) 10-08..12 (15) 14..18 (20).
    # Before: 10-17, 10-16. Over: Monday 10-21. One department is two days late, one not.
    Told("publish", "2024-1-D01/yjglj", "10-22", "10-16 10-18 10-21"),
    Told("publish", "2024-1-D01/scjgj", "10-18", "10-16 10-18"),
    # (10) needs a follow-up; no order names a day, so twenty as well. Closed 10-17.
    Told("follow_up", "2024-1-D01/yjglj/yj-1", "10-17", "10-16"),
    # ---- 1-D02, planned for Wednesday 09-18, visited on 10-16, after the window.
    # The working day before 09-18 is Saturday 09-14. Before it: 13, 12. Over: 18 19 20 (3rd)
    # 23 24 (5th). Served that day, late.
    Told("notify", "2024-1-D02", "09-24", "09-12 09-14 09-18 09-20 09-24"),
    # 09-30, a fixed day. Before: 29, 27. Over: 10-08 09 10 (3rd) 11 12 (5th, a Saturday that
    # works); the 10th is 10-18, when it was over.
    Told("inspect", "2024-1-D02", "10-16", "09-27 09-30 10-08 10-10 10-12"),
    # Three from 09-18: 19, 20, 23. Before: 20, 19. Over: 24 25 26 (3rd) 27 29 (5th, a Sunday that
    # works) 30 | 10-08 09 10 11 (10th); the 15th is 10-17.
    *(
        Told("record", f"2024-1-D02/{department}", "10-16", "09-19 09-23 09-24 09-26 09-29 10-11")
        for department in ("yjglj", "scjgj")
    ),
    # Twenty from 10-16: 17 18 (2) 21-25 (7) 28-11-01 (12) 04-08 (17) 11 12 13. Published 10-17.
    *(Told("publish", f"2024-1-D02/{each}", "10-17", "") for each in ("yjglj", "scjgj")),
    # ---- 1-D03, planned for 09-19; given up on 09-18.
    # The working day before 09-19 is 09-18. Before it: 09-14, 09-13.
    Told("notify", "2024-1-D03", "09-18", "09-13 09-18"),
    Told("inspect", "2024-1-D03", "09-18", ""),
    # Three from 09-19: 20, 23, 24. Before: 23, 20.
    *(Told("record", f"2024-1-D03/{each}", "09-18", "") for each in ("yjglj", "scjgj")),
    # ---- 2-D01, planned for Monday 12-23 and visited on it.
    # The working day before is Friday 12-20. Before it: 19, 18. Served on 12-18.
    Told("notify", "2024-2-D01", "12-18", "12-18"),
    Told("inspect", "2024-2-D01", "12-23", ""),
    # Three from 12-23: 24, 25, 26; recorded at once.
    *(Told("record", f"2024-2-D01/{each}", "12-23", "") for each in ("yjglj", "scjgj")),
    # Seven from 12-23, decided with the record.
    Told("decide_referral", "2024-2-D01/yjglj", "12-23", ""),
    # By the order: 01-25, a Saturday off that nothing moves. Two before it: 24, 23; told as due on
    # the last working day, 24. Over: Sunday 01-26 works (1st) 27 | 02-05 (3rd) 06 07 (5th) 08 10
    # 11 12 13 (10th) 14 17 18 19 20 (15th).
    Told(
        "follow_up",
        "2024-2-D01/yjglj/yj-1",
        "02-20",
        "01-23 01-24 01-26 02-05 02-07 02-13 02-20",
    ),
    # Twenty from 12-23: 24-27 (4) 30 31 (6) | 01-02 03 (8) 06-10 (13) 13-17 (18) 20 21.
    # Before: 20, 17. Over: 22 23 24 (3rd) 26 27 (5th) | 02-05 06 07 08 10 (10th).
    Told("publish", "2024-2-D01/yjglj", "01-20", "01-17"),
    Told("publish", "2024-2-D01/scjgj", "02-10", "01-17 01-21 01-22 01-24 01-27 02-10"),
    # ---- 2-D02, planned for 12-24, visited on the window's last day, 12-31.
    # The working day before is 12-23. Before it: 20, 19. Served on 12-19.
    Told("notify", "2024-2-D02", "12-19", "12-19"),
    # 12-31. Before: 30, 27.
    Told("inspect", "2024-2-D02", "12-31", "12-27 12-31"),
    # Three from 12-24: 25, 26, 27. Before: 26, 25. Over: Monday 30; the 3rd is 01-02.
    *(
        Told("record", f"2024-2-D02/{each}", "12-31", "12-25 12-27 12-30")
        for each in ("yjglj", "scjgj")
    ),
    # Seven from 12-31: 01-02 03 06 07 08 09 10. Before: 09, 08. Over: 13 14 15 (3rd).
    Told("decide_referral", "2024-2-D02/yjglj", "01-16", "01-08 01-10 01-13 01-15"),
    # Twenty from 12-31: 01-02 03 (2) 06-10 (7) 13-17 (12) 20-24 (17) 26 27 (19) | 02-05.
    # Before it: 01-27, and 01-26, a Sunday that works.
    *(Told("publish", f"2024-2-D02/{each}", "02-05", "01-26 02-05") for each in ("yjglj", "scjgj")),
    # ---- 2-D03, planned for 12-25, not to be announced (so no notify); given up on 01-20.
    # Made by the draw of 12-16 and gone before the next sweep.
    Told("notify", "2024-2-D03", "12-16", ""),
    # 12-31. Before: 30, 27. Over: 01-02 03 06 (3rd) 07 08 (5th) 09 10 13 14 15 (10th).
    Told("inspect", "2024-2-D03", "01-20", "12-27 12-31 01-02 01-06 01-08 01-15"),
    # Three from 12-25: 26, 27, 30. Before: 27, 26. Over: 31 | 01-02 03 (3rd) 06 07 (5th) 08 09 10
    # 13 14 (10th); the 15th is 01-21.
    *(
        Told("record", f"2024-2-D03/{each}", "01-20", "12-26 12-30 12-31 01-03 01-07 01-14")
        for each in ("yjglj", "scjgj")
    ),
]


class Autumn:
    """An office of three inspections a round, and what its people do on which day."""

    def __init__(self, home: Path, sheet: Callable[..., RecordEntry]) -> None:
        self.home = home
        self.sheet = sheet
        self.acts: dict[date, list[Callable[[datetime], Any]]] = {}
        self._plan_acts()

    def _plan_acts(self) -> None:
        first, second = "2024-1", "2024-2"
        for code, opened, noticed in ((first, "09-10", "09-11"), (second, "12-16", "12-17")):
            self._on(opened, lambda at, code=code: self._draw(code, at))
            if code == second:
                self._on(
                    opened, lambda at: notice.withhold_notice("2024-2-D03", "线索", "王局", at)
                )
            self._on(noticed, lambda at, code=code: notice.prepare_notices(code, at))
        for code, on in (("1-D01", "09-12"), ("1-D02", "09-24"), ("2-D01", "12-18")):
            self._serve(f"2024-{code}", on)
        self._serve("2024-2-D02", "12-19")
        self._record("2024-1-D01", "yjglj", "09-14", "09-14", result=10)
        self._record("2024-1-D01", "scjgj", "09-14", "10-10")
        ordered = {"result": 5, "order_due_on": "2025-01-25"} | self._needless()
        self._record("2024-2-D01", "yjglj", "12-23", "12-23", **ordered)
        self._record("2024-2-D01", "scjgj", "12-23", "12-23")
        self._record("2024-2-D02", "yjglj", "12-31", "12-31", result=6)
        self._record("2024-2-D02", "scjgj", "12-31", "12-31")
        for department in ("yjglj", "scjgj"):
            self._record("2024-1-D02", department, "10-16", "10-16")
        for code, on in (("2024-1-D03", "09-18"), ("2024-2-D03", "01-20")):
            self._on(
                on,
                lambda at, code=code: inspection.drop_inspection(
                    code, "停业整顿", "王局", "批〔2024〕1号", at.date(), at
                ),
            )
        self._refer("2024-1-D01", "09-26", needed="需")
        self._refer("2024-1-D01", "10-23", needed="需", sent=True)
        self._refer("2024-2-D02", "01-16", needed="不需")
        for code, on in (("2024-1-D01", "10-17"), ("2024-2-D01", "02-20")):
            entry = {"inspection": code, "department": "yjglj", "closed_on": day(on)}
            closed = FollowUpEntry(**entry, outcome="已整改", entered_by="张三")
            self._on(on, lambda at, closed=closed: referral.close_follow_ups([closed], at))
        for row in TABLE:
            if row.duty == "publish":
                self._publish(*row.object.split("/"), row.ended)
            if row.duty == "brief":
                sent = (row.object, day(row.ended), "区人民政府", "报1号", "王五")
                self._on(row.ended, lambda at, sent=sent: brief.send_brief(*sent, at))

    @staticmethod
    def _needless() -> dict[str, str]:
        return {"referral_needed": "不需", "referral_why": "由本部门处理"}

    def _on(self, on: str, act: Callable[[datetime], Any]) -> None:
        self.acts.setdefault(day(on), []).append(act)

    def _draw(self, code: str, at: datetime) -> None:
        assert draw.freeze_draws(code, at) == []
        deliver(at)
        assert draw.seal_draws(code, at) == 4
        duty.update_duties(code, at)

    def _serve(self, code: str, on: str) -> None:
        entry = ServiceEntry(
            inspection=code, manner="书面", served_on=day(on), served_by="张三", received_by="李四"
        )
        self._on(on, lambda at: notice.confirm_service([entry], "张三", at))

    def _record(self, code: str, department: str, ended: str, on: str, **given: Any) -> None:
        entry = self.sheet(code, department, ended_on=day(ended), recorded_on=day(on), **given)
        self._on(on, lambda at: inspection.record_inspections([entry], at))

    def _refer(self, code: str, on: str, needed: str, sent: bool = False) -> None:
        given = {"receiving": "公安局", "document": "移〔2024〕1号", "sent_on": str(day(on))}
        entry = ReferralEntry(
            inspection=code,
            department="yjglj",
            needed=needed,
            reason="涉嫌违法",
            decided_on=day(on),
            entered_by="张三",
            **(given if sent else {}),
        )
        self._on(on, lambda at: referral.confirm_referrals([entry], at))

    def _publish(self, code: str, department: str, on: str) -> None:
        entry = PublicationEntry(
            inspection=code,
            department=department,
            entered_on=day(on),
            published_on=str(day(on)),
            entered_by="张三",
        )

        def publish(at: datetime) -> None:
            publication.prepare_publications(code[:6], at)
            publication.confirm_publications([entry], at)

        self._on(on, publish)

    def live(self, down: Collection[date] = ()) -> None:
        """Every calendar day: the sweep and its mails, unless it is down; then what people do."""
        for ahead in range((LAST - FIRST).days + 1):
            today = FIRST + timedelta(ahead)
            if today not in down:
                morning = datetime.combine(today, time(8, 30), tzinfo=SHANGHAI)
                sweep(today, morning)
                deliver(morning)
            for act in self.acts.get(today, ()):
                act(datetime.combine(today, time(14), tzinfo=SHANGHAI))
            if today in self.acts:
                for code in ("2024-1", "2024-2"):
                    evening = datetime.combine(today, time(18), tzinfo=SHANGHAI)
                    reveal.reveal_draws(code, evening)
                    duty.update_duties(code, evening)

    def alerts(self) -> list[tuple[str, str, str, str, date, bool]]:
        """Duty, object, level, role, day, and whether it was mailed: of every alert there is."""
        with reading() as session:
            return sorted(
                (owed.duty, owed.object, told.level, told.role, told.raised_on, not told.skipped)
                for told, owed in session.execute(
                    select(Alert, Obligation).join(Obligation, Obligation.id == Alert.obligation_id)
                ).tuples()
            )

    def digests(self) -> list[tuple[date, str]]:
        """Day and recipient of every digest among the .eml files."""
        found = []
        for file in (self.home / "mail").glob("*.eml"):
            mail = email.message_from_bytes(file.read_bytes())
            subject = str(email.header.make_header(email.header.decode_header(mail["Subject"])))
            if "催办" in subject:
                on = parsedate_to_datetime(mail["Date"]).astimezone(SHANGHAI).date()
                found.append((on, parseaddr(mail["To"])[1]))
        return sorted(found)

    def address(self, row: Told, role: str) -> str:
        """Who is to be told in that role."""
        if role == "coordinator" or row.duty in ("draw", "brief"):
            return COORDINATOR
        code, _, rest = row.object.partition("/")
        department = rest.split("/")[0] or "yjglj"
        if role == "head":
            return f"head@{department}.example"
        with reading() as session:
            found = session.scalars(select(Inspection).where(Inspection.code == code)).one()
            return found.members(department)[0].email


def expected(down: Collection[date] = ()) -> list[tuple[str, str, str, str, date, bool]]:
    """The table, level by level and role by role; a level that no sweep saw on its day is raised
    by the first sweep after it, the latest alone with a mail, unless the duty had ended."""
    found = []
    for row in TABLE:
        raised: dict[date, list[str]] = {}
        for level, on in row.levels.items():
            seen = on if not row.known or on > day(row.known) else day(row.known) + timedelta(1)
            while seen in down:
                seen += timedelta(1)
            if seen <= day(row.ended):
                raised.setdefault(seen, []).append(level)
        for on, levels in raised.items():
            latest = {role: level for level in levels for role in ROLES[level]}
            found += [
                (row.duty, row.object, level, role, on, latest[role] == level)
                for level in levels
                for role in ROLES[level]
            ]
    return sorted(found)


def mailed(office: Autumn, alerts: list[tuple[str, str, str, str, date, bool]]) -> Any:
    """Who gets a digest on which day for these alerts: one each, however many there are."""
    rows = {(row.duty, row.object): row for row in TABLE}
    return sorted(
        {
            (on, office.address(rows[duty, object], role))
            for duty, object, _, role, on, told in alerts
            if told
        }
    )


@pytest.fixture(scope="module")
def eve(_migrated: Any, drill: Plan, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The office on the day on which its plan is loaded."""
    office = _migrated.copy(tmp_path_factory.mktemp("autumn") / "home")
    rounds = [("09-10", "09-14", "09-30"), ("12-16", "12-23", "12-31")]
    plan = drill.model_copy(
        update={
            "rounds": tuple(
                PlannedRound(
                    number=number,
                    opens_on=day(opens),
                    visits_from=day(visits),
                    ends_on=day(ends),
                    visits_per_day=1,
                )
                for number, (opens, visits, ends) in enumerate(rounds, start=1)
            )
        }
    )
    at = datetime.combine(FIRST, time(9), tzinfo=SHANGHAI)
    subjects = fiction.subjects(2024, {"D": 15}, as_of=FIRST)
    departments = [department.code for department in plan.departments]
    with office.here():
        load_plan(plan, at)
        with writing() as session:
            save_subjects(session, subjects, "检查对象.xlsx", at, "演练")
            people = fiction.inspectors(2024, departments, as_of=FIRST)
            save_inspectors(session, people, "执法检查人员.xlsx", at, "演练")
    return office


@pytest.fixture
def autumn(eve: Any, place: Path, sheet: Callable[..., RecordEntry]) -> Iterator[Autumn]:
    """That office for one test alone."""
    copy = eve.copy(place)
    with copy.here():
        yield Autumn(copy.home, sheet)


def test_the_table_is_of_these_calendars() -> None:
    known = json.loads((DATA / "cn_days.json").read_text("utf-8"))
    worked = {
        "09": [*range(2, 7), *range(9, 15), *range(18, 21), *range(23, 28), 29, 30],
        "10": [*range(8, 13), *range(14, 19), *range(21, 26), *range(28, 32)],
        "11": [1, *range(4, 9), *range(11, 16), *range(18, 23), *range(25, 30)],
        "12": [*range(2, 7), *range(9, 14), *range(16, 21), *range(23, 28), 30, 31],
        "01": [2, 3, *range(6, 11), *range(13, 18), *range(20, 25), 26, 27],
        "02": [*range(5, 9), *range(10, 15), *range(17, 22), *range(24, 29)],
    }
    off, work = (
        {one for year in ("2024", "2025") for one in known[year][what]} for what in ("off", "work")
    )
    for month, numbers in worked.items():
        first = day(f"{month}-01")
        days = [first + timedelta(n) for n in range(31)]
        assert [one.day for one in days if one.month == first.month and _works(one, off, work)] == (
            numbers
        )
    assert all(_works(on, off, work) for row in TABLE for on in row.levels.values())


def _works(one: date, off: set[str], work: set[str]) -> bool:
    return str(one) in work or (one.weekday() < 5 and str(one) not in off)


def test_every_alert_and_every_mail_is_on_the_day_worked_out_by_hand(autumn: Autumn) -> None:
    autumn.live()
    assert autumn.alerts() == expected()
    digests = autumn.digests()
    assert digests == mailed(autumn, expected())
    assert {on for on, _ in digests} >= {day("09-14"), day("09-29"), day("10-12"), day("01-26")}
    off = [day("09-15"), *(day(f"10-0{n}") for n in range(1, 8)), day("01-01"), day("01-28")]
    assert not {on for on, _ in digests} & set(off)
    with reading() as session:
        owed = session.scalars(select(Obligation)).all()
    assert sorted((one.duty, one.object) for one in owed) == sorted(
        (row.duty, row.object) for row in TABLE
    )
    ended = {(one.duty, one.object): one.met_on or one.closed_on for one in owed}
    assert ended == {(row.duty, row.object): day(row.ended) for row in TABLE}


@pytest.mark.parametrize(
    "outages",
    [
        # From a Saturday that works, with levels, to a day off; a Sunday that works; the first days
        # after 国庆节; 30 days across New Year, to Sunday 01-26, which works.
        {"09-14": 1, "09-29": 1, "10-08": 3, "12-27": 30},
        # 30 days across 中秋节 and 国庆节, to Saturday 10-12, which works; Friday to Sunday 01-26.
        {"09-12": 30, "10-18": 1, "01-24": 3},
    ],
)
def test_after_an_outage_each_level_is_accounted_for_once_and_the_latest_is_mailed(
    autumn: Autumn, outages: dict[str, int]
) -> None:
    down = {day(first) + timedelta(n) for first, days in outages.items() for n in range(days)}
    autumn.live(down)
    told = expected(down)
    assert autumn.alerts() == told
    assert len({one[:4] for one in told}) == len(told)
    # What a sweep finds on a day off is mailed on the first working day after it.
    next_working = {day("09-15"): day("09-18"), day("10-19"): day("10-21")}
    wanted = {(next_working.get(on, on), who) for on, who in mailed(autumn, told)}
    assert autumn.digests() == sorted(wanted)
