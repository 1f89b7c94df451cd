"""Registers: rows read from cells, refused with one line, compared with what is known."""

import pickle
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cells import Cell
from models.registers import (
    INSPECTOR_HEADINGS,
    SUBJECT_HEADINGS,
    InspectorRow,
    RegisterError,
    SubjectRow,
    compare,
    parse_inspectors,
    parse_subjects,
)

CODE, OTHER_CODE = "91110000600037341L", "914403001922038216"
DEPARTMENTS = {"区应急管理局": "yjglj", "yjglj": "yjglj"}
SUBJECT: dict[str, Cell] = {"名称": "甲化工", "统一社会信用代码": CODE}
INSPECTOR: dict[str, Cell] = {
    "姓名": "张三",
    "部门": "区应急管理局",
    "执法证号": "豫D0001",
    "执法证有效期": "2027-01-31",
}


def sheet(*entries: dict[str, Cell]) -> list[list[Cell]]:
    headings = list(entries[0])
    return [list(headings), *([entry[h] for h in headings] for entry in entries)]


def subject(**cells: Cell) -> SubjectRow:
    [row] = parse_subjects("名录.xlsx", sheet(SUBJECT | cells))
    return row


def inspector(**cells: Cell) -> InspectorRow:
    [row] = parse_inspectors("人员.csv", sheet(INSPECTOR | cells), DEPARTMENTS)
    return row


def refusal(rows: list[list[Cell]]) -> str:
    with pytest.raises(RegisterError) as caught:
        parse_subjects("名录.xlsx", rows)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---- layout ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "headings"), [(SubjectRow, SUBJECT_HEADINGS), (InspectorRow, INSPECTOR_HEADINGS)]
)
def test_every_field_has_headings_and_no_heading_names_two(
    kind: type[SubjectRow | InspectorRow], headings: dict[str, tuple[str, ...]]
) -> None:
    assert set(headings) == set(kind.model_fields)
    spellings = [heading for names in headings.values() for heading in names]
    assert len(spellings) == len(set(spellings))


@settings(max_examples=30)
@given(st.permutations(list(SUBJECT_HEADINGS)))
def test_columns_stand_in_any_order(fields: list[str]) -> None:
    full = {"name": "甲化工", "code": CODE, "grade": "B", "contact": "李四", "address": "建设路1号"}
    rows = [[SUBJECT_HEADINGS[field][0] for field in fields], [full.get(f, "") for f in fields]]
    assert parse_subjects("名录.xlsx", rows) == [SubjectRow(**full)]


@pytest.mark.parametrize(
    "heading", ["企业名称", "单位名称", " 名 称 ", "名称*", "名\n称", "＊名称", "法定代表人"]
)
def test_headings_are_known_by_their_usual_spellings(heading: str) -> None:
    rows: list[list[Cell]] = [["序号", heading, "信用代码", None], [1.0, "甲化工", CODE]]
    if heading == "法定代表人":
        assert refusal(rows) == "名录.xlsx 第 1 行：缺少列：名称"
    else:
        assert parse_subjects("名录.xlsx", rows)[0].name == "甲化工"


