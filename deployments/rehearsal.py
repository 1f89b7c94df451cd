"""A rehearsal: a whole plan on virtual days, through the same flows as in service."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from calendars import WorkingCalendar
from deployments.outcome import table
from deployments.server import refuse_taken_port, running, ui_url
from models import fiction
from models.base import SHANGHAI
from models.plan import Plan, read_plan
from models.settings import Settings

SEED = 2024
# On SQLite the server refuses a run while the last one's records are still being written.
PACE_SECONDS = 0.3
REGISTERED_BEFORE = 3  # working days from the registration to the first round's opening
PUBLIC_VALUE_RULE = "冻结后由两名见证人当众掷骰子六次，依次写下六个点数（演练）"
VISITS_PER_DAY = 8
LONGEST = timedelta(days=730)


class RehearsalStuck(RuntimeError):
    """Rounds are open but nothing more happens: a duty without an owner."""


def rehearse(settings: Settings, plan_file: Path, quiet: bool = False) -> dict[str, Any]:
    """Rehearse the plan in `<home>/demo`, made afresh; returns the summary it writes there.

    It has its own SQLite database and writes its mails as files, whatever the settings say: a
    rehearsal never touches the office's data and never writes to people.
    """
    began = time.monotonic()
    plan = _drill(read_plan(plan_file))
    refuse_taken_port(settings.port)  # before the last one's home is lost, perhaps in use
    home = settings.home / "demo"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    for name in ("SHUANGSUIJI_DATABASE_URL", "SHUANGSUIJI_SMTP_URL"):
        os.environ[name] = ""
    os.environ["SHUANGSUIJI_HOME"] = str(home)
    os.environ["PREFECT_LOGGING_LEVEL"] = "WARNING"
    settings = Settings(home=home, database_url="", smtp_url="", port=settings.port)
    console = Console(file=sys.stderr if quiet else sys.stdout)
    if not console.is_terminal:
        console.width = 110
    console.print(f"演练：{plan.title}\n目录 {home}，界面 {ui_url(settings)}")
    with running(settings):
        from deployments.registry import deployments, write_pages
        from flows.clock import moment

        with _unhurried():
            course = _Course(plan, settings)
            with _progress(console) as show:
                course.run(show)
            # Last, because every pass reads what is deployed for its links, form by form.
            made = deployments([plan])
            for deployment in made:
                deployment.apply()
            write_pages(made, moment(course.today))
            summary = course.summary(time.monotonic() - began)
    (home / "summary.json").write_text(
        json.dumps(summary, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )
    if not quiet:
        console.print(table(summary))
        console.print(
            f"邮件 {summary['mails']} 封，流程运行 {summary['prefect']['flow_runs']} 次，"
            f"用时 {summary['seconds']} 秒；再看界面：SHUANGSUIJI_HOME={home} shuangsuiji serve"
        )
    return summary


def _drill(plan: Plan) -> Plan:
    """The plan as it is rehearsed: marked, with a public value in one draw of each round, and with
    so many visits a day that a round's take place on few days, of which each costs runs.
    """
    last = plan.grades[-1]
    rule = last.public_value_rule or PUBLIC_VALUE_RULE
    grades = (*plan.grades[:-1], last.model_copy(update={"public_value_rule": rule}))
    busy = {"visits_per_day": VISITS_PER_DAY}
    rounds = tuple(planned.model_copy(update=busy) for planned in plan.rounds)
    return plan.model_copy(update={"drill": True, "grades": grades, "rounds": rounds})


@contextmanager
def _unhurried() -> Iterator[None]:
    """Without the heartbeat, whose thread costs each run a second, and with quiet logs."""
    from prefect.context import SyncClientContext
    from prefect.settings import (
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        PREFECT_LOGGING_TO_API_ENABLED,
        temporary_settings,
    )

    with (
        temporary_settings(
            {
                PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
                PREFECT_LOGGING_TO_API_ENABLED: False,
            }
        ),
        SyncClientContext.get_or_create(),
    ):  # one client for all runs, not one each
        yield


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[float, str], None]]:
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console
    )
    with bar:
        shown = bar.add_task("准备", total=1.0)
        yield lambda done, text: bar.update(shown, completed=done, description=text)


@dataclass
class _Course:
    """The rehearsal under way: the day it is, the people, and what to run next."""

    plan: Plan
    settings: Settings
    calendar: WorkingCalendar = field(default_factory=WorkingCalendar.china)
    runs: int = 0
    ended: float = 0.0  # when the last flow was over, by the process's own clock

    def __post_init__(self) -> None:
        from deployments.people import People

        self.people = People(self.plan, self.calendar, SEED)
        self.today = self.calendar.add_working_days(
            self.plan.rounds[0].opens_on, -REGISTERED_BEFORE
        )
        self.first = self.today
        # The last due day that a round can well have: its end, publication, a follow-up.
        self.last = self.plan.rounds[-1].ends_on + timedelta(days=60)

    def run(self, show: Callable[[float, str], None]) -> None:
        """From the registration until every round is closed, day by day as things fall due."""
        self._prepare()
        while True:
            day = self._next_day()
            if day is None:
                return
            if day > self.first + LONGEST:
                raise RehearsalStuck(f"到 {day} 仍有轮次没有办结")
            self.today = day
            done = (day - self.first) / (self.last - self.first)
            show(min(done, 1.0), f"{day} {'·'.join(self._day())}")

    def _prepare(self) -> None:
        from flows.registers import import_registers
        from models.database import migrate
        from tasks.plan import load_plan
        from tasks.sheet import write_inspectors, write_subjects

        migrate()
        load_plan(self.plan, datetime.combine(self.today, datetime.min.time(), tzinfo=SHANGHAI))
        subjects = fiction.subjects(SEED, as_of=self.today)
        departments = [department.code for department in self.plan.departments]
        inspectors = fiction.inspectors(SEED, departments, subjects=subjects, as_of=self.today)
        folder = self.settings.home / "registers"
        folder.mkdir(exist_ok=True)
        write_subjects(folder / "检查对象.xlsx", subjects)
        write_inspectors(folder / "执法检查人员.xlsx", inspectors)
        for register in ("检查对象", "执法检查人员"):
            self._flow(import_registers, register, str(folder / f"{register}.xlsx"), "演练")

    def _flow(self, flow: Any, *arguments: Any) -> None:
        """Run one flow to its end, on this day; a failure of any kind ends the rehearsal."""
        time.sleep(max(0.0, self.ended + PACE_SECONDS - time.monotonic()))
        flow(*arguments, as_of=self.today)
        self.ended = time.monotonic()
        self.runs += 1

    def _next_day(self) -> date | None:
        """The next day after today on which anybody or anything acts; None once all is closed."""
        from deployments.correction import corrections
        from deployments.suspect import crimes
        from tasks import agenda

        if not agenda.any_open():
            return None
        tomorrow = self.today + timedelta(days=1)
        days = [act.on for act in self.people.acts()] + agenda.next_days(self.today)
        days += [on for on, _ in corrections(self.plan, self.people.calendar)]
        at_work = self.calendar.first_working_day(max(tomorrow, min(days, default=tomorrow)))
        # Suspected crime knows no days off.
        urgent = agenda.next_urgent_days(self.today) + [on for on, _ in crimes(self.plan)]
        return min(at_work, max(tomorrow, min(urgent, default=at_work)))

    def _day(self) -> list[str]:
        """What happens on this day, in the order of a working day; on a day off the urgent."""
        from deployments.correction import corrections
        from deployments.people import drawn_to_withhold
        from deployments.suspect import crimes
        from flows.brief import send_brief
        from flows.crime import enter_crime
        from flows.draw import enter_public_value
        from flows.inspection import record_inspection
        from flows.notice import confirm_service, withhold_notice
        from flows.obligation import sweep_deadlines
        from flows.publication import confirm_publication
        from flows.referral import close_follow_up, confirm_referral
        from flows.refusal import report_refusal
        from flows.round import run_round
        from tasks import agenda

        done = []
        calendar = self.people.calendar
        at_work = calendar.is_working_day(self.today)
        acts = [act for act in self.people.acts() if at_work and act.on <= self.today]
        noticed = [entry for on, entry in corrections(self.plan, calendar) if on <= self.today]
        suspected = [entry for on, entry in crimes(self.plan) if on <= self.today]
        for name, flow, entries, extra in (
            ("送达", confirm_service, self.people.services(acts, self.today), ("演练",)),
            ("记录", record_inspection, self.people.records(acts, self.today), ()),
            ("更正", record_inspection, noticed if at_work else [], ()),
            ("拒签报告", report_refusal, self.people.refusals(acts, self.today), ()),
            ("涉罪移送", enter_crime, suspected, ()),
            ("移送", confirm_referral, self.people.referrals(acts, self.today), ()),
            ("公示", confirm_publication, self.people.publications(acts, self.today), ()),
            ("复查", close_follow_up, self.people.follow_ups(acts, self.today), ()),
        ):
            if entries:
                self._flow(flow, entries, *extra)
                done.append(f"{name} {len(entries)}")
        for code in self.people.briefs(acts):
            office = self.plan.coordinator.name
            self._flow(send_brief, code, self.today, "区人民政府（演练）", f"{code} 简报", office)
            done.append(f"简报 {code}")
        for code in agenda.rounds_with_work(self.today):
            self._flow(run_round, code)
            done.append(f"推进 {code}")
            for grade, value, witnesses in self.people.public_values(code):
                self._flow(enter_public_value, code, grade, value, witnesses)
                self._flow(run_round, code)
                done.append(f"公共值 {grade}")
            if withheld := drawn_to_withhold(code):
                self._flow(withhold_notice, withheld, "线索核查，提前告知将妨碍检查", "演练负责人")
                done.append("不宜告知 1")
        if agenda.alerts_due(self.today):
            self._flow(sweep_deadlines)
            done.append("期限检查")
        return done

    def summary(self, seconds: float) -> dict[str, Any]:
        """The figures that `interfaces.md` promises."""
        from prefect.client.orchestration import get_client

        from tasks import agenda, progress

        with get_client(sync_client=True) as client:
            flow_runs = client.count_flow_runs()
            task_runs = int(client._client.post("/task_runs/count", json={}).json())
        rounds = []
        for code in agenda.round_codes():
            figures = progress.progress(code, self.today)
            rounds.append(
                {
                    "code": code,
                    "opened_on": str(figures.opened_on),
                    "closed_on": str(figures.closed_on),
                    "draws": [
                        {"grade": d.grade, "pool": d.pool, "count": d.count, "ratio": d.ratio}
                        for d in figures.draws
                    ],
                    "inspections": figures.inspections,
                    "referrals": figures.duties["refer"].met,
                    "publications": figures.duties["publish"].met,
                    "overdue": figures.ever_overdue,
                    "alerts": figures.alerts,
                }
            )
        return {
            "plan": self.plan.number,
            "rounds": rounds,
            "mails": agenda.mails_sent(),
            "prefect": {
                "flow_runs": flow_runs,
                "task_runs": task_runs,
                "ui": ui_url(self.settings),
            },
            "seconds": round(seconds, 1),
        }
