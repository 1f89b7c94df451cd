"""Suspected crime: reported to the head, decided, handed over to the police; a track of its own.

行政执法机关移送涉嫌犯罪案件的规定（国务院令第310号，第730号修订）第五条. It does not replace any
other referral.
"""

from datetime import date, datetime
from typing import Literal

from pydantic import Field
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Json, Key, Line, Prose
from models.entry import Entry, EntryRefused, optional_minute
from models.plan import Department

Decision = Literal["", "批准", "不批准"]


class CrimeReport(Base):
    """A report of suspected crime (涉嫌犯罪案件移送) on one department's finding, to the minute.

    From `reported_at` the head has three days to decide, from an approval the department 24 hours.
    """

    __tablename__ = "crime_report"

    id: Mapped[Key]
    record_id: Mapped[int] = mapped_column(ForeignKey("department_record.id"), unique=True)
    reported_at: Mapped[datetime]
    handlers: Mapped[Json]  # names of those who report (承办人)
    decision: Mapped[Code] = mapped_column(default="")
    reason: Mapped[Prose] = mapped_column(default="")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[Line] = mapped_column(default="")
    in_charge_by: Mapped[Line] = mapped_column(default="")
    transferred_at: Mapped[datetime | None]
    receiving: Mapped[Line] = mapped_column(default="")
    document: Mapped[Line] = mapped_column(default="")
    entered_by: Mapped[Line]
    entered_at: Mapped[datetime]


class CrimeEntry(Entry):
    """What is known so far of a suspected crime: the report, later the decision and the transfer.

    Entered again for the same finding with more filled in; times as in 2024-07-12 16:30.
    """

    inspection: str = Field(alias="检查编号", min_length=1)
    department: str = Field(alias="部门", min_length=1)
    reported_at: str = Field(
        alias="报告送达时间",
        min_length=1,
        description="移送报告送达负责人的时间，如 2024-07-12 16:30",
    )
    handlers: list[str] = Field(
        alias="承办人", min_length=2, description="提出移送报告的专案组，不少于 2 人"
    )
    decision: Decision = Field(alias="决定", default="")
    reason: str = Field(alias="决定理由", default="", description="不批准的必填")
    decided_at: str = Field(alias="决定时间", default="")
    decided_by: str = Field(
        alias="决定人", default="", description="正职负责人或者主持工作的负责人"
    )
    in_charge_by: str = Field(
        alias="主持工作依据", default="", description="决定人不是方案所列负责人的，写任职或授权文件"
    )
    transferred_at: str = Field(alias="移交时间", default="")
    receiving: str = Field(alias="受移送公安机关", default="")
    document: str = Field(alias="移送文书", default="", description="移送书文号")
    correction: str = Field(alias="更正理由", default="", description="与已登记的内容不一致的必填")
    entered_by: str = Field(alias="录入人", min_length=1)


def apply_crime(
    known: CrimeReport | None,
    entry: CrimeEntry,
    department: Department,
    drawn_on: date | None,
    at: datetime,
) -> CrimeReport:
    """The report as `entry` makes it, anew or out of the `known` one, or EntryRefused.

    A decision is the head's, or that of somebody with a paper that puts them in charge, and never
    of one of those who report. What was entered before is changed only with a reason.
    """
    reported_at = optional_minute(entry.reported_at, "报告送达时间")
    decided_at = optional_minute(entry.decided_at, "决定时间")
    transferred_at = optional_minute(entry.transferred_at, "移交时间")
    assert reported_at is not None
    _check_times(reported_at, decided_at, transferred_at, drawn_on, at)
    handlers = [name.strip() for name in entry.handlers]
    if "" in handlers or len(set(handlers)) != len(handlers):
        raise EntryRefused("承办人应为两名以上不同的人，逐一写明姓名")
    _check_decision(entry, decided_at, handlers, department)
    if transferred_at is not None and entry.decision != "批准":
        raise EntryRefused("批准移送之后才能移交，请先填决定")
    if transferred_at is not None and not (entry.receiving and entry.document):
        raise EntryRefused("已移交的，须填受移送公安机关和移送文书")
    values = {
        "reported_at": reported_at,
        "handlers": handlers,
        "decision": entry.decision,
        "reason": entry.reason,
        "decided_at": decided_at,
        "decided_by": entry.decided_by,
        "in_charge_by": entry.in_charge_by,
        "transferred_at": transferred_at,
        "receiving": entry.receiving,
        "document": entry.document,
    }
    if known is not None and not entry.correction:
        changed = [name for name, value in values.items() if _differs(known, name, value)]
        if changed:
            labels = "、".join(str(CrimeEntry.model_fields[name].alias) for name in changed)
            raise EntryRefused(f"{labels}与已登记的不一致；补充登记须照填，确需更正的写明更正理由")
    if known is not None and known.transferred_at and transferred_at is None:
        raise EntryRefused(f"已于 {known.transferred_at:%Y-%m-%d %H:%M} 移交，不能撤销移交")
    report = known or CrimeReport()
    for name, value in values.items():
        setattr(report, name, value)
    report.entered_by, report.entered_at = entry.entered_by, at
    return report


def _differs(known: CrimeReport, name: str, value: object) -> bool:
    before = getattr(known, name)
    return bool(before) and before != value


def _check_times(
    reported_at: datetime,
    decided_at: datetime | None,
    transferred_at: datetime | None,
    drawn_on: date | None,
    at: datetime,
) -> None:
    for moment, field in (
        (reported_at, "报告送达时间"),
        (decided_at, "决定时间"),
        (transferred_at, "移交时间"),
    ):
        if moment is not None and moment > at:
            raise EntryRefused(
                f"{field} {moment:%Y-%m-%d %H:%M} 还没有到（现在是 {at:%Y-%m-%d %H:%M}），请核对"
            )
    if drawn_on is not None and reported_at.date() < drawn_on:
        raise EntryRefused(f"报告送达时间早于抽取日 {drawn_on}，请核对")
    if decided_at is not None and decided_at < reported_at:
        raise EntryRefused("决定时间早于报告送达时间，请核对")
    if transferred_at is not None and (decided_at is None or transferred_at < decided_at):
        raise EntryRefused("移交时间早于决定时间，或者没有填决定时间，请核对")


def _check_decision(
    entry: CrimeEntry, decided_at: datetime | None, handlers: list[str], department: Department
) -> None:
    if not entry.decision:
        if decided_at or entry.decided_by or entry.reason:
            raise EntryRefused("填了决定时间、决定人或决定理由的，须选决定（批准或不批准）")
        return
    if decided_at is None or not entry.decided_by:
        raise EntryRefused("有决定的，须填决定时间和决定人")
    if entry.decision == "不批准" and not entry.reason:
        raise EntryRefused("不批准移送的，须将理由记录在案，请填决定理由")
    if entry.decided_by in handlers:
        raise EntryRefused(f"决定人不能是承办人：{entry.decided_by}")
    if entry.decided_by != department.head.name and not entry.in_charge_by:
        raise EntryRefused(
            f"{entry.decided_by}不是{department.name}的负责人（{department.head.name}）；"
            "主持工作的，须填主持工作依据"
        )
