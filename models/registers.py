"""The registers (名录库) of subjects and inspectors: rows, read from a file's cells, compared.

Pure: files are read and written by tasks.sheet, the tables stand elsewhere. A row says only what
its file says: a column that is absent, or an empty 状态, leaves what is already known.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, ClassVar, Generic, Literal, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, ValidationInfo

from models import cells
from models.cells import Cell
from models.credit_code import credit_code
from models.plan import GRADE_NAMES, GRADES, Grade

SubjectStatus = Literal["在营", "停业", "注销", "吊销", "撤销", "迁出"]
InspectorStatus = Literal["在岗", "离岗", "调离", "退休"]
CLOSED: frozenset[SubjectStatus] = frozenset({"注销", "吊销", "撤销", "迁出"})


class Problem(NamedTuple):
    """What is wrong, and where; `row` counts from 1 as a spreadsheet does, 0 for the whole file."""

    file: str
    row: int
    field: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file} 第 {self.row} 行" if self.row else self.file
        line = (
            f"{place}“{self.field}”：{self.message}" if self.field else f"{place}：{self.message}"
        )
        return cells.visible(line)


class RegisterError(ValueError):
    """A register refused as a whole; its text is one Chinese line, for the first problem."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        more = len(self.problems) - 1
        return f"{self.problems[0]}" + (f"（另有 {more} 处）" if more else "")


def _credit_code(cell: object) -> str:
    return credit_code(cells.code(cell))


def _credit_codes(cell: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(_credit_code, cells.entries(cell))))


def _department(cell: object, info: ValidationInfo) -> str:
    known: Mapping[str, str] | None = info.context
    if known is None:
        return cells.code(cell)
    line = cells.name(cell)
    if line not in known:
        raise ValueError(f"应为{'、'.join(known)}之一：{line}")
    return known[line]


Name = Annotated[str, BeforeValidator(cells.name)]
Text = Annotated[str, BeforeValidator(cells.text)]
Texts = Annotated[tuple[str, ...], BeforeValidator(cells.entries)]
Day = Annotated[date | None, BeforeValidator(cells.day)]
Phone = Annotated[str, BeforeValidator(cells.phone)]
Email = Annotated[str, BeforeValidator(cells.email)]

_grade = cells.choice(
    GRADES,
    {"": None}
    | {
        spelling: grade
        for grade, name in GRADE_NAMES.items()
        for spelling in (name, f"{grade}级", f"{grade}{name}", f"{grade}({name})")
    },
)
_subject_status = cells.choice(
    get_args(SubjectStatus),
    dict.fromkeys(("存续", "开业", "在业", "存续(在营、开业、在册)"), "在营")
    | {"吊销,未注销": "吊销", "已注销": "注销"},
)
_inspector_status = cells.choice(get_args(InspectorStatus), {"在职": "在岗"})


class Row(BaseModel):
    """One entry of a register; `model_fields_set` tells what its file really said."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    key_field: ClassVar[str]

    @property
    def key(self) -> str:
        """What names the entry for good."""
        return str(getattr(self, self.key_field))


class SubjectRow(Row):
    """A subject (检查对象), named by its unified social credit code. Empty text: not known."""

    key_field = "code"

    name: Name
    code: Annotated[str, BeforeValidator(_credit_code)]
    legal_representative: Text = ""
    address: Text = ""
    premises: Text = ""
    contact: Text = ""
    phone: Phone = ""
    email: Email = ""
    licence_name: Text = ""
    licence_number: Text = ""
    licence_expires_on: Day = None
    licence_authority: Text = ""
    grade: Annotated[Grade | None, BeforeValidator(_grade)] = None
    status: Annotated[SubjectStatus, BeforeValidator(_subject_status)] = "在营"
    last_inspected_on: Day = None

    @property
    def is_open(self) -> bool:
        """Open for business as a draw's pool understands it; one that pauses (停业) still is."""
        return self.status not in CLOSED


class InspectorRow(Row):
    """An inspector (执法检查人员), named by the number of the certificate (执法证号)."""

    key_field = "certificate"

    name: Name
    department: Annotated[str, BeforeValidator(_department)]
    certificate: Annotated[str, BeforeValidator(cells.code)]
    certificate_expires_on: Annotated[date, BeforeValidator(cells.needed_day)]
    fields: Texts = ()
    qualifications: Texts = ()
    title: Text = ""
    phone: Phone = ""
    email: Email = ""
    status: Annotated[InspectorStatus, BeforeValidator(_inspector_status)] = "在岗"
    recusals: Annotated[tuple[str, ...], BeforeValidator(_credit_codes)] = ()


# Headings by field: first the one that we write, then others that real registers use.
Headings = Mapping[str, tuple[str, ...]]
SUBJECT_HEADINGS: Headings = {
    "name": ("名称", "企业名称", "单位名称", "主体名称", "市场主体名称", "检查对象名称"),
    "code": ("统一社会信用代码", "信用代码", "社会信用代码"),
    "legal_representative": ("法定代表人", "法人代表", "法定代表人(负责人)", "负责人"),
    "address": ("住所", "注册地址", "住所(经营场所)"),
    "premises": ("经营场所", "经营地址", "生产经营地址"),
    "contact": ("联络人", "联系人", "联络员"),
    "phone": ("联系方式", "联系电话", "电话"),
    "email": ("邮箱", "电子邮箱", "电子邮件"),
    "licence_name": ("许可证名称",),
    "licence_number": ("许可证编号", "许可证号"),
    "licence_expires_on": ("许可证有效期", "许可证有效期至"),
    "licence_authority": ("许可证发证机关", "发证机关"),
    "grade": ("风险等级", "信用等级", "信用风险等级", "等级"),
    "status": ("状态", "经营状态", "登记状态"),
    "last_inspected_on": ("上次抽查日期", "上次检查日期"),
}
INSPECTOR_HEADINGS: Headings = {
    "name": ("姓名",),
    "department": ("部门", "所属部门", "单位", "所在单位"),
    "certificate": ("执法证号", "执法证编号", "执法证件号"),
    "certificate_expires_on": ("执法证有效期", "执法证有效期至"),
    "fields": ("执法领域",),
    "qualifications": ("资质", "专业", "资质/专业"),
    "title": ("职务",),
    "phone": ("电话", "联系电话", "联系方式", "手机"),
    "email": ("邮箱", "电子邮箱", "电子邮件"),
    "status": ("状态", "在岗状态"),
    "recusals": ("回避", "回避对象", "回避单位"),
}
_IGNORED = frozenset({"", "序号"})

