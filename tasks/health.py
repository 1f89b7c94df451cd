"""Health: whether what should have happened by now has happened (值守)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from models import ledger
from models.alert import Sweep
from models.database import reading, writing
from models.ledger import Event
from models.mail import WAITING, Mail, letter
from models.plan import PlanVersion
from models.round import Round
from tasks.calendar import office_calendar
from tasks.plan import newest_plan
from tasks.round import SYSTEM
from tasks.urgent import anything_urgent

# So long after its time a sweep may take, in hours.
GRACE = timedelta(hours=2)


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it should be; `key` names it, so that it is told once.

    One that is `urgent` is told on days off as well.
    """

    key: str
    text: str
    urgent: bool = False


def problems(at: datetime) -> list[Problem]:
    """What is wrong at that moment: a sweep, a pass or a mail that should be done and is not."""
    with reading() as session:
        return list(_problems(session, at))


def tell(found: Sequence[Problem], at: datetime) -> int:
    """Put a letter to the coordinator into the outbox for each, once; how many are new."""
    told = 0
    with writing() as session:
        plan = newest_plan(session)
        if plan is None:
            return 0
        office = plan.coordinator
        for one in found:
            new = letter(
                session,
                key=f"trouble:{one.key}",
                name=office.name,
                email=office.email,
                day=at.date(),
                subject=f"〔运行告警〕{one.text.splitlines()[0][:120]}",
                text=f"{office.name}：\n\n{one.text}\n\n本邮件由系统值守检查发出，同一问题只发一次。",
                urgent_since=at if one.urgent else None,
            )
            if new:
                ledger.append(session, at, SYSTEM, [Event("运行告警", one.key, {"text": one.text})])
            told += new
    return told


def _problems(session: Session, at: datetime) -> Iterator[Problem]:
    plans = list(session.scalars(select(PlanVersion)))
    if not plans:
        yield Problem("plan", "还没有载入抽查工作计划，请运行 shuangsuiji init")
        return
    yield from _urgent(session, plans, at)
    expected = _last_due(session, plans, at)
    if min(plan.loaded_at.date() for plan in plans) >= expected:
        return  # set up only now: nothing could have been done yet
    swept = session.scalar(select(func.max(Sweep.as_of)).where(Sweep.as_of <= at.date()))
    ahead = session.scalar(select(func.max(Sweep.as_of)).where(Sweep.as_of > at.date()))
    if ahead is not None:
        yield Problem(
            f"clock:{ahead}",
            f"有一次期限检查记在 {ahead}，晚于今天：系统时钟曾被调快，或 --as-of 写错了。"
            "请核对时钟；此后一个月内的提醒可能已经提前记为发出",
        )
    if swept is None or swept < expected:
        last = f"最近一次是 {swept}" if swept else "从未做过"
        yield Problem(
            f"sweep:{expected}",
            f"{expected} 的期限检查没有完成（{last}），提醒可能没有发出。"
            "请查看服务是否在运行，或运行 shuangsuiji sweep",
        )
    late = session.execute(
        select(Round.code, Round.passed_on).where(
            Round.opens_on <= expected,
            Round.closed_on.is_(None),
            or_(Round.passed_on.is_(None), Round.passed_on < expected),
        )
    ).tuples()
    for code, passed_on in late:
        last = f"最近一次是 {passed_on}" if passed_on else "从未推进"
        yield Problem(f"pass:{code}:{expected}", f"轮次 {code} 在 {expected} 没有推进（{last}）")
    waiting = session.scalar(
        select(func.count())
        .select_from(Mail)
        .where(text(WAITING), Mail.day < _working_day_before(session, at.date()))
    )
    if waiting:
        yield Problem(
            f"mail:{expected}",
            f"有 {waiting} 封邮件超过一个工作日没有发出，"
            "请检查邮件服务器，再运行 shuangsuiji deliver",
        )


def _urgent(session: Session, plans: Sequence[PlanVersion], at: datetime) -> Iterator[Problem]:
    """Urgent alerts and mails that are older than the plan allows; asked on days off as well."""
    minutes = min(plan.plan.urgent_within_minutes for plan in plans)
    since = at - timedelta(minutes=minutes)
    untold = anything_urgent(session, since)
    unsent = session.scalar(
        select(func.count()).select_from(Mail).where(text(WAITING), Mail.urgent_since <= since)
    )
    if untold:
        yield Problem(
            f"urgent:{at.date()}",
            f"有加急提醒过了 {minutes} 分钟还没有生成（涉嫌犯罪案件，休息日也要提醒）。"
            "请查看服务是否在运行，或运行 shuangsuiji deliver",
            urgent=True,
        )
    if unsent:
        yield Problem(
            f"urgent-mail:{at.date()}",
            f"有 {unsent} 封加急邮件过了 {minutes} 分钟还没有发出，"
            "请检查邮件服务器，再运行 shuangsuiji deliver；来不及的请电话告知责任人",
            urgent=True,
        )


def _last_due(session: Session, plans: Sequence[PlanVersion], at: datetime) -> date:
    """The last working day whose sweep should be over by now."""
    sweep_at = max(plan.plan.sweep_at for plan in plans)
    over_at = datetime.combine(at.date(), sweep_at, tzinfo=at.tzinfo) + GRACE
    days = office_calendar(session).provisional
    if at >= over_at and days.is_working_day(at.date()):
        return at.date()
    return days.add_working_days(at.date(), -1)


def _working_day_before(session: Session, day: date) -> date:
    return office_calendar(session).provisional.add_working_days(day, -1)
