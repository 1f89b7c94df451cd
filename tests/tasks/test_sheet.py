"""Sheets: what is written reads back the same; what is unfit is refused with one line."""

import csv
import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
import python_calamine
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import fiction
from models.cells import Cell
from models.registers import (
    INSPECTOR_HEADINGS,
    SUBJECT_HEADINGS,
    Headings,
    InspectorRow,
    RegisterError,
    Row,
    SubjectRow,
    parse_inspectors,
    parse_subjects,
)
from tasks.sheet import read_rows, write_inspectors, write_subjects

CODE = "91110000600037341L"
HEADER = "名称,统一社会信用代码\n"

quick = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# What may stand in a row: no control characters, invisible ones or commas of lists.
lines = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cn", "Zl", "Zp"]), max_size=12
)
codes = st.sampled_from([row.code for row in fiction.subjects(1, {"A": 20})])
days = st.none() | st.dates(date(1950, 1, 1), date(2150, 1, 1))
names = lines.map(lambda line: f"甲{line}")
subject_rows = st.builds(
    SubjectRow,
    name=names,
    code=codes,
    address=lines,
    licence_number=lines,
    licence_expires_on=days,
    phone=st.sampled_from(["", "13800000000", "0375-0000001"]),
    email=st.sampled_from(["", "a.b@example.com"]),
    grade=st.sampled_from([None, "A", "B", "C", "D"]),
    status=st.sampled_from(["在营", "停业", "注销", "吊销", "撤销", "迁出"]),
)
inspector_rows = st.builds(
    InspectorRow,
    name=names,
    department=st.just("yjglj"),
    certificate=st.integers(0, 10**14).map("豫{}".format),
    certificate_expires_on=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    qualifications=st.lists(lines, max_size=3),
    status=st.sampled_from(["在岗", "离岗", "调离", "退休"]),
    recusals=st.lists(codes, max_size=3),
)


def registers(rows: st.SearchStrategy[Row]) -> st.SearchStrategy[list[Row]]:
    return st.lists(rows, min_size=1, max_size=4, unique_by=lambda row: row.key)


def as_csv(headings: Headings, rows: list[Row], encoding: str) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow([names[0] for names in headings.values()])
    for row in rows:
        values = [getattr(row, field) for field in headings]
        writer.writerow(["、".join(v) if isinstance(v, tuple) else v for v in values])
    return buffer.getvalue().encode(encoding)


def refusal(path: Path) -> str:
    with pytest.raises(RegisterError) as caught:
        read_rows(path)
    assert str(caught.value).isprintable()
    return str(caught.value)


# ---- round trips -------------------------------------------------------------------------------


@quick
@given(registers(subject_rows))
def test_subjects_written_as_xlsx_read_back_the_same(tmp_path: Path, rows: list[Row]) -> None:
    path = tmp_path / "名录.xlsx"
    write_subjects(path, rows)
    assert parse_subjects(path.name, read_rows(path)) == rows


@quick
@given(registers(inspector_rows))
def test_inspectors_written_as_xlsx_read_back_the_same(tmp_path: Path, rows: list[Row]) -> None:
    path = tmp_path / "人员.xlsx"
    write_inspectors(path, rows)
    assert parse_inspectors(path.name, read_rows(path), {"yjglj": "yjglj"}) == rows


@quick
@given(subjects=registers(subject_rows), inspectors=registers(inspector_rows))
def test_csv_in_every_encoding_reads_back_the_same(
    tmp_path: Path, subjects: list[Row], inspectors: list[Row]
) -> None:
    path = tmp_path / "名录.csv"
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        path.write_bytes(as_csv(SUBJECT_HEADINGS, subjects, encoding))
        assert parse_subjects(path.name, read_rows(path)) == subjects
        path.write_bytes(as_csv(INSPECTOR_HEADINGS, inspectors, encoding))
        assert parse_inspectors(path.name, read_rows(path), {"yjglj": "yjglj"}) == inspectors


def test_the_fictional_registers_go_through_a_file_unchanged(tmp_path: Path) -> None:
    subjects = fiction.subjects(1)
    inspectors = fiction.inspectors(1, ["yjglj", "scjgj"], subjects=subjects)
    write_subjects(tmp_path / "s.xlsx", subjects)
    write_inspectors(tmp_path / "i.XLSX", inspectors)
    departments = {"yjglj": "yjglj", "scjgj": "scjgj"}
    assert parse_subjects("s", read_rows(tmp_path / "s.xlsx")) == subjects
    assert parse_inspectors("i", read_rows(tmp_path / "i.XLSX"), departments) == inspectors


# ---- written -----------------------------------------------------------------------------------


def test_a_template_has_headings_choices_and_a_frozen_first_row(tmp_path: Path) -> None:
    path = tmp_path / "模板.xlsx"
    write_subjects(path)
    assert read_rows(path) == [[names[0] for names in SUBJECT_HEADINGS.values()]]
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert '"A,B,C,D"' in sheet
    assert "在营,停业,注销,吊销,撤销,迁出" in sheet
    assert '<pane ySplit="1"' in sheet
    assert sheet.count("<dataValidation ") == 2


def test_the_same_register_gives_the_same_bytes(tmp_path: Path) -> None:
    row = SubjectRow(name="甲", code=CODE)
    write_subjects(tmp_path / "a.xlsx", [row])
    write_subjects(tmp_path / "b.xlsx", [row])
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


