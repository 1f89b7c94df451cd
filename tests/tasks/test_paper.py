import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from models.paper import (
    LISTED_ON_CERTIFICATE,
    NONCHARACTERS,
    Attachment,
    DepartmentItems,
    DepartmentRecord,
    DrawCertificate,
    DrawnSubject,
    InspectionNotice,
    ItemRecord,
    Measure,
    Paper,
    RecordSheet,
    ReferralLetter,
    ServiceReceipt,
    TeamMember,
    chinese_day,
    chinese_moment,
)
from tasks import paper as adapter
from tasks.paper import TemplateBroken, render, write

SUBJECT = "平顶山市卫东区东风化工经营有限公司"
CODE = "91410403MA00000000"
HEAD = "平顶山市卫东区应急管理局"
MARKET = "平顶山市卫东区市场监督管理局"
TEAM = (
    TeamMember(name="张安", department=HEAD, certificate="豫D-YJ-0001", leader=True),
    TeamMember(name="李全", department=HEAD, certificate="豫D-YJ-0002"),
    TeamMember(name="王实", department=MARKET, certificate="豫D-SC-0011"),
    TeamMember(name="赵真", department=MARKET, certificate="豫D-SC-0012"),
)
RESULTS = (
    "未发现问题",
    "未按规定公示应当公示的信息",
    "公示信息隐瞒真实情况弄虚作假",
    "通过登记的住所（经营场所）无法联系",
    "发现问题已责令改正",
    "不配合检查情节严重",
    "未发现本次抽查涉及的经营活动",
    "发现问题待后续处理",
    "合格",
    "不合格",
)
NOTICE = InspectionNotice(
    number="平卫应急检告〔2024〕3号",
    subject_name=SUBJECT,
    subject_code=CODE,
    plan_number="平卫双随机办〔2024〕55号",
    plan_title="平顶山市卫东区危险化学品经营单位“双随机、一公开”部门联合监督检查实施方案",
    statutes=("《中华人民共和国安全生产法》第六十五条", "《危险化学品安全管理条例》第七条"),
    task_number="WD-2024-HC-1-B",
    departments=(
        DepartmentItems(department=HEAD, items=("对危险化学品经营单位安全生产的监督抽查",)),
        DepartmentItems(
            department=MARKET,
            items=(
                "营业执照（登记证）规范使用情况的检查",
                "住所（经营场所）或驻在场所的检查",
            ),
        ),
    ),
    start_on=date(2024, 7, 8),
    end_on=date(2024, 7, 12),
    method="实地检查",
    materials=(
        "营业执照正、副本",
        "危险化学品经营许可证",
        "安全管理制度和岗位安全操作规程",
        "主要负责人、安全生产管理人员安全培训合格证明",
    ),
    consequences=(
        "生产经营单位拒绝、阻碍依法实施的安全生产监督检查的，责令改正；拒不改正的，处二万元以上"
        "二十万元以下的罚款；对其直接负责的主管人员和其他直接责任人员处一万元以上二万元以下的罚款；"
        "构成犯罪的，依照刑法有关规定追究刑事责任（《中华人民共和国安全生产法》第一百零八条）。",
    ),
    inspectors=TEAM,
    contact="孙联",
    phone="0375-0000000",
    department=HEAD,
    issued_on=date(2024, 7, 1),
    drill=True,
)
RECEIPT = ServiceReceipt(
    document="部门联合检查告知书",
    number=NOTICE.number,
    recipient=SUBJECT,
    manner="电话",
    place="平顶山市卫东区建设路1号",
    served_at=datetime(2024, 7, 2, 1, 5, tzinfo=UTC),
    server="张安",
    receiver="周经理",
    call="张安致电周经理（0375-0000001），告知检查时间和要求，对方表示知悉。",
)
BLANK_SHEET = RecordSheet(
    task_name="2024年第一轮危险化学品经营单位部门联合抽查",
    task_number="WD-2024-HC-1-B",
    subject_name=SUBJECT,
    subject_code=CODE,
    address="平顶山市卫东区建设路1号",
    legal_representative="周全",
    legal_representative_phone="0375-0000002",
    liaison="吴用",
    liaison_phone="0375-0000003",
    departments=tuple(
        DepartmentRecord(department=d.department, rows=tuple(ItemRecord(item=i) for i in d.items))
        for d in NOTICE.departments
    ),
    inspectors=TEAM,
    results=RESULTS,
)
SHEET = BLANK_SHEET.model_copy(
    update={
        "departments": (
            DepartmentRecord(
                department=HEAD,
                rows=(
                    ItemRecord(
                        item="对危险化学品经营单位安全生产的监督抽查",
                        finding="仓库未设置安全警示标志；\n一名仓库保管员未经安全培训上岗。",
                        result="（5）发现问题已责令改正",
                        disposal="责令七日内改正",
                    ),
                ),
            ),
            DepartmentRecord(
                department=MARKET,
                rows=(
                    ItemRecord(item="营业执照（登记证）规范使用情况的检查", result="（9）合格"),
                    ItemRecord(item="住所（经营场所）或驻在场所的检查", result="（1）未发现问题"),
                ),
            ),
        ),
        "methods": frozenset({"实地检查", "书面检查"}),
        "measures": (Measure(name="现场笔录"), Measure(name="督促整改", manner="口头")),
        "opinion": "情况属实。",
        "signature": "拒签",
        "signed_on": date(2024, 7, 9),
        "explanation": "负责人称须请示总部，拒绝签字。",
        "witness": "钱见",
        "leader_opinion": "同意检查小组意见。",
        "leader": "张安",
        "reviewed_on": date(2024, 7, 10),
        "publication_opinion": "同意公示。",
        "approver": "冯局",
        "approved_on": date(2024, 7, 11),
        "recorded_on": date(2024, 7, 9),
    }
)
LETTER = ReferralLetter(
    number="平卫应急移〔2024〕1号",
    department=HEAD,
    receiving=MARKET,
    case_name="涉嫌超出登记经营范围从事经营活动",
    subject_name=SUBJECT,
    subject_code=CODE,
    task_number="WD-2024-HC-1-B",
    formed_on=date(2024, 7, 9),
    findings="一、现场存放的产品不在登记的经营范围内。\n二、当事人不能提供进货凭证。",
    basis=(
        "《平顶山市卫东区危险化学品经营单位“双随机、一公开”部门联合监督检查实施方案》"
        "（平卫双随机办〔2024〕55号）第七条第二项",
    ),
    attachments=(
        Attachment(title="部门联合监督检查情况记录表", copies=1, pages=2),
        Attachment(title="现场照片", copies=1, pages=4),
    ),
    contact="孙联",
    phone="0375-0000000",
    issued_on=date(2024, 7, 15),
    received_by="郑收",
    received_on=date(2024, 7, 16),
    handling="予以受理。",
)


