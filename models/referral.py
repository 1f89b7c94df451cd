"""Referrals and follow-ups: what an adverse result leads to."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, Line, Prose
from models.entry import Entry

Need = Literal["需", "不需"]
# The outcome of a follow-up that a corrected record took the ground from.
NEEDLESS = "结果更正后不再需要"


class Referral(Base):
    """A referral (移送) to whom it belongs. Sent meets the duty; receipt is apart."""

    __tablename__ = "referral"

    id: Mapped[Key]
    record_id: Mapped[int] = mapped_column(ForeignKey("department_record.id"), unique=True)
    receiving: Mapped[Line]
    case_name: Mapped[Line]
    document: Mapped[Line]
    sent_on: Mapped[date]
    received_on: Mapped[date | None]
    received_by: Mapped[Line] = mapped_column(default="")
    entered_by: Mapped[Line]
    entered_at: Mapped[datetime]


class FollowUp(Base):
    """A problem that stays open until re-checked and closed (后续监管)."""

    __tablename__ = "follow_up"

    id: Mapped[Key]
    record_id: Mapped[int] = mapped_column(ForeignKey("department_record.id"), index=True)
    item: Mapped[Line]
    problem: Mapped[Prose]
    opened_on: Mapped[date]
    order_due_on: Mapped[date | None]  # the day that the order names; else the plan's term
    closed_on: Mapped[date | None]
    outcome: Mapped[Prose] = mapped_column(default="")
    entered_by: Mapped[Line] = mapped_column(default="")
    entered_at: Mapped[datetime | None]


class ReferralEntry(Entry):
    """Whether a department refers its finding and, if so, to whom, when, by which letter."""

    inspection: str = Field(alias="检查编号", min_length=1, description="如 2024-1-D03")
    department: str = Field(alias="部门", min_length=1)
    needed: Need = Field(alias="是否移送")
    reason: str = Field(alias="理由", min_length=1, description="需或不需移送，都须写明")
    decided_on: date = Field(alias="研判日期", description="决定是否移送的日期")
    receiving: str = Field(alias="受移送机关", default="", description="已经移送的须写明")
    case_name: str = Field(alias="案件名称", default="")
    document: str = Field(alias="移送函文号", default="", description="已经移送的须写明")
    sent_on: str = Field(
        alias="移送日期", default="", description="如 2024-07-12；还没有移送的留空"
    )
    received_on: str = Field(
        alias="接收日期", default="", description="如 2024-07-15；还没有回执的留空"
    )
    received_by: str = Field(alias="接收人", default="")
    entered_by: str = Field(alias="录入人", min_length=1)


class FollowUpEntry(Entry):
    """The end of a follow-up: re-checked (复查) or otherwise dealt with."""

    inspection: str = Field(alias="检查编号", min_length=1, description="如 2024-1-D03")
    department: str = Field(alias="部门", min_length=1)
    closed_on: date = Field(alias="办结日期")
    outcome: str = Field(alias="复查或处置结果", min_length=1)
    entered_by: str = Field(alias="录入人", min_length=1)
