"""Imports of registers: all of a file or nothing of it, and the ledger tells what changed."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from models import fiction
from models.base import SHANGHAI
from models.database import reading
from models.entry import EntryRefused
from models.ledger import LedgerEntry
from models.plan import Plan
from models.registers import RegisterError
from models.subject import Inspector, Subject
from tasks import ledger
from tasks.plan import load_plan
from tasks.registers import import_inspectors, import_subjects
from tasks.sheet import write_inspectors, write_subjects

AT = datetime(2024, 6, 20, 9, tzinfo=SHANGHAI)
SUBJECTS = fiction.subjects(7, {"A": 3, "B": 2, "C": 2, "D": 1})
INSPECTORS = fiction.inspectors(7, ["yjglj", "scjgj"], 3, SUBJECTS)


@pytest.fixture
def file(database: Path, tmp_path: Path) -> Path:
    path = tmp_path / "检查对象.xlsx"
    write_subjects(path, SUBJECTS)
    return path


def count(table: type[Any]) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def subject(code: str) -> Subject:
    with reading() as session:
        return session.scalars(select(Subject).where(Subject.code == code)).one()


def csv(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_register_comes_back_as_its_file_said_it(file: Path) -> None:
    changes = import_subjects(file, AT, "张三")
    assert [row.code for row in changes.added] == [row.code for row in SUBJECTS]
    with reading() as session:
        stored = {each.code: each.row for each in session.scalars(select(Subject))}
    assert stored == {row.code: row for row in SUBJECTS}


def test_importing_the_same_again_changes_nothing(file: Path) -> None:
    import_subjects(file, AT, "张三")
    changes = import_subjects(file, AT, "张三")
    assert (len(changes.added), len(changes.changed), len(changes.unchanged)) == (0, 0, 8)
    assert ledger.verify() == (1, None)


def test_the_ledger_names_who_imported_what(file: Path) -> None:
    import_subjects(file, AT, "张三")
    with reading() as session:
        entry = session.scalars(select(LedgerEntry)).one()
    assert (entry.action, entry.subject, entry.actor) == ("导入检查对象", "检查对象.xlsx", "张三")
    assert sorted(entry.detail["added"]) == sorted(row.code for row in SUBJECTS)


def test_one_bad_row_and_nothing_of_the_file_is_imported(database: Path, tmp_path: Path) -> None:
    good, bad = SUBJECTS[0].code, SUBJECTS[1].code[:-1] + "0"
    path = csv(tmp_path / "坏.csv", f"名称,统一社会信用代码\n甲公司,{good}\n乙公司,{bad}\n")
    with pytest.raises(RegisterError, match=r"^坏\.csv 第 3 行“统一社会信用代码”："):
        import_subjects(path, AT, "张三")
    assert count(Subject) == 0
    assert ledger.verify() == (0, None)


def test_a_file_changes_only_what_it_speaks_of(file: Path, tmp_path: Path) -> None:
    import_subjects(file, AT, "张三")
    known = SUBJECTS[0]
    path = csv(tmp_path / "改.csv", f"名称,统一社会信用代码,风险等级\n新名,{known.code},D\n")
    changes = import_subjects(path, AT, "李四")
    assert (len(changes.changed), len(changes.added)) == (1, 0)
    stored = subject(known.code)
    assert (stored.name, stored.grade) == ("新名", "D")
    assert stored.phone == known.phone
    assert stored.licence_expires_on == known.licence_expires_on
    assert count(Subject) == len(SUBJECTS)


def test_inspectors_are_imported_with_lists_and_days(
    database: Path, tmp_path: Path, drill: Plan
) -> None:
    load_plan(drill, AT)
    path = tmp_path / "人员.xlsx"
    write_inspectors(path, INSPECTORS)
    import_inspectors(path, AT, "张三")
    with reading() as session:
        stored = {each.certificate: each.row for each in session.scalars(select(Inspector))}
    assert stored == {row.certificate: row for row in INSPECTORS}


def test_a_departments_name_will_do_and_an_unknown_one_is_refused(
    database: Path, tmp_path: Path, drill: Plan
) -> None:
    load_plan(drill, AT)
    head = "姓名,部门,执法证号,执法证有效期\n"
    path = csv(tmp_path / "一.csv", head + "甲,区应急管理局,YL-1,2026-12-31\n")
    (added,) = import_inspectors(path, AT, "张三").added
    assert (added.department, added.certificate_expires_on) == ("yjglj", date(2026, 12, 31))
    path = csv(tmp_path / "二.csv", head + "乙,区消防大队,YL-2,2026-12-31\n")
    with pytest.raises(RegisterError, match=r"^二\.csv 第 2 行“部门”："):
        import_inspectors(path, AT, "张三")
    assert count(Inspector) == 1


def test_without_a_plan_there_are_no_departments(database: Path, tmp_path: Path) -> None:
    path = tmp_path / "人员.xlsx"
    write_inspectors(path, INSPECTORS)
    with pytest.raises(EntryRefused, match="还没有载入抽查工作计划"):
        import_inspectors(path, AT, "张三")