def certificate(count: int, name: str = SUBJECT) -> DrawCertificate:
    return DrawCertificate(
        round_code="WD-2024-HC-1",
        round_name="2024年第一轮",
        grade="B（中风险）",
        pool=max(count, 58),
        excluded=2,
        ratio="3",
        ratio_reason="重点行业",
        count=count,
        drawn=tuple(
            DrawnSubject(code=f"91410403MA{number:08}", name=f"{number}{name}")
            for number in range(1, count + 1)
        ),
        commitment=hashlib.sha256(b"secret").hexdigest(),
        committed_at=datetime(2024, 6, 20, 1, 0, tzinfo=UTC),
        freeze_digest=hashlib.sha256(b"freeze").hexdigest(),
        frozen_at=datetime(2024, 6, 25, 0, 30, tzinfo=UTC),
        public_value="0407121823",
        drawn_at=datetime(2024, 6, 25, 1, 5, tzinfo=UTC),
        witnesses=("郑观（区司法局）", "何察（区市场监督管理局）"),
        department="平顶山市卫东区部门联合“双随机、一公开”监管工作联席会议办公室",
    )


PAPERS: tuple[Paper, ...] = (NOTICE, RECEIPT, SHEET, LETTER, certificate(5))
rendered = lru_cache(render)
each_paper = pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.kind)