def test_empty_rows_are_skipped_and_rows_keep_the_numbers_that_people_see() -> None:
    header, good = sheet(SUBJECT)
    rows: list[list[Cell]] = [[None, ""], header, [" ", "　"], good, ["", None], []]
    assert [row.code for row in parse_subjects("名录.xlsx", rows)] == [CODE]
    rows += [["乙", "1"]]
    expected = "名录.xlsx 第 7 行“统一社会信用代码”：应为 18 位，现为 1 位：1"
    assert refusal(rows) == expected


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([], "名录.xlsx：没有内容"),
        ([["", None], []], "名录.xlsx：没有内容"),
        ([["名称", "统一社会信用代码"]], "名录.xlsx：只有表头，没有数据"),
        (
            [["名称", "代 码", "名头", "统一社会信用代码"]],
            "名录.xlsx 第 1 行：不认识的列：代码、名头（应为：名称、统一社会信用代码、法定代表人、"
            "住所、经营场所、联络人、联系方式、邮箱、许可证名称、许可证编号、许可证有效期、许可证发证机关、"
            "风险等级、状态、上次抽查日期）",
        ),
        ([["名称", "统一社会信用代码", "名称"]], "名录.xlsx 第 1 行：列重复：名称、名称"),
        (
            [["电话", "统一社会信用代码", "名称", "联系电话"]],
            "名录.xlsx 第 1 行：列重复：电话、联系电话",
        ),
        ([["", ""], ["名称"]], "名录.xlsx 第 2 行：缺少列：统一社会信用代码"),
        (
            [["名称", "统一社会信用代码"], ["甲", CODE, "", "多"]],
            "名录.xlsx 第 2 行：第 4 列有内容而无列名",
        ),
        (
            [["名称", "", "统一社会信用代码"], ["甲", 0, CODE]],
            "名录.xlsx 第 2 行：第 2 列有内容而无列名",
        ),
        (
            [["单位名称", "统一社会信用代码"], ["", CODE]],
            "名录.xlsx 第 2 行“单位名称”：不能为空",
        ),
        ([["名称", "统一社会信用代码"], ["甲"]], "名录.xlsx 第 2 行“统一社会信用代码”：不能为空"),
        (
            [["名称", "统一社会信用代码"], ["甲", CODE], [], ["乙", CODE.lower()]],
            f"名录.xlsx 第 4 行“统一社会信用代码”：与第 2 行重复：{CODE}",
        ),
    ],
)
def test_a_register_that_does_not_fit_is_refused_with_one_line(
    rows: list[list[Cell]], line: str
) -> None:
    assert refusal(rows) == line


# ---- values ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "cell", "field", "value"),
    [
        ("名称", "  平顶山Ａ化工（演练）　", "name", "平顶山Ａ化工（演练）"),
        ("名称", "e\u0301", "name", "\u00e9"),
        ("名称", "𠮷野化工 \ue000", "name", "𠮷野化工 \ue000"),
        ("统一社会信用代码", " ９１１１００００６０００３７３４１l\n", "code", CODE),
        ("许可证编号", 20230001.0, "licence_number", "20230001"),
        ("联系方式", 13800000000.0, "phone", "13800000000"),
        ("联系方式", "０３７５－１２３４５６７", "phone", "0375-1234567"),
        ("联系方式", "138 0000 0000、(0375)1234567转8；400-123-4567", "phone", None),
        ("联系方式", "+86 13800000000", "phone", "+86 13800000000"),
        ("联系方式", "12345", "phone", "12345"),
        ("邮箱", "a.b+c@mail.example.com ", "email", "a.b+c@mail.example.com"),
        ("邮箱", "甲＠example.com", "email", ValueError),
        ("邮箱", "a＠example.com", "email", "a@example.com"),
        ("风险等级", "", "grade", None),
        ("风险等级", "ｂ", "grade", "B"),
        ("风险等级", "A（低风险）", "grade", "A"),
        ("风险等级", "C(中高风险)", "grade", "C"),
        ("风险等级", "D级", "grade", "D"),
        ("风险等级", "高风险", "grade", "D"),
        ("状态", "", "status", "在营"),
        ("状态", "停业", "status", "停业"),
        ("状态", "存续（在营、开业、在册）", "status", "在营"),
        ("许可证有效期", "2024-02-29", "licence_expires_on", date(2024, 2, 29)),
        ("许可证有效期", "2025/1/2", "licence_expires_on", date(2025, 1, 2)),
        ("许可证有效期", "2025.12.31", "licence_expires_on", date(2025, 12, 31)),
        ("许可证有效期", "2025年12月31日", "licence_expires_on", date(2025, 12, 31)),
        ("许可证有效期", "20251231", "licence_expires_on", date(2025, 12, 31)),
        ("许可证有效期", 20251231.0, "licence_expires_on", date(2025, 12, 31)),
        ("许可证有效期", "２０２５-１２-３１", "licence_expires_on", date(2025, 12, 31)),
        ("许可证有效期", "2025-12-31 00:00:00", "licence_expires_on", date(2025, 12, 31)),
        ("许可证有效期", date(2025, 12, 31), "licence_expires_on", date(2025, 12, 31)),
        ("许可证有效期", datetime(2025, 12, 31), "licence_expires_on", date(2025, 12, 31)),  # noqa: DTZ001
        ("许可证有效期", None, "licence_expires_on", None),
    ],
)
def test_a_cell_is_read_as_people_mean_it(
    heading: str, cell: Cell, field: str, value: object
) -> None:
    if value is ValueError:
        with pytest.raises(RegisterError, match="不是邮箱地址"):
            subject(**{heading: cell})
        return
    read = getattr(subject(**{heading: cell}), field)
    if field == "phone" and value is None:
        value = "138 0000 0000、(0375)1234567转8;400-123-4567"
    assert read == value


