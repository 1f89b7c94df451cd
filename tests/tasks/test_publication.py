"""Publications: prepared in the national shape, done when public, and not before."""

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from models.base import SHANGHAI
from models.database import reading, writing
from models.entry import EntryRefused
from models.inspection import DepartmentRecord, Inspection
from models.ledger import LedgerEntry
from models.obligation import Obligation
from models.publication import Publication, PublicationEntry
from models.settings import settings
from tasks.inspection import record_inspections
from tasks.publication import confirm_publications, prepare_publications

ROUND, CODE = "2024-1", "2024-1-D01"
Sheet = Callable[..., Any]


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"2024-{day}T09:00").replace(tzinfo=SHANGHAI)


def day(text: str) -> date:
    return date.fromisoformat(f"2024-{text}")


def entry(**changed: Any) -> PublicationEntry:
    given = {
        "inspection": CODE,
        "department": "yjglj",
        "entered_on": day("07-12"),
        "published_on": "2024-07-15",
        "entered_by": "张三",
    }
    return PublicationEntry(**(given | changed))


def owed(department: str = "yjglj") -> Obligation:
    with reading() as session:
        return session.scalars(
            select(Obligation).where(
                Obligation.duty == "publish", Obligation.object == f"{CODE}/{department}"
            )
        ).one()


def all_of(table: type[Any]) -> list[Any]:
    with reading() as session:
        return list(session.scalars(select(table).order_by(table.id)))


def files() -> dict[str, Any]:
    folder = settings().publications_folder / ROUND
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*")}


@pytest.mark.usefixtures("drawn")
def test_nothing_is_prepared_before_it_is_recorded() -> None:
    assert prepare_publications(ROUND, at("07-08")) == 0
    assert files() == {}


@pytest.mark.usefixtures("recorded")
def test_each_department_gets_a_file_of_its_own_records_in_the_national_shape() -> None:
    assert prepare_publications(ROUND, at("07-10")) == 2
    assert set(files()) == {"yjglj.json", "scjgj.json"}
    (mine,) = files()["yjglj.json"]
    assert mine["insAuth"] == "平顶山市卫东区应急管理局"
    assert [each["raninsCheckResName"] for each in mine["details"]] == ["不合格"]
    (theirs,) = files()["scjgj.json"]
    assert [each["seqno"] for each in theirs["details"]] == [1, 2]
    assert prepare_publications(ROUND, at("07-11")) == 0


@pytest.mark.usefixtures("recorded")
def test_a_department_that_has_not_recorded_has_nothing_to_publish(sheet: Sheet) -> None:
    record_inspections([sheet("2024-1-D02")], at("07-10"))
    prepare_publications(ROUND, at("07-10"))
    assert {name: len(records) for name, records in files().items()} == {
        "yjglj.json": 2,
        "scjgj.json": 1,
    }
    with pytest.raises(EntryRefused, match="2024-1-D02/scjgj 还没有检查记录，无从公示"):
        confirm_publications([entry(inspection="2024-1-D02", department="scjgj")], at("07-20"))


@pytest.mark.usefixtures("recorded")
def test_a_file_that_was_lost_or_touched_is_written_again() -> None:
    prepare_publications(ROUND, at("07-10"))
    before = files()
    folder = settings().publications_folder / ROUND
    (folder / "yjglj.json").unlink()
    (folder / "scjgj.json").write_text("[]", encoding="utf-8")
    assert prepare_publications(ROUND, at("07-11")) == 0
    assert files() == before


@pytest.mark.usefixtures("recorded")
def test_a_corrected_record_is_prepared_anew_and_the_old_one_stays_readable(sheet: Sheet) -> None:
    prepare_publications(ROUND, at("07-10"))
    record_inspections([sheet(CODE, "yjglj", 8, correction="结果有误")], at("07-12"))
    assert prepare_publications(ROUND, at("07-12")) == 1
    assert files()["yjglj.json"][0]["details"][0]["raninsCheckResName"] == "发现问题待后续处理"
    kept = [e.detail for e in all_of(LedgerEntry) if e.action == "制作公示内容"]
    kept = [detail for detail in kept if "应急" in detail["content"]["insAuth"]]
    shown = [detail["content"]["details"][0]["raninsCheckResName"] for detail in kept]
    assert shown == ["不合格", "发现问题待后续处理"]
    assert [detail["version"] for detail in kept] == [1, 2]


@pytest.mark.usefixtures("recorded")
def test_a_corrected_end_shows_in_both_departments_publications(sheet: Sheet) -> None:
    prepare_publications(ROUND, at("07-10"))
    moved = sheet(CODE, "scjgj", ended_on=day("07-11"), correction="日期有误")
    record_inspections([moved], at("07-12"))
    assert prepare_publications(ROUND, at("07-12")) == 2
    assert {records[0]["insDate"] for records in files().values()} == {"2024-07-11"}
    assert prepare_publications(ROUND, at("07-12")) == 0


@pytest.fixture
def prepared(recorded: Any) -> None:
    prepare_publications(ROUND, at("07-10"))


@pytest.mark.usefixtures("prepared")
def test_entered_is_not_yet_published() -> None:
    assert confirm_publications([entry(published_on="")], at("07-20")) == {ROUND}
    assert owed().open
    first = all_of(Publication)[0]
    assert (first.entered_on, first.published_on) == (day("07-12"), None)
    confirm_publications([entry()], at("07-20"))
    assert owed().met_on == day("07-15")
    assert owed("scjgj").open