def text_of(content: bytes) -> str:
    """All that a reader sees: body, tables and headers, a line break as such."""
    document = Document(BytesIO(content))
    roots = [document.element.body, *(s.header._element for s in document.sections)]
    return "\n".join(
        "".join("\n" if run.tag.endswith("}br") else run.text or "" for run in line)
        for root in roots
        for paragraph in root.iter("{*}p")
        if (line := list(paragraph.iter("{*}t", "{*}br")))
    )


def words(value: object) -> Iterator[str]:
    """Every text and date that a paper holds, as it should be read."""
    match value:
        case BaseModel():
            for _, field in value:
                yield from words(field)
        case str():
            yield from value.splitlines()
        case tuple() | frozenset():
            for part in value:
                yield from words(part)
        case datetime():
            yield chinese_moment(value)
        case date():
            yield chinese_day(value)
        case int() if not isinstance(value, bool):
            yield str(value)


@each_paper
def test_every_field_is_on_the_paper(paper: Paper) -> None:
    text = text_of(rendered(paper))
    assert [word for word in words(paper) if word not in text] == []
    assert not re.search(r"\{\{|\}\}|\{%|%\}", text)


@each_paper
def test_only_a_drill_carries_the_mark(paper: Paper) -> None:
    other = paper.model_copy(update={"drill": not paper.drill})
    assert [("演练" in text_of(rendered(p))) for p in (paper, other)] == [paper.drill, other.drill]


@each_paper
def test_a_name_is_printed_verbatim_and_never_run(paper: Paper) -> None:
    name = (
        "甲<w:br/>&amp;乙</w:t>{{ 7 * 7 }}{% for x in y %}{# 丙 #}"
        + "{_{ drill }_}{_% raw %_}“𠮷”'\""
    )
    field = next(f for f in ("subject_name", "recipient", "round_name") if f in dict(paper))
    assert name in text_of(render(paper.model_copy(update={field: name})))


@given(
    name=st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1
    )
)
@settings(max_examples=10, deadline=None)
def test_whatever_the_model_admits_is_printed_verbatim(name: str) -> None:
    assume(name.strip() and not NONCHARACTERS & set(name))
    receipt = ServiceReceipt(document="告知书", number="1", recipient=name)
    assert name in text_of(render(receipt)).splitlines()