BAD_CELLS: list[tuple[str, Any, str]] = [
    ("名称", "甲\n乙", r"含有换行或不可见字符 U+000A：甲\n乙"),
    ("名称", "甲\u2028乙", r"含有换行或不可见字符 U+2028：甲\u2028乙"),
    ("名称", "甲\u200b", r"含有换行或不可见字符 U+200B：甲\u200b"),
    ("名称", "甲\x00", r"含有换行或不可见字符 U+0000：甲\x00"),
    ("名称", "甲\u202e乙", r"含有换行或不可见字符 U+202E：甲\u202e乙"),
    ("名称", "甲\ud800", r"含有换行或不可见字符 U+D800：甲\ud800"),
    ("名称", "甲\uffff", r"含有换行或不可见字符 U+FFFF：甲\uffff"),
    ("名称", "长" * 201, "过长，至多 200 字，现有 201 字"),
    ("名称", True, "单元格是逻辑值，请设为文本后重填：True"),
    ("名称", 3.5, "Excel 把它当作数字，可能已失真，请设为文本后重填：3.5"),
    ("名称", float("nan"), "Excel 把它当作数字，可能已失真，请设为文本后重填：nan"),
    ("统一社会信用代码", "", "不能为空"),
    ("统一社会信用代码", CODE[:17], "应为 18 位，现为 17 位：91110000600037341"),
    ("统一社会信用代码", CODE[:17] + "M", "校验码不符，末位应为 L：91110000600037341M"),
    ("统一社会信用代码", "9111000060 0037341L", "中间不能有空格：9111000060 0037341L"),
    ("统一社会信用代码", "9111000060\u30000037341L", "中间不能有空格：9111000060 0037341L"),
    ("统一社会信用代码", "9111000060-0037341L", "应为 18 位，现为 19 位：9111000060-0037341L"),
    (
        "统一社会信用代码",
        "9111000060003734IL",
        "有不该有的字符（用数字和大写字母，不用 I、O、S、V、Z；第 3 至 8 位为数字）："
        "9111000060003734IL",
    ),
    (
        "统一社会信用代码",
        914403001922038216.0,
        "Excel 把它当作数字，可能已失真，请设为文本后重填：9.144030019220383e+17",
    ),
    ("统一社会信用代码", "9.14403E+17", "Excel 把它变成了科学计数，请设为文本后重填：9.14403E+17"),
    ("许可证编号", date(2024, 12, 1), "单元格是日期或时间，请设为文本后重填：2024-12-01"),
    ("联系方式", "1.38E+10", "Excel 把它变成了科学计数，请设为文本后重填：1.38E+10"),
    (
        "联系方式",
        "13800000000.0",
        "不是电话号码，应如 13812345678 或 0375-1234567：13800000000.0",
    ),
    ("联系方式", 3751234567.0, "不是电话号码，应如 13812345678 或 0375-1234567：3751234567"),
    ("联系方式", "见附件", "不是电话号码，应如 13812345678 或 0375-1234567：见附件"),
    ("联系方式", "13800000000、", "不是电话号码，应如 13812345678 或 0375-1234567：13800000000、"),
    ("邮箱", "a@b@example.com", "不是邮箱地址：a@b@example.com"),
    ("邮箱", "a b@example.com", "不是邮箱地址：a b@example.com"),
    (
        "邮箱",
        "a@example.com\nBcc: x@example.com",
        r"含有换行或不可见字符 U+000A：a@example.com\nBcc: x@example.com",
    ),
    ("邮箱", "甲 <a@example.com>", "不是邮箱地址：甲 <a@example.com>"),
    ("邮箱", "a@localhost", "不是邮箱地址：a@localhost"),
    ("邮箱", "a..b@example.com", "不是邮箱地址：a..b@example.com"),
    ("邮箱", "a@-x.example", "不是邮箱地址：a@-x.example"),
    ("邮箱", "é@example.com", "不是邮箱地址：é@example.com"),
    ("风险等级", "E", "应为A、B、C、D之一：E"),
    ("风险等级", "A（高风险）", "应为A、B、C、D之一：A(高风险)"),
    ("状态", "搬走了", "应为在营、停业、注销、吊销、撤销、迁出之一：搬走了"),
    ("许可证有效期", "2025-02-29", "不是日期，应如 2025-12-31：2025-02-29"),
    ("许可证有效期", "2025-12/31", "不是日期，应如 2025-12-31：2025-12/31"),
    ("许可证有效期", "31/12/2025", "不是日期，应如 2025-12-31：31/12/2025"),
    ("许可证有效期", "长期", "不是日期，应如 2025-12-31：长期"),
    ("许可证有效期", 46022.0, "不是日期，应如 2025-12-31：46022"),
    ("许可证有效期", time(9, 30), "不是日期，应如 2025-12-31：09:30:00"),
    ("许可证有效期", "0025-12-31", "年份不合情理：0025-12-31"),
]


