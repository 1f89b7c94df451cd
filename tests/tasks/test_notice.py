"""Notices: one for each who may be told, in time, and none, nowhere, for who may not."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from sqlalchemy import select, update

from models.base import SHANGHAI
from models.database import reading, writing
from models.draw import TeamMember
from models.entry import EntryRefused
from models.inspection import Inspection
from models.ledger import LedgerEntry
from models.mail import Mail
from models.notice import Notice, ServiceEntry
from models.obligation import Obligation
from models.paper_file import PaperFile
from models.settings import settings
from tasks.inspection import record_inspections
from tasks.notice import confirm_service, prepare_notices, withhold_notice
from tasks.record_sheet import prepare_record_sheets
from tasks.replacement import replace_inspector
from tasks.round import UnknownRound

pytestmark = pytest.mark.usefixtures("drawn")
ROUND, CODE = "2024-1", "2024-1-D01"


def at(day: str, hour: int = 9) -> datetime:
    return datetime.fromisoformat(f"2024-{day}T{hour:02}:00").replace(tzinfo=SHANGHAI)


def all_of(table: type[Any]) -> list[Any]:
    with reading() as session:
        return list(session.scalars(select(table).order_by(table.id)))


def inspection(code: str = CODE) -> Inspection:
    with reading() as session:
        return session.scalars(select(Inspection).where(Inspection.code == code)).one()


def keep_only(codes: list[str]) -> None:
    with writing() as session:
        session.execute(
            update(Inspection)
            .where(Inspection.code.not_in(codes))
            .values(dropped_on=date(2024, 6, 25))
        )


def owed() -> Obligation:
    with reading() as session:
        return session.scalars(
            select(Obligation).where(Obligation.duty == "notify", Obligation.object == CODE)
        ).one()


def papers() -> list[Path]:
    return sorted(settings().papers_folder.rglob("*.docx"))


def words(path: Path) -> str:
    document = Document(str(path))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([paragraph.text for paragraph in document.paragraphs] + cells)


@pytest.fixture
def few(drawn: Any) -> None:
    """All but the last three are given up, so that few papers need to be written."""
    keep_only([each.code for each in all_of(Inspection)[-3:]])


@pytest.mark.parametrize("moment", [at("06-25", 23), at("06-25", 9)])
def test_no_notice_is_made_on_the_day_of_the_draw(moment: datetime) -> None:
    assert prepare_notices(ROUND, moment) == 0
    assert all_of(Notice) == []
    assert papers() == []


@pytest.mark.usefixtures("few")
def test_a_working_day_after_the_draw_each_gets_one_notice_and_no_second() -> None:
    assert prepare_notices(ROUND, at("06-26")) == 3
    notices = all_of(Notice)
    codes = [each.code for each in all_of(Inspection)[-3:]]
    assert [each.number for each in notices] == [f"双随机告〔2024〕{code}号" for code in codes]
    assert {each.issued_on for each in notices} == {date(2024, 6, 26)}
    files = all_of(PaperFile)
    assert {settings().papers_folder / each.path for each in files} == set(papers())
    assert prepare_notices(ROUND, at("06-27")) == 0
    assert len(all_of(Notice)) == len(papers()) == 3
    actions = [entry.action for entry in all_of(LedgerEntry)]
    assert actions.count("制作告知书") == 3


@pytest.mark.usefixtures("few")
def test_the_notice_says_who_comes_when_for_what() -> None:
    prepare_notices(ROUND, at("06-26"))
    last = all_of(Inspection)[-1]
    text = words(settings().papers_folder / all_of(PaperFile)[-1].path)
    planned = last.planned_on
    for part in (
        last.name,
        last.subject_code,
        f"{planned.year}年{planned.month}月{planned.day}日",
        "对危险化学品经营单位安全生产的监督抽查",
        "营业执照正、副本",
        *(member.name for member in last.team),
        *(member.certificate for member in last.team),
    ):
        assert part in text


@pytest.mark.usefixtures("few")
def test_each_inspector_is_told_of_the_visit_once() -> None:
    prepare_notices(ROUND, at("06-26"))
    prepare_notices(ROUND, at("06-27"))
    told = [mail for mail in all_of(Mail) if mail.key.startswith("letter:team:")]
    ids = [each.id for each in all_of(Inspection)[-3:]]
    members = [m for m in all_of(TeamMember) if m.inspection_id in ids]
    assert sorted(mail.email for mail in told) == sorted(member.email for member in members)


def test_who_is_not_to_be_told_gets_no_notice_and_no_mail_goes_out() -> None:
    kept = inspection()
    keep_only([CODE])
    assert withhold_notice(kept.code, "线索核查", "局长", at("06-25")) == ROUND
    assert prepare_notices(ROUND, at("06-26")) == 0
    assert all_of(Notice) == []
    assert papers() == []
    assert [mail for mail in all_of(Mail) if mail.key.startswith("letter:team:")] == []
    assert not [m for m in all_of(Mail) if kept.name in m.text + m.subject]


def test_what_is_not_to_be_told_owes_no_notice() -> None:
    assert owed().open
    withhold_notice(CODE, "线索核查", "局长", at("06-25"))
    assert not owed().open
    (entry,) = [e for e in all_of(LedgerEntry) if e.action == "不宜告知"]
    assert (entry.actor, entry.detail["reason"]) == ("局长", "线索核查")
    with pytest.raises(EntryRefused, match="2024-1-D01 不宜告知，没有可登记的送达"):
        confirm_service([service()], "张三", at("06-27"))


@pytest.mark.parametrize(("reason", "approved_by"), [("", "局长"), ("线索核查", " ")])
def test_withholding_takes_a_reason_and_an_approver(reason: str, approved_by: str) -> None:
    with pytest.raises(EntryRefused, match="不宜告知须写明理由和批准人"):
        withhold_notice(CODE, reason, approved_by, at("06-25"))


@pytest.mark.usefixtures("few")
def test_what_was_announced_cannot_be_withheld() -> None:
    code = all_of(Inspection)[-1].code
    prepare_notices(ROUND, at("06-26"))
    with pytest.raises(EntryRefused, match=f"{code} 的告知书已制作，不能再定为不宜告知"):
        withhold_notice(code, "线索核查", "局长", at("06-26"))


def test_what_is_over_cannot_be_withheld(sheet: Callable[..., Any]) -> None:
    record_inspections([sheet(CODE)], at("07-10"))
    with pytest.raises(EntryRefused, match="的检查已经结束，不能再定为不宜告知"):
        withhold_notice(CODE, "线索核查", "局长", at("07-10"))


def test_a_visit_that_is_over_gets_no_notice(sheet: Callable[..., Any]) -> None:
    keep_only([CODE])
    record_inspections([sheet(CODE)], at("07-10"))
    assert prepare_notices(ROUND, at("07-10")) == 0


def test_an_unknown_round_has_no_notices() -> None:
    with pytest.raises(UnknownRound, match="没有轮次“2023-1”"):
        prepare_notices("2023-1", at("06-26"))


# ---- service -------------------------------------------------------------------------------------


def service(code: str = CODE, **changed: Any) -> ServiceEntry:
    given = {
        "inspection": code,
        "manner": "电话",
        "served_on": date(2024, 7, 2),
        "served_by": "张三",
        "received_by": "王经理",
    }
    return ServiceEntry(**(given | changed))


@pytest.fixture
def announced(drawn: Any) -> None:
    """Only one inspection is left, and its notice is made."""
    keep_only([CODE])
    assert prepare_notices(ROUND, at("06-26")) == 1


@pytest.mark.usefixtures("announced")
def test_a_confirmed_service_meets_the_duty_on_its_day() -> None:
    assert confirm_service([service()], "李四", at("07-03")) == {ROUND}
    assert owed().met_on == date(2024, 7, 2)
    (notice,) = all_of(Notice)
    assert (notice.manner, notice.served_by, notice.entered_by) == ("电话", "张三", "李四")
    assert notice.entered_at == at("07-03")
    (entry,) = [e for e in all_of(LedgerEntry) if e.action == "登记送达"]
    assert entry.detail["received_by"] == "王经理"


@pytest.mark.usefixtures("announced")
@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"served_on": date(2024, 7, 4)}, "2024-1-D01 送达日期 2024-07-04 还没有到"),
        ({"served_on": date(2024, 6, 25)}, "2024-1-D01 送达日期 2024-06-25 早于告知书制作日"),
        ({"code": "2024-1-D02"}, "2024-1-D02 告知书尚未制作，没有可登记的送达"),
        ({"code": "2024-1-X"}, "没有检查编号“2024-1-X”"),
    ],
)
def test_a_service_that_cannot_be_is_refused(changed: dict[str, Any], line: str) -> None:
    with pytest.raises(EntryRefused) as refused:
        confirm_service([service(), service(**changed)], "李四", at("07-03"))
    assert str(refused.value).startswith(line)
    assert all_of(Notice)[0].served_on is None
    assert owed().open


@pytest.mark.usefixtures("announced")
def test_a_notice_served_after_the_visit_closes_the_duty_as_missed(
    sheet: Callable[..., Any],
) -> None:
    record_inspections([sheet(CODE, ended_on=date(2024, 7, 8))], at("07-08"))
    confirm_service([service(served_on=date(2024, 7, 9))], "李四", at("07-10"))
    found = owed()
    assert (found.met_on, found.closed_on) == (None, date(2024, 7, 8))
    assert found.closed_why == "未在检查前送达"
    assert found.was_overdue(date(2024, 7, 10))


@pytest.mark.usefixtures("announced")
def test_a_service_in_time_but_entered_after_the_visit_still_counts(
    sheet: Callable[..., Any],
) -> None:
    record_inspections([sheet(CODE)], at("07-10"))
    assert owed().closed_why == "未在检查前送达"
    confirm_service([service()], "李四", at("07-11"))
    assert (owed().met_on, owed().closed_on) == (date(2024, 7, 2), None)
    assert not owed().was_overdue(date(2024, 7, 11))


# ---- record sheets -------------------------------------------------------------------------------


@pytest.mark.usefixtures("announced")
def test_a_record_sheet_is_filed_blank_and_again_when_all_have_recorded(
    sheet: Callable[..., Any],
) -> None:
    assert prepare_record_sheets(ROUND, at("06-26")) == 1
    assert prepare_record_sheets(ROUND, at("06-27")) == 0
    record_inspections([sheet(CODE, "yjglj", 8)], at("07-10"))
    assert prepare_record_sheets(ROUND, at("07-10")) == 0
    record_inspections([sheet(CODE, "scjgj")], at("07-10"))
    assert prepare_record_sheets(ROUND, at("07-10")) == 1
    filed = [each for each in all_of(PaperFile) if each.kind.endswith("记录表")]
    assert [each.version for each in filed] == [0, 2]
    assert "通道堵塞" in words(settings().papers_folder / filed[-1].path)
    assert "通道堵塞" not in words(settings().papers_folder / filed[0].path)
    record_inspections([sheet(CODE, "yjglj", 1, correction="误记")], at("07-11"))
    assert prepare_record_sheets(ROUND, at("07-11")) == 1


# ---- a team that changes -------------------------------------------------------------------------


def test_a_notice_is_made_again_when_somebody_else_takes_a_place() -> None:
    keep_only([CODE])
    prepare_notices(ROUND, at("06-26"))
    prepare_record_sheets(ROUND, at("06-26"))
    replace_inspector(CODE, "scjgj", 1, "不能到场", "住院", "局长", "", at("06-27"))
    assert prepare_notices(ROUND, at("06-27", 10)) == 1
    assert prepare_notices(ROUND, at("06-27", 11)) == 0
    members = [member.certificate for member in inspection().members()]
    papers = {one.version: one for one in all_of(PaperFile) if one.kind == "告知书"}
    assert sorted(papers) == [1, 2]
    told = paper_text(papers[2])
    assert all(certificate in told for certificate in members)
    assert "因检查人员更换，本告知书替代2024年6月26日制作的告知书。" in told
    assert "替代" not in paper_text(papers[1])
    (notice,) = all_of(Notice)
    assert (notice.version, notice.issued_on) == (2, date(2024, 6, 26))
    leader = inspection().members()[0]
    again = [mail for mail in all_of(Mail) if mail.key == f"letter:notice:{CODE}:2"]
    assert [mail.email for mail in again] == [leader.email]


def test_a_team_that_changes_gets_a_blank_sheet_with_its_names() -> None:
    keep_only([CODE])
    prepare_record_sheets(ROUND, at("06-26"))
    replace_inspector(CODE, "yjglj", 2, "不能到场", "住院", "局长", "", at("06-27"))
    assert prepare_record_sheets(ROUND, at("06-27")) == 1
    assert prepare_record_sheets(ROUND, at("06-27")) == 0
    sheets = {one.version: one for one in all_of(PaperFile) if one.kind == "检查情况记录表"}
    assert sorted(sheets) == [-1, 0]
    came = inspection().members("yjglj")[1]
    assert came.certificate in paper_text(sheets[-1])
    assert came.certificate not in paper_text(sheets[0])


def test_a_replacement_before_the_notice_needs_no_second_one() -> None:
    keep_only([CODE])
    replace_inspector(CODE, "scjgj", 1, "不能到场", "住院", "局长", "", at("06-25", 15))
    assert prepare_notices(ROUND, at("06-26")) == 1
    assert prepare_notices(ROUND, at("06-27")) == 0
    (notice,) = all_of(Notice)
    assert notice.version == 2


def paper_text(paper: PaperFile) -> str:
    document = Document(str(settings().papers_folder / paper.path))
    cells = (cell.text for table in document.tables for row in table.rows for cell in row.cells)
    return "\n".join([*(one.text for one in document.paragraphs), *cells])