@pytest.mark.usefixtures("prepared")
def test_published_after_the_due_day_is_late() -> None:
    confirm_publications([entry(published_on="2024-08-07")], at("08-08"))
    assert owed().was_overdue(day("08-08"))


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize(
    ("given", "line"),
    [
        (entry(entered_on=day("07-21")), "2024-1-D01/yjglj 录入日期 2024-07-21 还没有到"),
        (entry(published_on="2024-07-21"), "2024-1-D01/yjglj 公示日期 2024-07-21 还没有到"),
        (entry(entered_on=day("07-08")),
         "2024-1-D01/yjglj 录入日期 2024-07-08 早于检查结束日 2024-07-09"),
        (entry(published_on="2024-07-11"), "2024-1-D01/yjglj 公示日期不能早于录入日期"),
        (entry(published_on="昨天"), "2024-1-D01/yjglj 公示日期应如 2024-07-01，现为“昨天”"),
        (entry(department="消防"), "没有“消防”这个部门"),
        (entry(inspection="2024-1-X"), "没有检查编号“2024-1-X”"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_of_the_list_stands(
    given: PublicationEntry, line: str
) -> None:
    with pytest.raises(EntryRefused) as refused:
        confirm_publications([entry(department="scjgj"), given], at("07-20"))
    assert str(refused.value).startswith(line)
    assert owed("scjgj").open


@pytest.mark.usefixtures("prepared")
def test_an_entry_without_its_day_does_not_unpublish() -> None:
    confirm_publications([entry()], at("07-20"))
    with pytest.raises(EntryRefused, match="已于 2024-07-15 公示；更正须一并填写公示日期"):
        confirm_publications([entry(published_on="")], at("07-21"))
    assert owed().met_on == day("07-15")


# ---- corrections after publication ---------------------------------------------------------------


@pytest.fixture
def correct(prepared: None, sheet: Sheet) -> Callable[..., None]:
    """One department's results public on 15 July, and a way to correct them."""
    confirm_publications([entry()], at("07-15"))

    def correct(on: str, result: int = 8, why: str = "结果有误") -> None:
        record_inspections([sheet(CODE, "yjglj", result, correction=why)], at(on))
        prepare_publications(ROUND, at(on))

    return correct


def versions() -> list[tuple[int, date | None, str]]:
    return [(one.number, one.published_on, one.reason) for one in mine().versions]


def mine() -> Publication:
    with reading() as session:
        return session.scalars(
            select(Publication)
            .join(DepartmentRecord, DepartmentRecord.id == Publication.record_id)
            .join(Inspection, Inspection.id == DepartmentRecord.inspection_id)
            .where(Inspection.code == CODE, DepartmentRecord.department == "yjglj")
        ).one()


def test_a_correction_after_publication_is_a_new_version_and_the_old_one_stays(
    correct: Callable[..., None],
) -> None:
    correct("07-22")
    assert versions() == [(1, day("07-15"), ""), (2, None, "结果有误")]
    assert mine().republications() == [(day("07-22"), None)]
    confirm_publications([entry(published_on="2024-07-24")], at("07-24"))
    assert versions() == [(1, day("07-15"), ""), (2, day("07-24"), "结果有误")]
    assert mine().republications() == [(day("07-22"), day("07-24"))]
    assert owed().met_on == day("07-15")
    prepare_publications(ROUND, at("07-24"))
    first, second = files()["yjglj-历次公示.json"]
    assert [one["content"]["details"][0]["raninsCheckResName"] for one in (first, second)] == [
        "不合格",
        "发现问题待后续处理",
    ]
    assert (second["published_on"], second["reason"]) == ("2024-07-24", "结果有误")
    assert len(files()["yjglj.json"]) == 1


def test_a_correction_that_changes_nothing_public_needs_no_republication(
    correct: Callable[..., None],
) -> None:
    correct("07-22", result=10, why="补充措施")
    assert versions() == [(1, day("07-15"), "")]
    assert mine().republications() == []


def test_one_corrected_twice_is_counted_from_the_first_and_back_again_from_none(
    correct: Callable[..., None],
) -> None:
    correct("07-22")
    correct("07-24", result=2)
    assert mine().republications() == [(day("07-22"), None)]
    correct("07-25", result=10, why="原记录无误")
    assert mine().republications() == []


@pytest.mark.usefixtures("prepared")
def test_what_was_public_on_a_day_is_what_was_prepared_by_then(sheet: Sheet) -> None:
    record_inspections([sheet(CODE, "yjglj", 8, correction="结果有误")], at("07-22"))
    prepare_publications(ROUND, at("07-22"))
    confirm_publications([entry()], at("07-23"))  # told late: public since the 15th, as it was then
    assert versions() == [(1, day("07-15"), ""), (2, None, "结果有误")]
    assert owed().met_on == day("07-15")
    assert mine().republications() == [(day("07-22"), None)]


@pytest.mark.usefixtures("correct")
def test_a_day_of_publication_is_not_changed_without_a_reason() -> None:
    with pytest.raises(EntryRefused, match="已于 2024-07-15 公示；更正公示日期须写明更正理由"):
        confirm_publications([entry(published_on="2024-07-16")], at("07-20"))
    confirm_publications([entry()], at("07-20"))  # the same again
    confirm_publications([entry(published_on="2024-07-16", correction="笔误")], at("07-20"))
    assert versions() == [(1, day("07-16"), "")]
    assert owed().met_on == day("07-16")


@pytest.mark.usefixtures("correct")
@pytest.mark.parametrize(
    "act", ["UPDATE publication_version SET content = '{}'", "DELETE FROM publication_version"]
)
def test_the_database_keeps_every_version(act: str) -> None:
    with pytest.raises(DBAPIError, match="永久保存"), writing() as session:
        session.execute(text(act))
