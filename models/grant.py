"""Suspensions and extensions of obligations, each by a named approver on a cited article."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from calendars import Extension, Grant, Suspension
from models.base import Base, Code, Key, Line


class GrantedTime(Base):
    """A suspension (中止) with its days, or an extension (延期) in working days, of a duty."""

    __tablename__ = "granted_time"
    __table_args__ = (Index("ix_granted_time_duty_object", "duty", "object"),)

    id: Mapped[Key]
    duty: Mapped[Code]
    object: Mapped[Code]
    from_on: Mapped[date | None]  # of a suspension, with through_on
    through_on: Mapped[date | None]
    working_days: Mapped[int | None]  # of an extension
    article: Mapped[Line]
    document: Mapped[Line]
    approver: Mapped[Line]
    approved_on: Mapped[date]
    entered_by: Mapped[Line]
    entered_at: Mapped[datetime]

    @property
    def grant(self) -> Grant:
        """The grant as the calendar counts it."""
        grounds = (self.document, self.article, self.approver, self.approved_on)
        if self.working_days is not None:
            return Extension(self.working_days, *grounds)
        assert self.from_on is not None
        assert self.through_on is not None
        return Suspension(self.from_on, self.through_on, *grounds)