@pytest.mark.parametrize(("heading", "cell", "message"), BAD_CELLS)
def test_a_bad_cell_gets_one_line_that_names_file_row_and_field(
    heading: str, cell: Cell, message: str
) -> None:
    assert refusal(sheet(SUBJECT | {heading: cell})) == f"名录.xlsx 第 2 行“{heading}”：{message}"


@pytest.mark.parametrize(
    ("heading", "cell", "field", "value"),
    [
        ("部门", "区应急管理局", "department", "yjglj"),
        ("部门", " yjglj", "department", "yjglj"),
        ("执法证号", 16040125001.0, "certificate", "16040125001"),
        ("执法证号", " 豫Ｄ０００１ ", "certificate", "豫D0001"),
        ("资质", "甲、乙；丙，丁,戊;乙\n 己 、", "qualifications", tuple("甲乙丙丁戊己")),
        ("执法领域", "", "fields", ()),
        ("状态", "", "status", "在岗"),
        ("状态", "在职", "status", "在岗"),
        ("状态", "离岗", "status", "离岗"),
        ("回避", f"{CODE.lower()}、{OTHER_CODE}", "recusals", (CODE, OTHER_CODE)),
    ],
)
def test_an_inspectors_cell_is_read_as_people_mean_it(
    heading: str, cell: Cell, field: str, value: object
) -> None:
    assert getattr(inspector(**{heading: cell}), field) == value


