"""Inspections: one subject, one team, one record per department."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Select, UniqueConstraint, or_, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Json, Key, Line, Prose
from models.crime import CrimeReport
from models.draw import Draw, TeamMember
from models.notice import Notice
from models.publication import Publication
from models.referral import FollowUp, Referral
from models.refusal import RefusalReport
from models.registers import SubjectRow


class Inspection(Base):
    """An inspection (检查) of one drawn subject by its team. `code` names no subject: `2024-1-D03`.

    `subject` is the register's entry as it stood when it was drawn. `ended_on` is the day on which
    the record sheet was signed, sealed, refused or found nobody to sign: from it 公示 is counted.
    """

    __tablename__ = "inspection"

    id: Mapped[Key]
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    draw_id: Mapped[int] = mapped_column(ForeignKey("draw.id"), index=True)
    code: Mapped[Code] = mapped_column(unique=True)
    subject_code: Mapped[Code] = mapped_column(index=True)
    subject: Mapped[Json]
    replaces: Mapped[Code] = mapped_column(default="")  # the inspection of a closed subject
    planned_on: Mapped[date]
    unannounced: Mapped[bool] = mapped_column(default=False)  # 不宜告知
    unannounced_why: Mapped[Line] = mapped_column(default="")
    unannounced_by: Mapped[Line] = mapped_column(default="")
    ended_on: Mapped[date | None]
    attestation: Mapped[Code] = mapped_column(default="")
    attestation_note: Mapped[Prose] = mapped_column(default="")
    witness: Mapped[Line] = mapped_column(default="")
    dropped_on: Mapped[date | None]  # 未实施
    dropped_why: Mapped[Line] = mapped_column(default="")
    dropped_by: Mapped[Line] = mapped_column(default="")
    dropped_document: Mapped[Line] = mapped_column(default="")

    draw: Mapped[Draw] = relationship(lazy="raise")
    records: Mapped[list["DepartmentRecord"]] = relationship(
        back_populates="inspection", lazy="selectin", order_by="DepartmentRecord.id"
    )
    team: Mapped[list[TeamMember]] = relationship(lazy="selectin", order_by=TeamMember.id)
    notice: Mapped[Notice | None] = relationship(lazy="selectin")
    refusal: Mapped[RefusalReport | None] = relationship(lazy="selectin")

    @property
    def subject_row(self) -> SubjectRow:
        """The subject as it stood when it was drawn."""
        return SubjectRow.model_validate(self.subject)

    @property
    def name(self) -> str:
        """The subject's name."""
        return str(self.subject["name"])

    @property
    def team_version(self) -> int:
        """1 for the team as it was drawn, and one more for each place that changed hands."""
        return 1 + sum(member.left_at is not None for member in self.team)

    def members(self, department: str | None = None) -> list[TeamMember]:
        """Who is on the team now, leader first, then by seat; of one department where named."""
        departments = list(dict.fromkeys(member.department for member in self.team))

        def seat(member: TeamMember) -> tuple[bool, int, int]:
            return (not member.leader, departments.index(member.department), member.position)

        return sorted(
            (
                member
                for member in self.team
                if member.left_at is None and department in (None, member.department)
            ),
            key=seat,
        )

    def record(self, department: str) -> "DepartmentRecord":
        """The record of one department; KeyError where it takes no part."""
        for record in self.records:
            if record.department == department:
                return record
        raise KeyError(department)


class DepartmentRecord(Base):
    """What one department recorded (检查情况记录) in one inspection; a correction is a new version.

    `formed_on` is the day on which its result formed: from it 移送 is counted.
    """

    __tablename__ = "department_record"
    __table_args__ = (UniqueConstraint("inspection_id", "department"),)

    id: Mapped[Key]
    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspection.id"))
    department: Mapped[Code]
    version: Mapped[int] = mapped_column(default=0)
    correction: Mapped[Prose] = mapped_column(default="")  # why it is not the first version
    recorded_on: Mapped[date | None]
    formed_on: Mapped[date | None]
    test_report: Mapped[Line] = mapped_column(default="")
    methods: Mapped[Json] = mapped_column(default=list)
    measures: Mapped[Json] = mapped_column(default=list)
    results: Mapped[Json] = mapped_column(default=list)
    adverse: Mapped[bool] = mapped_column(default=False)
    order_text: Mapped[Prose] = mapped_column(default="")
    order_manner: Mapped[Code] = mapped_column(default="")
    order_due_on: Mapped[date | None]
    referral_needed: Mapped[Code] = mapped_column(default="")  # 需, 不需, or not yet said
    referral_why: Mapped[Prose] = mapped_column(default="")
    referral_decided_on: Mapped[date | None]
    entered_by: Mapped[Line] = mapped_column(default="")
    entered_at: Mapped[datetime | None]
    proxy: Mapped[bool] = mapped_column(default=False)  # 代录, until the department confirms

    inspection: Mapped[Inspection] = relationship(back_populates="records", lazy="raise")
    referral: Mapped[Referral | None] = relationship(lazy="selectin")
    crime: Mapped[CrimeReport | None] = relationship(lazy="selectin")
    publication: Mapped[Publication | None] = relationship(lazy="selectin")
    follow_ups: Mapped[list[FollowUp]] = relationship(lazy="selectin", order_by=FollowUp.id)


def unprepared(round_id: int) -> Select[tuple[Inspection, DepartmentRecord]]:
    """What is recorded in a round, and not prepared for publication as it is recorded now."""
    return (
        select(Inspection, DepartmentRecord)
        .join(DepartmentRecord, DepartmentRecord.inspection_id == Inspection.id)
        .outerjoin(Publication, Publication.record_id == DepartmentRecord.id)
        .where(
            Inspection.round_id == round_id,
            Inspection.ended_on.is_not(None),
            DepartmentRecord.version > 0,
            or_(
                Publication.id.is_(None),
                Publication.version != DepartmentRecord.version,
                Publication.ended_on != Inspection.ended_on,
            ),
        )
        .order_by(DepartmentRecord.id)
    )
