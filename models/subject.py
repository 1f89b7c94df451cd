"""Subjects, inspectors and recusals as they stand in the registers."""

from datetime import date
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Json, Key, Line
from models.registers import InspectorRow, SubjectRow


class Subject(Base):
    """A subject (检查对象) of the register; its columns are the fields of `SubjectRow`."""

    __tablename__ = "subject"
    # The code is in it so that a pool is read off the index alone.
    __table_args__ = (Index("ix_subject_grade_status", "grade", "status", "code"),)

    id: Mapped[Key]
    code: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[Line]
    legal_representative: Mapped[Line]
    address: Mapped[Line]
    premises: Mapped[Line]
    contact: Mapped[Line]
    phone: Mapped[Line]
    email: Mapped[Line]
    licence_name: Mapped[Line]
    licence_number: Mapped[Line]
    licence_expires_on: Mapped[date | None]
    licence_authority: Mapped[Line]
    grade: Mapped[Code | None]
    status: Mapped[Code]
    last_inspected_on: Mapped[date | None]

    @property
    def row(self) -> SubjectRow:
        """The entry as the register's file would say it."""
        return SubjectRow(**_values(self, SubjectRow))


class Inspector(Base):
    """An inspector (执法检查人员) of the register; its columns are the fields of `InspectorRow`."""

    __tablename__ = "inspector"

    id: Mapped[Key]
    certificate: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[Line]
    department: Mapped[Code]
    certificate_expires_on: Mapped[date]
    fields: Mapped[Json]
    qualifications: Mapped[Json]
    title: Mapped[Line]
    phone: Mapped[Line]
    email: Mapped[Line]
    status: Mapped[Code]
    recusals: Mapped[Json]

    @property
    def row(self) -> InspectorRow:
        """The entry as the register's file would say it."""
        return InspectorRow(**_values(self, InspectorRow))

    def may_serve(self, through: date, needed: frozenset[str] = frozenset()) -> bool:
        """In post, with a certificate valid through that day and every needed qualification."""
        return (
            self.status == "在岗"
            and self.certificate_expires_on >= through
            and needed <= set(self.qualifications)
        )


def _values(entity: Base, row: type[SubjectRow] | type[InspectorRow]) -> dict[str, Any]:
    return {name: getattr(entity, name) for name in row.model_fields}


def columns(row: SubjectRow | InspectorRow) -> dict[str, Any]:
    """The columns to write for a row: lists as JSON keeps them."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in ((name, getattr(row, name)) for name in type(row).model_fields)
    }
