"""Cells: what people type into a register, read as text, days, numbers to call, lists and choices.

Each reader takes a cell, or a value that it once returned (then it changes nothing), and raises
ValueError with a Chinese message. Text follows the conventions of draw-1: NFC, trimmed, without
control characters; what identifies holds no white space at all.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Literal

Cell = str | int | float | bool | date | datetime | time | timedelta | None

TEXT_LIMIT = 200
CODE_LIMIT = 64


def is_blank(cell: object) -> bool:
    """Whether nothing is written in the cell."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def visible(line: str) -> str:
    """The line with what cannot be seen, or would break it, written as an escape."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def _written(cell: object) -> str:
    """The characters of a cell; a value that Excel may have changed is refused."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        raise ValueError(f"单元格是逻辑值，请设为文本后重填：{cell}")
    if isinstance(cell, int | float):
        # Excel keeps 15 digits; a longer number has lost its end.
        if abs(cell) >= 1e15 or not float(cell).is_integer():
            raise ValueError(f"Excel 把它当作数字，可能已失真，请设为文本后重填：{cell}")
        return str(int(cell))
    raise ValueError(f"单元格是日期或时间，请设为文本后重填：{cell}")


def _is_invisible(character: str) -> bool:
    point = ord(character)
    return (
        unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        or point & 0xFFFE == 0xFFFE
        or 0xFDD0 <= point <= 0xFDEF
    )


def text(
    cell: object, limit: int = TEXT_LIMIT, form: Literal["NFC", "NFKC"] = "NFC", empty: bool = True
) -> str:
    """One line of at most `limit` visible characters."""
    line = unicodedata.normalize(form, _written(cell)).strip()
    if not line and not empty:
        raise ValueError("不能为空")
    # Printable text, which is nearly all, holds none.
    for character in filter(_is_invisible, "" if line.isprintable() else line):
        raise ValueError(f"含有换行或不可见字符 U+{ord(character):04X}：{visible(line[:40])}")
    if len(line) > limit:
        raise ValueError(f"过长，至多 {limit} 字，现有 {len(line)} 字")
    return line


def name(cell: object) -> str:
    """Text that must not be empty."""
    return text(cell, empty=False)


def _refuse_scientific(line: str) -> None:
    if re.fullmatch(r"[0-9](\.[0-9]+)?[Ee]\+?[0-9]+", line):
        raise ValueError(f"Excel 把它变成了科学计数，请设为文本后重填：{line}")


def code(cell: object) -> str:
    """Text that identifies, as codes and certificate numbers: half-width, no white space inside."""
    line = text(cell, CODE_LIMIT, "NFKC", empty=False)
    if any(character.isspace() for character in line):
        raise ValueError(f"中间不能有空格：{line}")
    _refuse_scientific(line)
    return line


_DAY = re.compile(
    r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})(?: 0{1,2}:00(?::00)?)?"
    r"|([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日"
    r"|([0-9]{4})([0-9]{2})([0-9]{2})"
)


def day(cell: object) -> date | None:
    """A day from a date cell or from text like 2025-12-31, 2025/12/31, 2025年12月31日, 20251231."""
    if isinstance(cell, datetime):
        found = cell.date()
    elif isinstance(cell, date):
        found = cell
    else:
        if isinstance(cell, time | timedelta):
            raise ValueError(f"不是日期，应如 2025-12-31：{cell}")
        line = text(cell, form="NFKC")
        if not line:
            return None
        parts = _DAY.fullmatch(line)
        numbers = [int(part) for part in parts.groups("") if part.isdigit()] if parts else []
        try:
            found = date(*numbers)
        except (TypeError, ValueError):
            raise ValueError(f"不是日期，应如 2025-12-31：{line}") from None
    if not 1949 <= found.year <= 2199:
        raise ValueError(f"年份不合情理：{found}")
    return found


def needed_day(cell: object) -> date:
    """A day that must be given."""
    found = day(cell)
    if found is None:
        raise ValueError("不能为空")
    return found


# Digits alone: mobile; area code, number, extension; 400 and 800; local or short; abroad. Ten
# digits that begin with none of these are an area code whose 0 Excel has dropped.
_PHONE = re.compile(r"1[0-9]{10}|0[0-9]{9,16}|[48]00[0-9]{7}|[1-9][0-9]{2,7}|\+[0-9]{6,15}")


def phone(cell: object) -> str:
    """One or several numbers to call, as written."""
    line = text(cell, form="NFKC")
    _refuse_scientific(line)
    for part in re.split("[、,;/]", line) if line else ():
        if not _PHONE.fullmatch(re.sub("[ ()转—–-]", "", part)):
            raise ValueError(f"不是电话号码，应如 13812345678 或 0375-1234567：{line}")
    return line


_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:-*[A-Za-z0-9])*"
_EMAIL = re.compile(
    rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[A-Za-z](?:-*[A-Za-z0-9])+"
)


def email(cell: object) -> str:
    """A mail address, strictly: it goes into a mail's header."""
    line = text(cell, form="NFKC")
    if line and not _EMAIL.fullmatch(line):
        raise ValueError(f"不是邮箱地址：{line}")
    return line


def entries(cell: object) -> tuple[str, ...]:
    """The entries of a list cell, in their order, each once."""
    joined = "、".join(map(_written, cell)) if isinstance(cell, list | tuple) else _written(cell)
    return tuple(dict.fromkeys(filter(None, map(text, re.split("[、,，;；\n]", joined)))))


def choice(
    choices: Iterable[str], spellings: Mapping[str, str | None]
) -> Callable[[object], str | None]:
    """A reader of one of `choices` or of a known other spelling (upper case, NFKC)."""
    wanted = tuple(choices)
    known: dict[str, str | None] = {**{each: each for each in wanted}, **spellings}

    def read(cell: object) -> str | None:
        line = text(cell, form="NFKC")
        try:
            return known[line.upper()]
        except KeyError:
            raise ValueError(f"应为{'、'.join(wanted)}之一：{line}") from None

    return read
