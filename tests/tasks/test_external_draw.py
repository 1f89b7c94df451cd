"""Draws made elsewhere: imported by the platform's list, without proof, then like any other."""

import csv
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from models.base import SHANGHAI
from models.database import reading, writing
from models.draw import Draw, DrawnSubject
from models.freeze import DrawRefused
from models.inspection import Inspection
from models.ledger import LedgerEntry
from models.mail import Mail
from models.paper_file import PaperFile
from models.plan import Plan
from models.registers import RegisterError
from models.subject import Inspector, Subject
from tasks.draw import draw_grade, freeze_draws, seal_draws
from tasks.duty import update_duties
from tasks.evidence import NotRevealed, evidence
from tasks.external_draw import import_draw
from tasks.inspection import record_inspections
from tasks.mail import deliver
from tasks.notice import prepare_notices
from tasks.plan import load_plan
from tasks.progress import progress
from tasks.replacement import replace_inspector
from tasks.reveal import reveal_draws

HEADINGS = ["统一社会信用代码", "部门", "执法证号"]
CODE = "2024-1"


def at(day: int, month: int = 6) -> datetime:
    return datetime(2024, month, day, 9, tzinfo=SHANGHAI)


@pytest.fixture
def elsewhere(office: Any, drill: Plan) -> Any:
    """An office whose plan has grade D drawn by the province's platform."""
    grades = (*drill.grades[:3], drill.grades[3].model_copy(update={"source": "外部抽取"}))
    load_plan(drill.model_copy(update={"grades": grades}), at(21))
    return office


def rows(subjects: int = 6) -> list[list[str]]:
    """The platform's list: two inspectors of each department for so many subjects."""
    with reading() as session:
        codes = session.scalars(
            select(Subject.code)
            .where(Subject.grade == "D", Subject.status == "在营")
            .order_by(Subject.code.desc())
            .limit(subjects)
        ).all()
        people = session.scalars(select(Inspector)).all()
        barred = {(code, p.certificate) for p in people for code in p.recusals}
        found = []
        for number, code in enumerate(codes):
            for department, name in (("yjglj", "区应急管理局"), ("scjgj", "区市场监督管理局")):
                able = [
                    p.certificate
                    for p in people
                    if p.department == department
                    and p.may_serve(date(2024, 9, 30))
                    and (code, p.certificate) not in barred
                ]
                found += [[code, name, able[(number + k) % len(able)]] for k in (0, 1)]
    return found


def listed(folder: Path, lines: list[list[str]]) -> Path:
    path = folder / "平台名单.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([HEADINGS, *lines])
    return path


def brought(folder: Path, lines: list[list[str]], day: int = 25) -> str:
    return import_draw(CODE, "D", listed(folder, lines), "豫双随机〔2024〕77号", "王五", at(day))


def test_the_platforms_list_becomes_a_draw_without_proof(elsewhere: Any, tmp_path: Path) -> None:
    lines = rows()
    assert freeze_draws(CODE, at(25)) == []
    deliver(at(25))
    assert seal_draws(CODE, at(25)) == 3  # the pass leaves grade D to the platform
    assert brought(tmp_path, lines) == CODE
    with reading() as session:
        draw = session.scalars(select(Draw).where(Draw.grade == "D", Draw.round_id == 1)).one()
        drawn = session.scalars(
            select(DrawnSubject).where(DrawnSubject.draw_id == draw.id).order_by(DrawnSubject.id)
        ).all()
        inspections = session.scalars(
            select(Inspection).where(Inspection.draw_id == draw.id).order_by(Inspection.id)
        ).all()
        (paper,) = session.scalars(select(PaperFile))
        mails = session.scalars(select(Mail).where(Mail.key.startswith("letter:external:"))).all()
        (entry,) = session.scalars(
            select(LedgerEntry).where(LedgerEntry.action == "导入外部抽取（无证明）")
        )
    assert (draw.source, draw.document) == ("外部抽取", "豫双随机〔2024〕77号")
    assert (draw.pool, draw.count, draw.ratio, draw.freeze_digest) == (29, 6, "20", None)
    subjects = list(dict.fromkeys(line[0] for line in lines))
    assert [one.code for one in drawn] == subjects
    assert [one.subject_code for one in inspections] == subjects
    first = inspections[0].members()
    assert [one.certificate for one in first] == [line[2] for line in lines[:4]]
    assert [one.leader for one in first] == [True, False, False, False]
    kept = elsewhere.home / "papers" / paper.path
    assert kept.read_bytes() == listed(tmp_path, lines).read_bytes()
    assert entry.detail["sha256"] == paper.sha256
    assert len(mails) == 3
    assert all("无证明" in one.text for one in mails)
    assert not any(code in one.text for one in mails for code in subjects)


def test_all_later_stages_run_and_evidence_is_refused(
    elsewhere: Any, tmp_path: Path, sheet: Any
) -> None:
    brought(tmp_path, rows())
    update_duties(CODE, at(25))
    assert prepare_notices(CODE, at(26)) == 6
    (figures,) = [one for one in progress(CODE, at(26).date()).draws if one.grade == "D"]
    assert figures.state == "已封存（外部抽取，无证明）"
    record_inspections(
        [
            sheet(f"2024-1-D{number:02}", department)
            for number in range(1, 7)
            for department in ("yjglj", "scjgj")
        ],
        at(10, 7),
    )
    assert reveal_draws(CODE, at(10, 7)) == 1
    with pytest.raises(NotRevealed, match="2024-1-D 为外部抽取，无证明，没有可以验证的证据包"):
        evidence(CODE, "D")


