"""What people enter: the base of every form, and the refusal of a wrong entry."""

from datetime import date

from pydantic import BaseModel, ConfigDict


class EntryRefused(ValueError):
    """An entry that cannot stand (退回补正); its message is one Chinese line: what to do."""


class Entry(BaseModel):
    """One entry by form. Labels are Chinese (aliases), names in the code English."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, str_strip_whitespace=True)


def optional_day(text: str, field: str) -> date | None:
    """The date in a form's optional field, which is text because forms have no empty date.

    Raises EntryRefused where it is neither empty nor like 2024-07-01.
    """
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise EntryRefused(f"{field}应如 2024-07-01，现为“{text}”") from None


def not_after(day: date | None, as_of: date, field: str) -> None:
    """Refuse a day that has not come yet: what is entered has happened."""
    if day is not None and day > as_of:
        raise EntryRefused(f"{field} {day} 还没有到（今天是 {as_of}），请核对")
