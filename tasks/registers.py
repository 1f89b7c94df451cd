"""Registers: a file's rows laid over what is stored, all or nothing."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from models import ledger
from models.database import writing
from models.entry import EntryRefused
from models.ledger import Event
from models.plan import PlanVersion
from models.registers import (
    Changes,
    InspectorRow,
    SubjectRow,
    compare,
    parse_inspectors,
    parse_subjects,
)
from models.subject import Inspector, Subject, columns
from tasks.sheet import read_rows
from tasks.steps import steps


def import_subjects(path: Path, at: datetime, actor: str) -> Changes[SubjectRow]:
    """Import a register of subjects (xlsx, csv). RegisterError, and nothing, if a row is bad."""
    rows = parse_subjects(path.name, read_rows(path))
    with writing() as session:
        return save_subjects(session, rows, path.name, at, actor)


def import_inspectors(path: Path, at: datetime, actor: str) -> Changes[InspectorRow]:
    """Import a register of inspectors; departments are those of the loaded plans."""
    cells = read_rows(path)
    with writing() as session:
        rows = parse_inspectors(path.name, cells, _departments(session))
        return save_inspectors(session, rows, path.name, at, actor)


def _departments(session: Session) -> dict[str, str]:
    known: dict[str, str] = {}
    for row in session.scalars(select(PlanVersion)):
        for department in row.plan.departments:
            known |= {department.code: department.code, department.name: department.code}
    if not known:
        raise EntryRefused("还没有载入抽查工作计划，请先运行 shuangsuiji init")
    return known


def save_subjects(
    session: Session, rows: list[SubjectRow], source: str, at: datetime, actor: str
) -> Changes[SubjectRow]:
    """Lay `rows` over the stored subjects; those that are not among them stay as they are."""
    stored = {subject.code: subject.row for subject in session.scalars(select(Subject))}
    changes = compare(stored, rows)
    if changes.added:
        session.execute(insert(Subject), [columns(row) for row in changes.added])
    for row in steps("更新名录库", changes.changed):
        session.execute(update(Subject).where(Subject.code == row.code).values(columns(row)))
    _record(session, "导入检查对象", source, changes, at, actor)
    return changes


def save_inspectors(
    session: Session, rows: list[InspectorRow], source: str, at: datetime, actor: str
) -> Changes[InspectorRow]:
    """The same for inspectors."""
    stored = {person.certificate: person.row for person in session.scalars(select(Inspector))}
    changes = compare(stored, rows)
    if changes.added:
        session.execute(insert(Inspector), [columns(row) for row in changes.added])
    for row in steps("更新名录库", changes.changed):
        session.execute(
            update(Inspector).where(Inspector.certificate == row.certificate).values(columns(row))
        )
    _record(session, "导入执法检查人员", source, changes, at, actor)
    return changes


def _record(
    session: Session,
    action: str,
    source: str,
    changes: Changes[SubjectRow] | Changes[InspectorRow],
    at: datetime,
    actor: str,
) -> None:
    detail = {
        "added": [row.key for row in changes.added],
        "changed": [row.key for row in changes.changed],
        "unchanged": len(changes.unchanged),
    }
    if changes.added or changes.changed:
        ledger.append(session, at, actor, [Event(action, source, detail)])
