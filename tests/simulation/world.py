"""The world of one office: its year, its plan, its registers; nothing is left to chance."""

import hashlib
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from clock import Clock
from days import DATA, KNOWN, Days
from faults import Crashes
from post import Post
from sqlalchemy import event

import calendars.calendar
import tasks.calendar
from calendars import WorkingCalendar
from calendars.published import covered_years, notice_year, published_rulings
from models import fiction
from models.base import SHANGHAI
from models.database import engine_for, migrate, writing
from models.plan import Plan, read_plan
from models.registers import InspectorRow
from models.settings import SHIPPED_PLAN
from tasks.board import board
from tasks.paper import render
from tasks.plan import load_plan
from tasks.registers import save_inspectors, save_subjects

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))
from passes import outside_prefect

YEARS = (2021, 2022, 2023, 2024, 2025)
LENGTH = 365
RESPONSIBLE, HEAD, OFFICE = "responsible", "head", "coordinator"
# Alert levels: those shipped (None), eager ones that repeat every third day, and some that end.
LEVELS: tuple[Any, ...] = (
    None,
    None,
    [
        ("soon", -5, 0, [RESPONSIBLE]),
        ("due", 0, 0, [RESPONSIBLE, HEAD]),
        ("over", 2, 0, [HEAD, OFFICE]),
        ("again", 5, 3, [RESPONSIBLE, HEAD, OFFICE]),
    ],
    [
        ("before-1", -1, 0, [RESPONSIBLE]),
        ("over-1", 1, 0, [RESPONSIBLE, HEAD]),
        ("over-4", 4, 0, [OFFICE]),
        ("over-9", 9, 0, [RESPONSIBLE, OFFICE]),
    ],
)