@pytest.mark.parametrize(
    ("heading", "cell", "message"),
    [
        ("姓名", None, "不能为空"),
        ("部门", "", "不能为空"),
        ("部门", "区公安局", "应为区应急管理局、yjglj之一：区公安局"),
        ("执法证号", "", "不能为空"),
        ("执法证号", "豫D 0001", "中间不能有空格：豫D 0001"),
        ("执法证号", "长" * 65, "过长，至多 64 字，现有 65 字"),
        ("执法证号", "1.6E+10", "Excel 把它变成了科学计数，请设为文本后重填：1.6E+10"),
        ("执法证有效期", "", "不能为空"),
        ("状态", "在营", "应为在岗、离岗、调离、退休之一：在营"),
        ("回避", f"{OTHER_CODE}、91", "应为 18 位，现为 2 位：91"),
    ],
)
def test_an_inspectors_bad_cell_gets_one_line(heading: str, cell: Cell, message: str) -> None:
    with pytest.raises(RegisterError) as caught:
        inspector(**{heading: cell})
    assert str(caught.value) == f"人员.csv 第 2 行“{heading}”：{message}"


def test_a_repeated_certificate_names_both_rows() -> None:
    rows = sheet(INSPECTOR, INSPECTOR | {"姓名": "李四", "执法证号": "豫Ｄ0001"})
    with pytest.raises(RegisterError) as caught:
        parse_inspectors("人员.csv", rows, DEPARTMENTS)
    assert str(caught.value) == "人员.csv 第 3 行“执法证号”：与第 2 行重复：豫D0001"


def test_all_problems_are_kept_and_the_line_counts_those_that_it_leaves_out() -> None:
    rows = sheet(
        SUBJECT | {"风险等级": "E"},
        SUBJECT | {"风险等级": "A", "名称": ""},
        SUBJECT | {"风险等级": ""},
    )
    rows[3][1] = "1"
    with pytest.raises(RegisterError) as caught:
        parse_subjects("名录.xlsx", rows)
    assert str(caught.value) == "名录.xlsx 第 2 行“风险等级”：应为A、B、C、D之一：E（另有 2 处）"
    assert [(p.row, p.field) for p in caught.value.problems] == [
        (2, "风险等级"),
        (3, "名称"),
        (4, "统一社会信用代码"),
    ]
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@settings(max_examples=60)
@given(st.lists(st.text() | st.floats() | st.none(), min_size=4, max_size=4))
def test_whatever_a_file_holds_is_refused_with_one_line(cells: list[Cell]) -> None:
    header: list[Cell] = ["名称", "统一社会信用代码", "联系方式", "许可证有效期"]
    line = refusal([header, cells, ["", "?"]])
    assert line.startswith("名录.xlsx 第 ")
    assert line.isprintable()


@settings(max_examples=60)
@given(st.text(max_size=30))
def test_reading_a_read_row_again_changes_nothing(text: str) -> None:
    try:
        row = subject(名称=text, 住所=text, 许可证编号=text)
    except RegisterError:
        return
    assert SubjectRow.model_validate(row.model_dump()) == row


# ---- comparing ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "is_open"),
    [
        ("在营", True),
        ("停业", True),
        ("注销", False),
        ("吊销", False),
        ("撤销", False),
        ("迁出", False),
    ],
)
def test_a_subject_is_open_unless_it_has_left_the_register(status: str, is_open: bool) -> None:
    assert subject(状态=status).is_open is is_open


def test_entries_are_added_changed_or_unchanged_and_absent_ones_stay() -> None:
    known = subject(风险等级="A")
    gone = SubjectRow(name="丙", code="91330100716105852F")
    added = SubjectRow(name="乙", code=OTHER_CODE)
    changes = compare({known.key: known, gone.key: gone}, [added, subject(风险等级="B")])
    assert changes.added == (added,)
    assert changes.changed == (subject(风险等级="B"),)
    assert changes.unchanged == ()
    assert compare({known.key: known}, [known]).unchanged == (known,)


def test_a_column_that_the_file_lacks_and_an_empty_status_leave_what_is_known() -> None:
    known = subject(邮箱="a@example.com", 状态="注销")
    assert compare({CODE: known}, [subject(状态="")]).unchanged == (known,)
    [changed] = compare({CODE: known}, [subject(邮箱="", 状态="停业")]).changed
    assert (changed.email, changed.status) == ("", "停业")
