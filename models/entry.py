"""What people enter: the base of every form, and the refusal of a wrong entry."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from models.base import SHANGHAI


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


def optional_minute(text: str, field: str) -> datetime | None:
    """The minute in a form's optional field, in Asia/Shanghai unless it names its own zone.

    Raises EntryRefused where it is neither empty nor like 2024-07-01 16:30.
    """
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text) if len(text) > len("2024-07-01") else None
    except ValueError:
        found = None
    if found is None:
        raise EntryRefused(f"{field}应写到分，如 2024-07-01 16:30，现为“{text}”")
    aware = found if found.tzinfo else found.replace(tzinfo=SHANGHAI)
    return aware.astimezone(SHANGHAI).replace(second=0, microsecond=0)


def not_after(day: date | None, as_of: date, field: str) -> None:
    """Refuse a day that has not come yet: what is entered has happened."""
    if day is not None and day > as_of:
        raise EntryRefused(f"{field} {day} 还没有到（今天是 {as_of}），请核对")


# What pydantic finds wrong with a field, for people.
_FAULTS = {
    "missing": "必填",
    "missing_argument": "必填",
    "extra_forbidden": "没有这一项",
    "unexpected_keyword_argument": "没有这一项",
    "string_too_short": "不能为空",
    "string_type": "应为文字",
    "literal_error": "只能是 {expected}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "int_parsing": "应为整数",
    "int_type": "应为整数",
    "bool_parsing": "应为是或否",
    "too_short": "至少要有 {min_length} 项",
    "date_type": "应为日期，如 2024-07-01",
    "date_parsing": "应为日期，如 2024-07-01",
    "date_from_datetime_parsing": "应为日期，如 2024-07-01",
    "date_from_datetime_inexact": "应为日期，如 2024-07-01",
    "value_error": "{error}",
}


def in_chinese(error: ValidationError, labels: Mapping[str, str]) -> str:
    """Every field that does not fit its form, by its label, and how; one line."""
    return "；".join(
        f"{_place(fault['loc'], labels)}{_fault(fault['type'], fault.get('ctx') or {})}"
        for fault in error.errors(include_url=False)
    )


def _place(steps: tuple[int | str, ...], labels: Mapping[str, str]) -> str:
    words = [
        f"第 {at + 1} 项" if isinstance(at, int) else f"“{labels.get(at, at)}”" for at in steps
    ]
    return "".join(words)


def _fault(kind: str, context: Mapping[str, Any]) -> str:
    said = _FAULTS.get(kind, "格式不对")
    return said.format_map(dict(context)).replace(" or ", " 或 ")