@each_paper
def test_equal_papers_give_equal_bytes(paper: Paper) -> None:
    content = rendered(paper)
    assert render(paper.model_copy(deep=True)) == content
    with zipfile.ZipFile(BytesIO(content)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_another_process_with_another_hash_seed_gives_the_same_bytes() -> None:
    program = (
        "import sys, hashlib;"
        "from models.paper import RecordSheet; from tasks.paper import render;"
        "sheet = RecordSheet.model_validate_json(sys.stdin.read());"
        "print(hashlib.sha256(render(sheet)).hexdigest())"
    )
    environment = os.environ | {"PYTHONHASHSEED": "7", "TZ": "America/New_York", "LC_ALL": "C"}
    result = subprocess.run(
        [sys.executable, "-c", program],
        input=SHEET.model_dump_json().encode(),
        env=environment,
        cwd=Path(adapter.__file__).parents[1],
        capture_output=True,
        check=True,
    )
    assert result.stdout.decode().strip() == hashlib.sha256(rendered(SHEET)).hexdigest()


def test_a_paper_names_nobody_as_its_author(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = Document(str(adapter.TEMPLATES / "送达回执.docx"))
    edited.core_properties.author = edited.core_properties.last_modified_by = "某科员"
    edited.save(str(tmp_path / "送达回执.docx"))
    monkeypatch.setattr(adapter, "TEMPLATES", tmp_path)
    properties = Document(BytesIO(render(RECEIPT))).core_properties
    assert (properties.title, properties.author) == ("送达回执", "")
    assert properties.last_modified_by == ""


def test_a_blank_sheet_leaves_every_box_unticked() -> None:
    text = text_of(render(BLANK_SHEET))
    assert "☑" not in text
    assert "□拒签" in text


def test_a_filled_sheet_ticks_what_was_done_and_nothing_else() -> None:
    text = text_of(rendered(SHEET))
    ticked = re.findall(r"☑(\w+)", text)
    assert ticked == ["实地检查", "书面检查", "现场笔录", "督促整改", "口头", "拒签"]


def test_a_service_record_ticks_its_manner() -> None:
    assert re.findall(r"☑(\w+)", text_of(rendered(RECEIPT))) == ["电话"]


@pytest.mark.parametrize("count", [0, 1, 30, 31, 400])
def test_a_certificate_lists_thirty_and_refers_to_the_bundle_for_the_rest(count: int) -> None:
    text = text_of(render(certificate(count)))
    listed = re.findall(r"^91410403MA(\d{8})$", text, flags=re.MULTILINE)
    assert [int(number) for number in listed] == list(
        range(1, min(count, LISTED_ON_CERTIFICATE) + 1)
    )
    assert ("详见证据包" in text) == (count > LISTED_ON_CERTIFICATE)
    assert ("封存空结果" in text) == (count == 0)


def test_a_certificate_shows_a_qr_code_of_the_digest() -> None:
    def image(paper: DrawCertificate) -> bytes:
        with zipfile.ZipFile(BytesIO(render(paper))) as archive:
            return archive.read("word/media/image1.png")

    paper = certificate(3)
    other = paper.model_copy(update={"freeze_digest": "0" * 64})
    assert image(paper).startswith(b"\x89PNG")
    assert image(paper) != image(other)


@pytest.mark.parametrize("template", [None, "{{ no_such_field }}", "{% if %}", "{{ number|day }}"])
def test_a_broken_template_is_named_in_one_line(
    template: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "TEMPLATES", tmp_path)
    if template is not None:
        document = Document()
        document.add_paragraph(template)
        document.save(str(tmp_path / "告知书.docx"))
    with pytest.raises(TemplateBroken, match=r"\A文书模板 告知书\.docx 无法填写：.+\Z"):
        render(NOTICE)


def test_writing_makes_the_folders_and_replaces_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "第一轮" / "告知书.docx"
    write(path, b"old")
    write(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_whoever_is_reading_the_older_file_keeps_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "告知书.docx"
    write(path, b"old")
    with path.open("rb") as reader:
        write(path, b"new")
        assert reader.read() == b"old"


def test_a_failed_write_leaves_the_older_file_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError("No space left on device")

    path = tmp_path / "告知书.docx"
    write(path, b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.server
def test_the_certificate_is_exactly_one_page(tmp_path: Path) -> None:
    soffice = shutil.which("soffice")
    if soffice is None:
        if os.environ.get("CI"):
            pytest.fail("soffice is not installed")
        pytest.skip("soffice is not installed")
    long_name = "河南省平顶山市卫东区" + "危险化学品" * 8 + "经营有限责任公司"
    for count in (0, 30, 31):
        write(tmp_path / f"{count}.docx", render(certificate(count, long_name)))
    subprocess.run(
        [soffice, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless"]
        + ["--convert-to", "pdf", "--outdir", str(tmp_path)]
        + [str(tmp_path / f"{count}.docx") for count in (0, 30, 31)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    pages = {
        count: len(re.findall(rb"/Type\s*/Page\b", (tmp_path / f"{count}.pdf").read_bytes()))
        for count in (0, 30, 31)
    }
    assert pages == {0: 1, 30: 1, 31: 1}
