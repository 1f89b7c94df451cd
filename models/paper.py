"""What goes onto each paper: plain words, dates and lists, and nothing of the database.

The fields are those that real forms carry and that 平卫双随机办〔2024〕55号 §六 to §八 ask for.
A paper says what it is told; whether that is lawful is decided elsewhere, before it is printed.
"""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal, Self
from unicodedata import category
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    model_validator,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
LISTED_ON_CERTIFICATE = 30
"""So many of the drawn fit on the one page of a draw certificate."""

UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode categories that XML refuses or that would break a line: controls, surrogates, breaks."""
NONCHARACTERS = {"\ufffe", "\uffff"}


def chinese_day(day: date | None) -> str:
    """2024年6月25日; for None the blank that a person fills in by hand."""
    return f"{day.year}年{day.month}月{day.day}日" if day else "　　　　年　　月　　日"


def chinese_moment(moment: datetime | None) -> str:
    """2024年6月25日9时05分, in Asia/Shanghai whatever the zone of the argument; None as a blank."""
    if moment is None:
        return chinese_day(None) + "　　时　　分"
    local = moment.astimezone(SHANGHAI)
    return f"{chinese_day(local.date())}{local.hour}时{local.minute:02}分"


def _printable(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")  # as cells hold them
    for character in text:
        if character == "\n":
            continue
        if character in NONCHARACTERS or category(character) in UNPRINTABLE:
            raise ValueError(f"含有不能印到文书上的字符 U+{ord(character):04X}")
    return text


def _one_line(text: str) -> str:
    if not text.strip() or "\n" in text:
        raise ValueError("应为不空的一行文字")
    return text


Text = Annotated[str, AfterValidator(_printable)]
"""Any printable text, several lines or none at all (a blank to be filled in by hand)."""
Line = Annotated[Text, AfterValidator(_one_line)]
"""One printable line that is not empty."""
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Ratio = Annotated[str, Field(pattern=r"^(0|[1-9]\d*)(\.\d*[1-9])?$")]

ServiceManner = Literal["书面", "电话", "传真", "电子"]
CheckMethod = Literal["实地检查", "书面检查", "网络监测", "检验检测", "委托专业机构"]
MeasureName = Literal["现场笔录", "提取证据", "责令停止", "督促整改"]
MeasureManner = Literal["书面", "口头", "移动执法设备打印"]
Signature = Literal["签字", "盖章", "拒签", "无人可签"]


class Printed(BaseModel):
    """Frozen words on paper; an unknown field is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Paper(Printed):
    """A paper (文书). `kind` names it and its template; `drill` prints the mark 演练."""

    kind: ClassVar[str]
    drill: bool = False


class TeamMember(Printed):
    """An inspector (执法检查人员) with the certificate by which a reader can check on them."""

    name: Line
    department: Line
    certificate: Line
    leader: bool = False


class DepartmentItems(Printed):
    """The inspection items (抽查事项) of one department, in the plan's order."""

    department: Line
    items: tuple[Line, ...] = Field(min_length=1)


class InspectionNotice(Paper):
    """Notice of a joint inspection (部门联合检查告知书), §六.2, with a blank receipt to tear off.

    `consequences` are full sentences that cite their statute: what refusing the inspection leads to
    in the plan's trade. The duties under any inspection (行政处罚法 43, 55) are in the template.
    `replaces`: the day of the first one, where inspectors have changed since.
    """

    kind: ClassVar[str] = "告知书"

    number: Line
    subject_name: Line
    subject_code: Line
    plan_number: Line
    plan_title: Line
    statutes: tuple[Line, ...] = Field(min_length=1)
    task_number: Line
    departments: tuple[DepartmentItems, ...] = Field(min_length=1)
    start_on: date
    end_on: date
    method: Line
    materials: tuple[Line, ...] = ()
    consequences: tuple[Line, ...] = Field(min_length=1)
    inspectors: tuple[TeamMember, ...] = Field(min_length=1)
    contact: Line
    phone: Line
    department: Line
    issued_on: date
    replaces: date | None = None

    @model_validator(mode="after")
    def _starts_before_it_ends(self) -> Self:
        if self.end_on < self.start_on:
            raise ValueError("检查结束日期早于开始日期")
        return self