class World:
    """One office from 1 June of its `year` on, `LENGTH` days long; made by its seed alone."""

    def __init__(self, seed: int, home: Path) -> None:
        self.seed = seed
        self.home = home
        self.random = Random(f"office {seed}")
        self.year = self.random.choice(YEARS)
        self.first = date(self.year, 6, 1)
        self.days = Days(self.year)
        self.clock = Clock(self.first)
        self.crashes = Crashes()
        self.post = Post(Random(f"post {seed}"), self.clock.now, self.crashes.alive)
        self.plan = self._plan()
        self.closed: set[date] = set()
        self.requests: list[str] = []
        self.amendments: dict[str, list[date]] = {}

    @property
    def database(self) -> Path:
        """The file of its database."""
        return self.home / "shuangsuiji.db"

    @property
    def url(self) -> str:
        """The same, for SQLAlchemy."""
        return f"sqlite:///{self.database}"

    def _plan(self) -> Plan:
        """The shipped plan with other days, ratios, terms and levels."""
        random = self.random
        content = read_plan(SHIPPED_PLAN).model_dump(mode="json")
        content |= {"code": str(self.year), "number": f"演练〔{self.year}〕55号", "drill": True}
        content["issued_on"] = str(date(self.year, 6, 1))
        content["window"] = {
            "begins_on": str(date(self.year, 6, 25)),
            "ends_on": str(date(self.year, 12, 31)),
        }
        content["rounds"] = [
            self._round(1, date(self.year, random.choice((6, 7, 8)), 28), random.randint(30, 70)),
            self._round(2, date(self.year, 12, 31) - timedelta(random.randint(40, 60)), 365),
        ]
        for grade in content["grades"]:
            if random.random() < 0.2:
                grade["public_value_rule"] = "冻结次日体彩排列三的三个数字"
        content["replace_closed_subjects"] = random.random() < 0.6
        content["notices_after"] = random.choice((1, 1, 2))
        terms = {"record": (2, 5), "follow_up": (8, 30), "publish": (15, 20), "notify": (-3, -1)}
        for term in content["terms"]:
            if term["duty"] in terms:
                term["working_days"] = random.randint(*terms[term["duty"]])
        levels = random.choice(LEVELS)
        if levels:
            content["alerts"] = [
                {
                    "level": level,
                    "name": f"提醒 {level}",
                    "offset": offset,
                    "every": every,
                    "to": to,
                }
                for level, offset, every, to in levels
            ]
        if random.random() < 0.3:
            self._third_department(content)
        return Plan.model_validate(content)

    def _round(self, number: int, opens_on: date, length: int) -> dict[str, Any]:
        visits_from = opens_on + timedelta(self.random.randint(8, 16))
        ends_on = min(visits_from + timedelta(length), date(self.year, 12, 31))
        return {
            "number": number,
            "opens_on": str(opens_on),
            "visits_from": str(visits_from),
            "ends_on": str(ends_on),
            "visits_per_day": self.random.randint(1, 3),
        }

    @staticmethod
    def _third_department(content: dict[str, Any]) -> None:
        head = {"name": "消防大队负责人", "email": "head@xfdd.example", "phone": ""}
        content["departments"].append(
            {"code": "xfdd", "name": "区消防大队", "inspectors": 2, "head": head}
        )
        item = content["items"][0] | {"code": "xf-1", "department": "xfdd", "name": "消防安全检查"}
        content["items"].append(item)

    def found(self) -> None:
        """Make the home: tables, plan, registers, on the first morning."""
        at = datetime.combine(self.first, time(9), tzinfo=SHANGHAI)
        migrate(self.url)
        load_plan(self.plan, at)
        counts: dict[Any, int] = {grade: self.random.choice((0, 0, 0, 8)) for grade in "AB"}
        counts |= {"C": self.random.randint(3, 11), "D": self.random.randint(3, 12)}
        subjects = fiction.subjects(self.seed, counts, as_of=self.first)
        departments = [department.code for department in self.plan.departments]
        people = fiction.inspectors(self.seed, departments, 7, subjects, as_of=self.first)
        with writing() as session:
            save_subjects(session, subjects, "检查对象.xlsx", at, "演练")
            found = [self._address(person) for person in people]
            save_inspectors(session, found, "执法检查人员.xlsx", at, "演练")
        if self.random.random() < 0.15:
            self.post.bad.add(f"head@{self.random.choice(departments)}.example")

    def _address(self, person: InspectorRow) -> InspectorRow:
        """Some have no address, some one that is refused."""
        chance = self.random.random()
        if chance < 0.06:
            return person.model_copy(update={"email": ""})
        if chance < 0.12:
            self.post.bad.add(person.email.lower())
        return person

    @contextmanager
    def lived_in(self) -> Iterator[None]:
        """What is run within belongs to this office, and everything in it follows from the seed."""
        random = Random(f"secrets {self.seed}")
        with ExitStack() as stack:
            put = stack.enter_context
            put(patch.dict(os.environ, self._environment()))
            put(patch.object(calendars.calendar, "_china", lambda: self._calendar))
            put(patch.object(tasks.calendar, "_built", {}))
            put(patch.object(secrets, "token_bytes", random.randbytes))
            for module in ("tasks.mail", "tasks.paper"):
                put(patch(f"{module}.uuid4", lambda: _Number(random.randbytes(16))))
            put(patch("tasks.mail.monotonic", self.clock.monotonic))
            put(patch("tasks.smtp.transport", lambda *_: self.post))
            put(patch("os.fsync", self.crashes.alive))  # no power is cut here
            put(patch("tasks.filing.render", self._render()))
            put(outside_prefect(self.clock.moment))
            put(patch("flows.obligation.ask_for_pass", lambda code, _: self.requests.append(code)))
            put(patch("flows.round.collect_board", self._now_and_then(board)))
            put(patch("flows.obligation.collect_board", self._now_and_then(board)))
            engine = engine_for(self.url)
            event.listen(engine, "connect", _hasty)
            try:
                yield
            finally:
                engine.dispose()
                event.remove(engine, "connect", _hasty)

    def _environment(self) -> dict[str, str]:
        return {
            "SHUANGSUIJI_HOME": str(self.home),
            "SHUANGSUIJI_DATABASE_URL": self.url,
            "SHUANGSUIJI_SMTP_URL": "",
        }

    @property
    def _calendar(self) -> WorkingCalendar:
        """The calendar as it stood in June: no notice of a later year is out."""
        return _calendar_through(self.year)

    def _render(self) -> Any:
        """One paper of fifty is made in earnest; of the others, what stands in them."""
        random = Random(f"papers {self.seed}")

        def made(paper: Any) -> bytes:
            return render(paper) if random.random() < 0.02 else repr(paper).encode()

        return made

    def _now_and_then(self, shown: Callable[..., Any]) -> Any:
        """The board at one pass of twenty: it is only shown."""
        random = Random(f"boards {self.seed}")
        return lambda *given: shown(*given) if random.random() < 0.05 else None

    def notice(self) -> tuple[str, str, date]:
        """The next year's holiday notice: text, number, day of issue."""
        known = KNOWN[str(self.year + 1)]
        return _text(self.year + 1), known["number"], date.fromisoformat(known["issued"])

    def amendment(self, days: int) -> tuple[str, str, date, list[date]]:
        """A notice that makes the next 春节 longer by so many days: the same, and those days."""
        year = self.year + 1
        festival = [
            day for day in map(date.fromisoformat, KNOWN[str(year)]["off"]) if day.month < 3
        ]
        last = max(festival)
        added = [last + timedelta(n) for n in range(1, days + 1)]
        weekdays = "一二三四五六日"
        end, after = added[-1], added[-1] + timedelta(1)
        number = f"国办发明电〔{year}〕98号"
        issued = min(festival[0], last) - timedelta(2)
        issued = date(year, 1, 3) if issued.year < year else date(year, 1, 4)
        text = (
            f"国务院办公厅关于延长{year}年春节假期的通知\n{number}\n"
            f"　　经国务院批准，现将延长{year}年春节假期的具体安排通知如下。\n"
            f"　　一、延长{year}年春节假期至{end.month}月{end.day}日"
            f"（星期{weekdays[end.weekday()]}），{after.month}月{after.day}日"
            f"（星期{weekdays[after.weekday()]}）起正常上班。\n"
            f"国务院办公厅\n{year}年{issued.month}月{issued.day}日\n"
        )
        return text, number, issued, added


class _Number:
    def __init__(self, content: bytes) -> None:
        self.hex = content.hex()


def _hasty(connection: Any, _: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")


def _text(year: int) -> str:
    whole = json.loads((DATA / "notices_whole.json").read_text("utf-8"))["notices"]
    for one in whole:
        if one["year"] == year:
            return str(one["text"])
    return "\n".join(
        json.loads((DATA / "notices.json").read_text("utf-8"))["notices"][str(year)][1:]
    )


_CALENDARS: dict[int, WorkingCalendar] = {}


def _calendar_through(year: int) -> WorkingCalendar:
    if year not in _CALENDARS:
        rulings = {day: one for day, one in published_rulings().items() if notice_year(day) <= year}
        version = hashlib.sha256(str(year).encode()).hexdigest()[:8]
        years = range(covered_years()[0], year + 1)
        _CALENDARS[year] = WorkingCalendar(rulings, years, f"{years[0]}-{year}/{version}")
    return _CALENDARS[year]
