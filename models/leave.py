"""Leave: who is away when, and who acts for them."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Key, Line


class Leave(Base):
    """A person's absence (请假), both days included, and who acts for them (代办), if anybody."""

    __tablename__ = "leave"

    id: Mapped[Key]
    department: Mapped[Code]
    person: Mapped[Line]
    first_on: Mapped[date]
    last_on: Mapped[date]
    delegate: Mapped[Line] = mapped_column(default="")
    delegate_email: Mapped[Line] = mapped_column(default="")
    entered_by: Mapped[Line] = mapped_column(default="")
    entered_at: Mapped[datetime]


Absences = Mapping[tuple[str, str], Leave]


def absences(leaves: Iterable[Leave], as_of: date) -> Absences:
    """Who is away on `as_of`, by department and name; of two entries the later one holds."""
    standing = [leave for leave in leaves if leave.first_on <= as_of <= leave.last_on]
    standing.sort(key=lambda leave: leave.entered_at)
    return {(leave.department, leave.person): leave for leave in standing}
