"""Reports of a refusal to sign: what the subject's head would not sign is reported (拒签报告)."""

from datetime import date, datetime

from pydantic import Field
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, Line
from models.entry import Entry, EntryRefused, not_after

# How a record sheet says that the subject would not sign it.
REFUSED = "拒签"


class RefusalReport(Base):
    """The report of one refusal to the department that supervises (安全生产法 68)."""

    __tablename__ = "refusal_report"

    id: Mapped[Key]
    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspection.id"), unique=True)
    reported_on: Mapped[date]
    receiving: Mapped[Line]
    document: Mapped[Line]
    entered_by: Mapped[Line]
    entered_at: Mapped[datetime]


class RefusalEntry(Entry):
    """That a refusal was reported: on which day, to whom, by which document."""

    inspection: str = Field(alias="检查编号", min_length=1)
    reported_on: date = Field(alias="报告日期")
    receiving: str = Field(alias="报告对象", min_length=1, description="如 区应急管理局")
    document: str = Field(alias="报告文书", min_length=1)
    entered_by: str = Field(alias="录入人", min_length=1)


def check_refusal(
    entry: RefusalEntry, attestation: str, ended_on: date | None, as_of: date
) -> None:
    """Refuse an entry for an inspection whose sheet was not refused, or of a wrong day."""
    if attestation != REFUSED or ended_on is None:
        raise EntryRefused(f"{entry.inspection} 没有登记拒签，不存在拒签报告")
    not_after(entry.reported_on, as_of, f"{entry.inspection} 报告日期")
    if entry.reported_on < ended_on:
        raise EntryRefused(f"{entry.inspection} 报告日期早于检查结束日期 {ended_on}")