R = TypeVar("R", bound=Row)


def _heading(cell: Cell) -> str:
    """A heading without white space and the star that marks a needed column, in half width."""
    return re.sub(r"[\s*]", "", unicodedata.normalize("NFKC", "" if cell is None else str(cell)))


def _layout(kind: type[Row], headings: Headings, header: Sequence[str]) -> dict[int, str]:
    """The field that each column holds, by its place; ValueError where columns do not fit."""
    fields = {heading: field for field, spellings in headings.items() for heading in spellings}
    unknown = [h for h in header if h not in fields and h not in _IGNORED]
    if unknown:
        wanted = "、".join(spellings[0] for spellings in headings.values())
        raise ValueError(f"不认识的列：{'、'.join(unknown)}（应为：{wanted}）")
    layout = {place: fields[h] for place, h in enumerate(header) if h in fields}
    for field, spellings in headings.items():
        columns = [header[place] for place, held in layout.items() if held == field]
        if len(columns) > 1:
            raise ValueError(f"列重复：{'、'.join(columns)}")
        if not columns and kind.model_fields[field].is_required():
            raise ValueError(f"缺少列：{spellings[0]}")
    return layout


def _parse(
    kind: type[R],
    headings: Headings,
    file: str,
    rows: Iterable[Sequence[Cell]],
    context: Mapping[str, str] | None = None,
) -> list[R]:
    filled = ((n, row) for n, row in enumerate(rows, 1) if not all(map(cells.is_blank, row)))
    number, first = next(filled, (0, ()))
    if not first:
        raise RegisterError([Problem(file, 0, "", "没有内容")])
    header = [_heading(cell) for cell in first]
    try:
        layout = _layout(kind, headings, header)
    except ValueError as error:
        raise RegisterError([Problem(file, number, "", str(error))]) from None
    titles = {field: header[place] for place, field in layout.items()}
    # An empty cell does not bring back a default that says something, as 在营 does.
    telling = {
        f for f, info in kind.model_fields.items() if info.default and not info.is_required()
    }
    problems: list[Problem] = []
    found: dict[str, R] = {}
    places: dict[str, int] = {}
    for number, row in filled:
        given = {f: row[place] if place < len(row) else None for place, f in layout.items()}
        for place, cell in enumerate(row):
            if not cells.is_blank(cell) and not any(header[place : place + 1]):
                problems.append(Problem(file, number, "", f"第 {place + 1} 列有内容而无列名"))
        try:
            entry = kind.model_validate(
                {f: c for f, c in given.items() if not (f in telling and cells.is_blank(c))},
                context=context,
            )
        except ValidationError as refused:
            problems += (
                Problem(file, number, titles[str(error["loc"][0])], str(error["ctx"]["error"]))
                for error in refused.errors()
            )
            continue
        if entry.key in found:
            message = f"与第 {places[entry.key]} 行重复：{entry.key}"
            problems.append(Problem(file, number, titles[kind.key_field], message))
        found.setdefault(entry.key, entry)
        places.setdefault(entry.key, number)
    if not found and not problems:
        problems.append(Problem(file, 0, "", "只有表头，没有数据"))
    if problems:
        raise RegisterError(problems)
    return list(found.values())


def parse_subjects(filename: str, rows: Iterable[Sequence[Cell]]) -> list[SubjectRow]:
    """The subjects of a file, in its order; the first row that is not empty holds the headings.

    Raises RegisterError with every problem of the file: nothing of it is to be used then.
    """
    return _parse(SubjectRow, SUBJECT_HEADINGS, filename, rows)


def parse_inspectors(
    filename: str, rows: Iterable[Sequence[Cell]], departments: Mapping[str, str]
) -> list[InspectorRow]:
    """The inspectors of a file; `departments` gives the code for each name or code of a department.

    Raises RegisterError with every problem of the file: nothing of it is to be used then.
    """
    return _parse(InspectorRow, INSPECTOR_HEADINGS, filename, rows, departments)


@dataclass(frozen=True)
class Changes(Generic[R]):
    """What an import does: entries not known before, known ones as they become, those that stay."""

    added: tuple[R, ...]
    changed: tuple[R, ...]
    unchanged: tuple[R, ...]


def compare(old: Mapping[str, R], new: Iterable[R]) -> Changes[R]:
    """What the rows of a file change in the entries known so far, given by key.

    A field that the file does not speak of, and an entry that it does not hold, stay as they are.
    """
    added: list[R] = []
    changed: list[R] = []
    unchanged: list[R] = []
    for entry in new:
        known = old.get(entry.key)
        if known is None:
            added.append(entry)
            continue
        said = {field: getattr(entry, field) for field in entry.model_fields_set}
        becomes = known.model_copy(update=said)
        (unchanged if becomes == known else changed).append(becomes)
    return Changes(tuple(added), tuple(changed), tuple(unchanged))
