"""Sheets: registers as files, read from xlsx or csv, written as xlsx that reads back the same."""

import csv
import re
import zipfile
from collections.abc import Iterable
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from typing import get_args

import python_calamine
import xlsxwriter

from models.cells import Cell, is_blank
from models.plan import GRADES
from models.registers import (
    INSPECTOR_HEADINGS,
    SUBJECT_HEADINGS,
    Headings,
    InspectorRow,
    InspectorStatus,
    Problem,
    RegisterError,
    Row,
    SubjectRow,
    SubjectStatus,
)

_CELL_LIMIT = 32_767
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def read_rows(path: Path) -> list[list[Cell]]:
    """All rows of a register's file, the first row first, for models.registers to parse.

    An xlsx may have one visible sheet that is not empty; a csv is UTF-8, with or without a byte
    order mark, or GB 18030. Raises RegisterError with one Chinese line where the file is unfit.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise _refused(path, "没有这个文件") from None
    except OSError as error:
        raise _refused(path, "无法读取，不是文件或没有权限") from error
    suffix = path.suffix.lower()
    if suffix not in (".xlsx", ".csv"):
        raise _refused(path, "只能导入 xlsx 或 csv 文件")
    if not content.strip():
        raise _refused(path, "是空文件")
    if content.startswith(_OLE):
        raise _refused(path, "是旧版 xls 或加了密码，请去掉密码、另存为 xlsx")
    if content.startswith(_ZIP) != (suffix == ".xlsx"):
        raise _refused(path, f"内容不是 {suffix[1:]}，请另存为 xlsx 或 csv")
    return _read_xlsx(path) if suffix == ".xlsx" else _read_csv(path, content)


def _refused(path: Path, message: str, row: int = 0) -> RegisterError:
    return RegisterError([Problem(path.name, row, "", message)])


def _read_xlsx(path: Path) -> list[list[Cell]]:
    try:
        with python_calamine.load_workbook(path) as book:
            names = [
                sheet.name
                for sheet in book.sheets_metadata
                if sheet.visible is python_calamine.SheetVisibleEnum.Visible
                and sheet.typ is python_calamine.SheetTypeEnum.WorkSheet
            ]
            # Leading empty rows are kept, so that row numbers are those that people see.
            sheets = {n: book.get_sheet_by_name(n).to_python(skip_empty_area=False) for n in names}
        broken = _first_error_cell(path)
    except (python_calamine.CalamineError, zipfile.BadZipFile) as error:
        raise _refused(path, "不是完好的 xlsx 文件") from error
    filled = {n: s for n, s in sheets.items() if any(not is_blank(c) for row in s for c in row)}
    if len(filled) > 1:
        raise _refused(path, f"有 {len(filled)} 张有内容的工作表，请只留一张：{'、'.join(filled)}")
    if broken:
        raise _refused(path, f"单元格 {broken} 是公式错误值")
    return [list(row) for rows in filled.values() for row in rows]


def _first_error_cell(path: Path) -> str | None:
    """The first cell that holds an error such as #N/A, which calamine reads as if it were empty."""
    with zipfile.ZipFile(path) as archive:
        for name in filter(re.compile(r"xl/worksheets/[^/]+\.xml").fullmatch, archive.namelist()):
            for cell in re.finditer(rb"<c [^>]*>", archive.read(name)):
                if b' t="e"' in cell[0]:
                    place = re.search(rb' r="([A-Z]+[0-9]+)"', cell[0])
                    return place[1].decode() if place else "（未知）"
    return None


def _read_csv(path: Path, content: bytes) -> list[list[Cell]]:
    # The headings tell the encoding, so that one bad byte further down is found, not misread.
    encoding = "utf-8-sig" if _decodes(content.split(b"\n", 1)[0], "utf-8") else "gb18030"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        name = "UTF-8" if encoding == "utf-8-sig" else "UTF-8 或 GB18030"
        raise _refused(path, f"文字编码不是 {name}，请另存为 UTF-8 的 csv", row) from None
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        return [list(row) for row in reader]
    except csv.Error as error:
        raise _refused(path, "不是完好的 csv（引号不成对）", reader.line_num) from error


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def write_subjects(path: Path, rows: Iterable[SubjectRow] = ()) -> None:
    """Writes a register of subjects as xlsx; without rows, a template to fill in."""
    choices = {"grade": GRADES, "status": get_args(SubjectStatus)}
    _write(path, "检查对象名录库", SUBJECT_HEADINGS, choices, rows)


def write_inspectors(path: Path, rows: Iterable[InspectorRow] = ()) -> None:
    """Writes a register of inspectors as xlsx; without rows, a template to fill in."""
    _write(
        path,
        "执法检查人员名录库",
        INSPECTOR_HEADINGS,
        {"status": get_args(InspectorStatus)},
        rows,
    )


def _shown(value: str | date | tuple[str, ...] | None) -> str:
    if isinstance(value, tuple):
        return "、".join(value)
    return "" if value is None else str(value)


def _write(
    path: Path,
    title: str,
    headings: Headings,
    choices: dict[str, tuple[str, ...]],
    rows: Iterable[Row],
) -> None:
    lines = [[_shown(getattr(row, field)) for field in headings] for row in rows]
    for number, line in enumerate(lines, 2):
        if max(map(len, line)) > _CELL_LIMIT:
            raise _refused(path, f"有单元格超出 Excel 的 {_CELL_LIMIT} 字", number)
    with xlsxwriter.Workbook(path) as book:
        # A fixed day: the same register gives the same bytes.
        book.set_properties({"title": title, "created": datetime(2024, 1, 1)})  # noqa: DTZ001
        as_text = book.add_format({"num_format": "@"})
        bold = book.add_format({"num_format": "@", "bold": True, "bottom": 1})
        sheet = book.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        for column, (field, spellings) in enumerate(headings.items()):
            written = [line[column] for line in lines]
            width = min(40, max(map(_width, [spellings[0], *written])) + 2)
            # As text throughout: Excel then leaves codes, phones and dates as they are typed.
            sheet.set_column(column, column, width, as_text)
            sheet.write_string(0, column, spellings[0], bold)
            for number, value in enumerate(written, 1):
                sheet.write_string(number, column, value, as_text)
            if field in choices:
                rule = {"validate": "list", "source": list(choices[field])}
                sheet.data_validation(1, column, 1_048_575, column, rule)


def _width(text: str) -> int:
    """How many half-width characters the text takes."""
    return sum(1 if character.isascii() else 2 for character in text)