@pytest.mark.parametrize("name", ['=HYPERLINK("x")', "_x0041_", "0012", "https://x.example"])
def test_text_that_means_something_to_excel_stays_text(tmp_path: Path, name: str) -> None:
    write_subjects(tmp_path / "a.xlsx", [SubjectRow(name=name, code=CODE)])
    assert read_rows(tmp_path / "a.xlsx")[1][0] == name


def test_a_cell_too_long_for_excel_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "人员.xlsx"
    row = InspectorRow(
        name="甲",
        department="yjglj",
        certificate="1",
        certificate_expires_on=date(2030, 1, 1),
        qualifications=[f"{n:06d}" for n in range(5000)],
    )
    with pytest.raises(RegisterError, match=r"人员\.xlsx 第 2 行：有单元格超出 Excel 的 32767 字"):
        write_inspectors(path, [row])
    assert not path.exists()


# ---- read --------------------------------------------------------------------------------------


def book(path: Path, *sheets: list[list[Cell]], hidden: int = -1) -> Path:
    """An xlsx as people make it: numbers as numbers, days as days."""
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as made:
        for number, rows in enumerate(sheets):
            sheet = made.add_worksheet(f"表{number + 1}")
            if number == hidden:
                sheet.hide()
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, row)
    return path


def test_numbers_and_days_that_excel_made_are_read_as_they_are_meant(tmp_path: Path) -> None:
    header: list[Cell] = ["名称", "统一社会信用代码", "电话", "许可证有效期", "许可证编号"]
    entry: list[Cell] = ["甲", CODE, 13800000000, datetime(2025, 12, 31), 20230001]  # noqa: DTZ001
    path = book(tmp_path / "a.xlsx", [[], header, [], entry])
    rows = read_rows(path)
    assert len(rows) == 4
    [row] = parse_subjects(path.name, rows)
    assert (row.phone, row.licence_number) == ("13800000000", "20230001")
    assert row.licence_expires_on == date(2025, 12, 31)


def test_empty_and_hidden_sheets_do_not_count_but_a_second_full_one_does(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [["名称"], ["甲"]]
    assert read_rows(book(tmp_path / "a.xlsx", [], rows, [[" "]])) == rows
    assert read_rows(book(tmp_path / "b.xlsx", rows, rows, hidden=1)) == rows
    assert read_rows(book(tmp_path / "c.xlsx", [], [])) == []
    path = book(tmp_path / "d.xlsx", rows, [], rows)
    assert refusal(path) == "d.xlsx：有 2 张有内容的工作表，请只留一张：表1、表3"


def test_an_error_value_is_refused_because_it_would_read_as_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as made:
        made.add_worksheet().write_formula("B3", "=NA()", None, "#N/A")
    with python_calamine.load_workbook(path) as opened:
        assert "".join(map(str, opened.get_sheet_by_index(0).to_python()[-1])) == ""
    assert refusal(path) == "a.xlsx：单元格 B3 是公式错误值"


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.txt", b"x", "a.txt：只能导入 xlsx 或 csv 文件"),
        ("a.xls", b"\xd0\xcf\x11\xe0", "a.xls：只能导入 xlsx 或 csv 文件"),
        ("a.csv", b"", "a.csv：是空文件"),
        ("a.csv", b"\r\n \n", "a.csv：是空文件"),
        ("a.xlsx", b"", "a.xlsx：是空文件"),
        (
            "a.xlsx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "a.xlsx：是旧版 xls 或加了密码，请去掉密码、另存为 xlsx",
        ),
        ("a.xlsx", HEADER.encode(), "a.xlsx：内容不是 xlsx，请另存为 xlsx 或 csv"),
        ("a.csv", b"PK\x03\x04", "a.csv：内容不是 csv，请另存为 xlsx 或 csv"),
        (
            "a.csv",
            (HEADER + "甲,1\n").encode() + "乙".encode("gbk"),
            "a.csv 第 3 行：文字编码不是 UTF-8，请另存为 UTF-8 的 csv",
        ),
        (
            "a.csv",
            HEADER.encode("gbk") + b"\xff,1\n",
            "a.csv 第 2 行：文字编码不是 UTF-8 或 GB18030，请另存为 UTF-8 的 csv",
        ),
        (
            "a.csv",
            HEADER.encode("utf-16"),
            "a.csv 第 1 行：文字编码不是 UTF-8 或 GB18030，请另存为 UTF-8 的 csv",
        ),
        ("a.csv", (HEADER + '"甲"乙,1\n').encode(), "a.csv 第 2 行：不是完好的 csv（引号不成对）"),
        ("a.csv", (HEADER + '"甲,1\n').encode(), "a.csv 第 2 行：不是完好的 csv（引号不成对）"),
        ("a\n.txt", b"x", "a\\n.txt：只能导入 xlsx 或 csv 文件"),
    ],
)
def test_an_unfit_file_is_refused_with_one_line(
    tmp_path: Path, name: str, content: bytes, line: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert refusal(path) == line


@pytest.mark.parametrize("length", [4, 100, 2000, -30])
def test_a_truncated_xlsx_is_refused(tmp_path: Path, length: int) -> None:
    write_subjects(tmp_path / "whole.xlsx")
    path = tmp_path / "a.xlsx"
    path.write_bytes((tmp_path / "whole.xlsx").read_bytes()[:length])
    assert refusal(path) == "a.xlsx：不是完好的 xlsx 文件"


def test_a_file_that_is_not_there_or_not_a_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "没有.xlsx") == "没有.xlsx：没有这个文件"
    (tmp_path / "目录.csv").mkdir()
    assert refusal(tmp_path / "目录.csv") == "目录.csv：无法读取，不是文件或没有权限"


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", "y")
    assert refusal(path) == "a.xlsx：不是完好的 xlsx 文件"
