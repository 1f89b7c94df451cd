"""Holiday notices as they were imported: text, number, date, and who vouched for them."""

from datetime import date, datetime

from sqlalchemy.orm import Mapped, mapped_column

from calendars import HolidayNotice
from models.base import Base, Code, Json, Key, Line, Prose


class ImportedNotice(Base):
    """A holiday notice (节假日安排通知) that this office imported; an amendment is one more row.

    Its days are kept as they were read, so that a later reading never changes a calendar in use.
    """

    __tablename__ = "holiday_notice"

    id: Mapped[Key]
    number: Mapped[Code] = mapped_column(unique=True)
    year: Mapped[int]
    issued_on: Mapped[date]
    text: Mapped[Prose]
    off: Mapped[Json]
    work: Mapped[Json]
    amends: Mapped[bool]
    reasons: Mapped[Json]  # why it was doubted, where two people confirmed it all the same
    confirmed_by: Mapped[Json]
    imported_by: Mapped[Line]
    imported_at: Mapped[datetime]

    @classmethod
    def of(cls, notice: HolidayNotice) -> "ImportedNotice":
        """The row of a notice just read."""
        return cls(
            number=notice.number,
            year=notice.year,
            issued_on=notice.issued_on,
            text=notice.text,
            off={day.isoformat(): name for day, name in notice.off.items()},
            work={day.isoformat(): name for day, name in notice.work.items()},
            amends=notice.amends,
        )

    @property
    def notice(self) -> HolidayNotice:
        """The notice as the calendar takes it."""
        return HolidayNotice(
            self.year,
            self.number,
            self.issued_on,
            self.text,
            {date.fromisoformat(day): name for day, name in self.off.items()},
            {date.fromisoformat(day): name for day, name in self.work.items()},
            self.amends,
        )