class ServiceReceipt(Paper):
    """Record that a paper was served (送达回执); blank fields are filled in by hand.

    `call` says, for service by phone, who spoke to whom and what was said.
    """

    kind: ClassVar[str] = "送达回执"

    document: Line
    number: Line
    recipient: Line
    manner: ServiceManner | None = None
    place: Text = ""
    served_at: AwareDatetime | None = None
    server: Text = ""
    receiver: Text = ""
    call: Text = ""


class ItemRecord(Printed):
    """One item's row: what was found, one of the ten results as text, what was done about it."""

    item: Line
    finding: Text = ""
    result: Text = ""
    disposal: Text = ""


class DepartmentRecord(Printed):
    """One department's rows; each department answers for its own (谁检查、谁录入)."""

    department: Line
    rows: tuple[ItemRecord, ...] = Field(min_length=1)


class Measure(Printed):
    """A measure (监管措施), §六.3, and how it was given, §六.4 (None where only taken)."""

    name: MeasureName
    manner: MeasureManner | None = None


class RecordSheet(Paper):
    """Record sheet of a joint inspection (部门联合监督检查情况记录表), §六.4 to §七.

    Complete for the file, or blank for the visit: every field that the visit fills has a default.
    `results` are the ten results in order, printed as the legend. `explanation` is the inspectors'
    for 拒签 or 无人可签, the latter with its witness.
    """

    kind: ClassVar[str] = "检查情况记录表"

    task_name: Line
    task_number: Line
    subject_name: Line
    subject_code: Line
    address: Text
    legal_representative: Text
    legal_representative_phone: Text
    liaison: Text
    liaison_phone: Text
    departments: tuple[DepartmentRecord, ...] = Field(min_length=1)
    inspectors: tuple[TeamMember, ...] = Field(min_length=1)
    results: tuple[Line, ...] = Field(min_length=1)
    methods: frozenset[CheckMethod] = frozenset()
    measures: tuple[Measure, ...] = ()
    opinion: Text = ""
    signature: Signature | None = None
    signed_on: date | None = None
    explanation: Text = ""
    witness: Text = ""
    leader_opinion: Text = ""
    leader: Text = ""
    reviewed_on: date | None = None
    publication_opinion: Text = ""
    approver: Text = ""
    approved_on: date | None = None
    recorded_on: date | None = None


class Attachment(Printed):
    """One enclosure (附件) of a referral letter."""

    title: Line
    copies: PositiveInt
    pages: PositiveInt


class ReferralLetter(Paper):
    """Referral (移送（转办）函) to the department with jurisdiction, §七.2, with its receipt."""

    kind: ClassVar[str] = "移送函"

    number: Line
    department: Line
    receiving: Line
    case_name: Line
    subject_name: Line
    subject_code: Line
    task_number: Line
    formed_on: date
    findings: Text = Field(min_length=1)
    basis: tuple[Line, ...] = Field(min_length=1)
    attachments: tuple[Attachment, ...] = ()
    contact: Line
    phone: Line
    issued_on: date
    received_by: Text = ""
    received_on: date | None = None
    handling: Text = ""


class DrawnSubject(Printed):
    """One drawn subject; its place in the list is its place in the draw."""

    code: Line
    name: Line


class DrawCertificate(Paper):
    """Draw certificate (抽取结果确认单): one page for the file of one draw (one round and grade).

    It names the drawn, so it stays inside the office until the reveal (draw-1, step 9). `pool` is N
    without the `excluded`; `ratio` an exact decimal percentage. `drawn`, in draw order, holds all
    `count` subjects or at least the first LISTED_ON_CERTIFICATE; the bundle holds the rest.
    """

    kind: ClassVar[str] = "抽取结果确认单"

    round_code: Line
    round_name: Line
    grade: Line
    pool: NonNegativeInt
    excluded: NonNegativeInt = 0
    ratio: Ratio
    ratio_reason: Text = ""
    count: NonNegativeInt
    drawn: tuple[DrawnSubject, ...]
    commitment: Digest
    committed_at: AwareDatetime
    freeze_digest: Digest
    frozen_at: AwareDatetime
    public_value: Text = ""
    drawn_at: AwareDatetime
    witnesses: tuple[Line, ...] = ()
    department: Line

    @model_validator(mode="after")
    def _list_matches_count(self) -> Self:
        if self.count > self.pool:
            raise ValueError(f"抽取 {self.count} 户，多于名录库 {self.pool} 户")
        if not min(self.count, LISTED_ON_CERTIFICATE) <= len(self.drawn) <= self.count:
            raise ValueError(f"抽取 {self.count} 户，名单却有 {len(self.drawn)} 户")
        return self
