"""Replacements: one inspector in place of another, and the requests that ask for one."""

from datetime import date, datetime
from typing import Literal

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Key, Line, Prose
from models.draw import TeamMember
from models.entry import EntryRefused
from models.freeze import check_text
from models.inspection import Inspection
from models.ledger import append_only

Ground = Literal["回避", "不能到场"]
Decision = Literal["准许", "驳回"]
DRAWN = "抽取"
BY_TICKET = "递补"
APPOINTED = "直接委派"


class Replacement(Base):
    """One inspector in place of another (递补, step 8 of the protocol); kept for ever.

    `direct`: nobody was left by ticket, and the head appointed (直接委派).
    """

    __tablename__ = "replacement"

    id: Mapped[Key]
    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspection.id"), index=True)
    department: Mapped[Code]
    out_certificate: Mapped[Code]
    in_certificate: Mapped[Code]
    ground: Mapped[Code]
    reason: Mapped[Prose]
    decided_by: Mapped[Line]
    decided_at: Mapped[datetime]
    direct: Mapped[bool] = mapped_column(default=False)

    @property
    def why(self) -> str:
        """Ground and reason as the evidence bundle says them, 直接委派 marked."""
        return f"{self.ground}：{self.reason}" + ("（直接委派）" if self.direct else "")


class RecusalRequest(Base):
    """A subject's request that an inspector keep away (回避申请), and how it was decided.

    The inspection goes on until `decision` is there (行政处罚法 43).
    """

    __tablename__ = "recusal_request"

    id: Mapped[Key]
    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspection.id"), index=True)
    department: Mapped[Code]
    certificate: Mapped[Code]
    reason: Mapped[Prose]
    asked_by: Mapped[Line]
    asked_on: Mapped[date]
    entered_at: Mapped[datetime]
    decision: Mapped[Code] = mapped_column(default="")
    decision_why: Mapped[Prose] = mapped_column(default="")
    decided_by: Mapped[Line] = mapped_column(default="")
    decided_at: Mapped[datetime | None]


def member_at(inspection: Inspection, department: str, seat: int) -> TeamMember:
    """Who holds that seat (席位, from 1; the initiating department's 1 leads) now. EntryRefused."""
    members = inspection.members(department)
    for member in members:
        if member.position == seat:
            return member
    known = "、".join(str(member.position) for member in sorted(members, key=lambda m: m.position))
    raise EntryRefused(f"{inspection.code} 检查小组中该部门没有席位 {seat}，现有席位：{known}")


def refuse_if_over(inspection: Inspection) -> None:
    """EntryRefused once there is nothing left to attend."""
    if inspection.ended_on is not None:
        raise EntryRefused(f"{inspection.code} 的检查已于 {inspection.ended_on} 结束，不再更换人员")
    if inspection.dropped_on is not None:
        raise EntryRefused(f"{inspection.code} 已登记为未实施，不再更换人员")


def worded(text: str, field: str) -> str:
    """`text` as an evidence bundle can carry it, on one line. DrawRefused with what is wrong."""
    return check_text(" ".join(text.split()), field)


def give_place(
    inspection: Inspection, out: TeamMember, certificate: str, direct: bool, at: datetime
) -> TeamMember:
    """Let `certificate` have the place of `out`, leadership included; name and mail are to be set.

    EntryRefused for one who ever was on this team.
    """
    if any(member.certificate == certificate for member in inspection.team):
        raise EntryRefused(
            f"执法证号 {certificate} 曾在 {inspection.code} 的检查小组，不能再次进入"
        )
    out.left_at = at
    member = TeamMember(
        inspection_id=inspection.id,
        department=out.department,
        certificate=certificate,
        position=out.position,
        leader=out.leader,
        joined_by=APPOINTED if direct else BY_TICKET,
    )
    inspection.team.append(member)
    return member


KEPT = append_only("replacement", "递补记录永久保存，不能修改或删除")
"""Triggers by dialect, to be made in order."""
