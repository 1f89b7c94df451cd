"""Rotation: read off the draws and inspections that there were, and written for the coordinator."""

import csv
from collections import defaultdict
from datetime import date
from io import StringIO

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from models.database import reading
from models.draw import Draw
from models.inspection import Inspection
from models.rotation import Rotation, plus_months, within_months
from models.round import Round
from models.settings import settings
from models.subject import Subject
from tasks.paper import write

HEADINGS = ("检查编号", "统一社会信用代码", "名称", "上次抽中", "上次检查", "本年抽中次数")


def lately_inspected(session: Session, months: int, on: date) -> dict[str, date]:
    """Subjects inspected within so many months of that day, each with the day; none for 0."""
    if not months:
        return {}
    since = plus_months(on, -months)
    known = [
        *session.execute(
            select(Subject.code, Subject.last_inspected_on).where(
                Subject.last_inspected_on.between(since, on)
            )
        ),
        *session.execute(
            select(Inspection.subject_code, func.max(Inspection.ended_on))
            .where(Inspection.ended_on.between(since, on))
            .group_by(Inspection.subject_code)
        ),
    ]
    found: dict[str, date] = {}
    for code, day in known:
        if within_months(day, months, on):
            found[code] = max(day, found.get(code, day))
    return found


def rotation(round_code: str) -> list[Rotation]:
    """When each drawn subject of the round was drawn and inspected before; draw by draw, in order.

    It names the drawn: for the coordinator alone until the reveal.
    """
    with reading() as session:
        drawn = session.execute(
            select(
                Inspection.code,
                Inspection.subject_code,
                Inspection.subject["name"].as_string(),
                Draw.sealed_at,
                Subject.last_inspected_on,
            )
            .join(Draw, Draw.id == Inspection.draw_id)
            .join(Round, Round.id == Inspection.round_id)
            .outerjoin(Subject, Subject.code == Inspection.subject_code)
            .where(Round.code == round_code)
            .order_by(Inspection.id)
        ).tuples()
        pasts = _pasts(session, round_code)
        return [
            _rotation(code, subject, name, sealed_at.date(), registered, pasts[subject])
            for code, subject, name, sealed_at, registered in drawn
            if sealed_at is not None
        ]


Past = tuple[date, date | None]  # the day of a draw, and of the inspection that came of it


def _pasts(session: Session, round_code: str) -> dict[str, list[Past]]:
    """Every draw of each subject that was drawn in that round, this one included."""
    now, past = aliased(Inspection), aliased(Inspection)
    found: dict[str, list[Past]] = defaultdict(list)
    for code, sealed_at, ended_on in session.execute(
        select(past.subject_code, Draw.sealed_at, past.ended_on)
        .join(now, now.subject_code == past.subject_code)
        .join(Round, Round.id == now.round_id)
        .join(Draw, Draw.id == past.draw_id)
        .where(Round.code == round_code, Draw.sealed_at.is_not(None))
    ).tuples():
        if sealed_at is not None:
            found[code].append((sealed_at.date(), ended_on))
    return found


def _rotation(
    inspection: str, code: str, name: str, on: date, registered: date | None, past: list[Past]
) -> Rotation:
    draws = [day for day, _ in past if day <= on]
    inspections = [day for day in (registered, *(ended for _, ended in past)) if day and day < on]
    return Rotation(
        inspection=inspection,
        code=code,
        name=name,
        last_drawn_on=max((day for day in draws if day < on), default=None),
        last_inspected_on=max(inspections, default=None),
        drawn_this_year=sum(day.year == on.year for day in draws),
    )


def write_rotation(round_code: str) -> None:
    """Write the round's rotation beside its papers, as `轮换情况.csv` that Excel opens."""
    text = StringIO()
    sheet = csv.writer(text)
    sheet.writerow(HEADINGS)
    sheet.writerows(
        (
            one.inspection,
            one.code,
            one.name,
            one.last_drawn_on,
            one.last_inspected_on,
            one.drawn_this_year,
        )
        for one in rotation(round_code)
    )
    path = settings().papers_folder / round_code / "轮换情况.csv"
    write(path, text.getvalue().encode("utf-8-sig"))
