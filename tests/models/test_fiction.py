"""Fictional registers: reproducible, valid, and plainly not real."""

from collections import Counter
from datetime import date

import pytest

from models import fiction
from models.credit_code import credit_code

AS_OF = date(2024, 6, 20)
DEPARTMENTS = ("yjglj", "scjgj")
SUBJECTS = fiction.subjects(7)
INSPECTORS = fiction.inspectors(7, DEPARTMENTS, subjects=SUBJECTS)


def test_a_seed_gives_the_same_registers_again_and_another_seed_others() -> None:
    assert fiction.subjects(7) == SUBJECTS
    assert fiction.inspectors(7, DEPARTMENTS, subjects=SUBJECTS) == INSPECTORS
    assert not {row.code for row in SUBJECTS} & {row.code for row in fiction.subjects(8)}
    others = fiction.inspectors(8, DEPARTMENTS, subjects=SUBJECTS)
    assert [row.name for row in others] != [row.name for row in INSPECTORS]


def test_grades_come_in_the_numbers_asked_for() -> None:
    assert Counter(row.grade for row in SUBJECTS) == {"A": 120, "B": 90, "C": 60, "D": 30}
    small = fiction.subjects(7, {"A": 2, "D": 1})
    assert sorted(str(row.grade) for row in small) == ["A", "A", "D"]
    assert fiction.subjects(7, {}) == []


def test_subjects_are_distinct_valid_and_marked_as_a_drill() -> None:
    assert len({row.code for row in SUBJECTS}) == len({row.name for row in SUBJECTS}) == 300
    for row in SUBJECTS:
        assert credit_code(row.code) == row.code
        assert row.code[2:10] == "410403YL"
        assert row.name.endswith("（演练）")
        assert row.email == "" or row.email.endswith(".example")
        assert row.phone.startswith("0375-0")


def test_companies_and_individual_businesses_have_codes_of_their_kind() -> None:
    kinds = {("有限公司" in row.name, row.code[:2]) for row in SUBJECTS}
    assert kinds == {(True, "91"), (False, "92")}


def test_some_subjects_have_closed_and_some_lack_what_registers_lack() -> None:
    statuses = Counter(row.status for row in SUBJECTS)
    assert statuses == {"在营": 294, "注销": 2, "停业": 2, "吊销": 1, "迁出": 1}
    assert any(not row.email for row in SUBJECTS)
    assert any(row.last_inspected_on is None for row in SUBJECTS)
    assert any(row.licence_expires_on and row.licence_expires_on < AS_OF for row in SUBJECTS)


def test_inspectors_are_distinct_marked_and_twelve_in_each_department() -> None:
    assert Counter(row.department for row in INSPECTORS) == {"yjglj": 12, "scjgj": 12}
    assert len({row.certificate for row in INSPECTORS}) == 24
    assert len({row.name for row in INSPECTORS}) == len({row.email for row in INSPECTORS}) == 24
    assert all(row.name.endswith("（演练）") for row in INSPECTORS)
    assert all(row.email.endswith(".example") for row in INSPECTORS)
    assert {bool(row.qualifications) for row in INSPECTORS} == {True, False}


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_each_department_has_one_expired_one_away_and_one_expiring_in_the_second_round(
    department: str,
) -> None:
    rows = [row for row in INSPECTORS if row.department == department]
    assert sum(row.certificate_expires_on < AS_OF for row in rows) == 1
    assert sum(row.status == "离岗" for row in rows) == 1
    between = [date(2024, 9, 30) < r.certificate_expires_on < date(2024, 12, 31) for r in rows]
    assert sum(between) == 1


@pytest.mark.parametrize("seed", range(20))
def test_recusals_name_subjects_and_leave_every_subject_enough_inspectors(seed: int) -> None:
    subjects = fiction.subjects(seed, {"A": 5, "B": 5, "C": 5, "D": 5})
    codes = {row.code for row in subjects}
    rows = fiction.inspectors(seed, DEPARTMENTS, subjects=subjects)
    recused = [code for row in rows for code in row.recusals]
    assert recused
    assert set(recused) <= codes
    able = [r for r in rows if r.status == "在岗" and r.certificate_expires_on > date(2024, 12, 31)]
    for code in codes:
        left = Counter(row.department for row in able if code not in row.recusals)
        assert all(left[department] >= 2 for department in DEPARTMENTS)