def test_nobody_has_a_ticket_so_the_head_appoints(elsewhere: Any, tmp_path: Path) -> None:
    lines = rows()
    brought(tmp_path, lines)
    held = {line[2] for line in lines[:2]}
    with reading() as session:
        other = session.scalars(
            select(Inspector).where(
                Inspector.department == "yjglj", Inspector.certificate.not_in(held)
            )
        ).first()
    assert other is not None
    given = ("2024-1-D01", "yjglj", 1, "不能到场", "住院", "应急局负责人")
    assert replace_inspector(*given, other.certificate, at(26)) == CODE  # type: ignore[arg-type]


def test_a_second_import_is_refused_and_recorded(elsewhere: Any, tmp_path: Path) -> None:
    lines = rows()
    brought(tmp_path, lines)
    before = elsewhere.files()
    for again in (lines, lines[::-1]):
        with pytest.raises(DrawRefused, match=r"2024-1-D 已于 .* 封存，不能再抽"):
            brought(tmp_path, again, 26)
    with pytest.raises(DrawRefused, match="封存，不能再抽"):
        draw_grade(CODE, "D", "张三", at(26))
    with reading() as session:
        refused = session.scalars(
            select(LedgerEntry).where(LedgerEntry.action == "拒绝再次抽取")
        ).all()
    assert [one.actor for one in refused] == ["王五", "王五", "张三"]
    assert elsewhere.files() == before


def changed(place: int, column: int, value: str) -> Any:
    def change(lines: list[list[str]]) -> list[list[str]]:
        lines[place][column] = value
        return lines

    return change


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            lambda lines: lines[:20],
            "名单只有 5 户，按比例 20% 至少应抽 6 户（名录库 29 户），未导入",
        ),
        (lambda lines: [], "名单只有 0 户"),
        (changed(4, 0, "91410403MA00000000"), "第 6 行“统一社会信用代码”"),
        (changed(5, 1, "区公安局"), "第 7 行“部门”：应为区应急管理局、区市场监督管理局之一"),
        (changed(5, 1, "区市场监督管理局"), "第 7 行“执法证号”：不是该部门在岗"),
        (changed(5, 2, "YL-YJGLJ-012"), "第 7 行“执法证号”：不是该部门在岗"),
        (changed(5, 2, ""), "第 7 行“执法证号”：不能为空"),
        (lambda lines: lines[1:], "第 2 行“部门”：区应急管理局须有 2 人，现有 1 人"),
        (lambda lines: [lines[0], *lines], "第 3 行“执法证号”：重复"),
    ],
)
def test_a_list_that_does_not_hold_is_refused_whole(
    elsewhere: Any, tmp_path: Path, change: Any, line: str
) -> None:
    before = elsewhere.rows(), elsewhere.files()
    with pytest.raises((DrawRefused, RegisterError)) as refused:
        brought(tmp_path, change(rows()))
    problems = getattr(refused.value, "problems", [refused.value])
    assert any(line in str(problem) for problem in problems)
    assert (elsewhere.rows(), elsewhere.files()) == before


def test_a_subject_of_another_grade_or_closed_or_recused_is_refused(
    elsewhere: Any, tmp_path: Path
) -> None:
    lines = rows()
    with writing() as session:
        session.query(Subject).filter(Subject.code == lines[0][0]).update({"status": "注销"})
        session.query(Inspector).filter(Inspector.certificate == lines[5][2]).update(
            {"recusals": [lines[5][0]]}
        )
    with pytest.raises(RegisterError) as refused:
        brought(tmp_path, lines)
    messages = [str(one) for one in refused.value.problems]
    assert sum("不是名录库中该等级的在营检查对象" in one for one in messages) == 4
    assert sum("须回避该检查对象" in one for one in messages) == 1


def test_where_the_plan_draws_here_no_list_is_taken(office: Any, tmp_path: Path) -> None:
    with pytest.raises(DrawRefused, match="2024-1-D 依方案由本系统抽取"):
        brought(tmp_path, rows())


def test_a_platforms_draw_cannot_be_made_here_nor_before_its_day(
    elsewhere: Any, tmp_path: Path
) -> None:
    with pytest.raises(DrawRefused, match="依方案由外部平台抽取，请导入其名单"):
        draw_grade(CODE, "D", "张三", at(25))
    with pytest.raises(DrawRefused, match="还没有到抽取的日子：定于 2024-06-25"):
        brought(tmp_path, rows(), 24)


def test_a_missing_column_is_named(elsewhere: Any, tmp_path: Path) -> None:
    path = tmp_path / "名单.csv"
    path.write_text("统一社会信用代码,部门\nx,y\n", encoding="utf-8")
    with pytest.raises(RegisterError, match=r"名单\.csv 第 1 行：缺少列：执法证号"):
        import_draw(CODE, "D", path, "文", "王五", at(25))
