"""Draws made elsewhere (外部抽取): the platform's list as rows, checked against the registers."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from models import cells
from models.cells import Cell
from models.credit_code import credit_code
from models.plan import Plan
from models.protocol import Team
from models.registers import Problem, RegisterError

HEADINGS = ("统一社会信用代码", "部门", "执法证号")


class Place(NamedTuple):
    """One row: an inspector of a department for a drawn subject; `row` as spreadsheets count."""

    row: int
    subject: str
    department: str
    certificate: str


def read_places(file: str, rows: Iterable[Sequence[Cell]], plan: Plan) -> list[Place]:
    """The rows of the platform's list below its headings; RegisterError with every problem."""
    departments = {d.name: d.code for d in plan.departments} | {
        d.code: d.code for d in plan.departments
    }
    filled = [(n, row) for n, row in enumerate(rows, 1) if not all(map(cells.is_blank, row))]
    number, header = filled[0] if filled else (0, ())
    titles = ["" if cell is None else str(cell).strip() for cell in header]
    if missing := [heading for heading in HEADINGS if heading not in titles]:
        raise RegisterError([Problem(file, number, "", f"缺少列：{'、'.join(missing)}")])

    def department(cell: object) -> str:
        name = cells.name(cell)
        if name not in departments:
            raise ValueError(f"应为{'、'.join(d.name for d in plan.departments)}之一：{name}")
        return departments[name]

    def subject(cell: object) -> str:
        return credit_code(cells.code(cell))

    readers = (subject, department, cells.code)
    problems: list[Problem] = []
    places = []
    for number, row in filled[1:]:
        read: list[str] = []
        for heading, reader in zip(HEADINGS, readers, strict=True):
            column = titles.index(heading)
            try:
                read.append(reader(row[column] if column < len(row) else None))
            except ValueError as error:
                problems.append(Problem(file, number, heading, str(error)))
        if len(read) == len(HEADINGS):
            places.append(Place(number, *read))
    if problems:
        raise RegisterError(problems)
    return places


def teams(
    file: str,
    places: Sequence[Place],
    plan: Plan,
    pool: Collection[str],
    able: Mapping[str, str],
    recused: Collection[tuple[str, str]],
) -> list[Team]:
    """Every subject's teams, subjects in the file's order, departments in the plan's.

    `pool`: who may be drawn; `able`: the department of each inspector who may serve; `recused`:
    (subject, certificate). RegisterError with every row that does not hold.
    """
    problems = [
        Problem(file, place.row, heading, message)
        for place in places
        for heading, message in _faults(place, pool, able, recused)
    ]
    by_subject: dict[str, dict[str, list[str]]] = {}
    first: dict[str, int] = {}
    for place in places:
        first.setdefault(place.subject, place.row)
        seats = by_subject.setdefault(place.subject, {}).setdefault(place.department, [])
        if place.certificate in seats:
            problems.append(Problem(file, place.row, "执法证号", f"重复：{place.certificate}"))
        seats.append(place.certificate)
    found = []
    for subject, seats_of in by_subject.items():
        for one in plan.departments:
            seats = seats_of.get(one.code, [])
            if len(seats) < one.inspectors:
                message = f"{one.name}须有 {one.inspectors} 人，现有 {len(seats)} 人：{subject}"
                problems.append(Problem(file, first[subject], "部门", message))
                continue
            found.append(
                Team(subject, one.code, tuple(seats), seats[0] if one.initiating else None)
            )
    if problems:
        raise RegisterError(sorted(problems, key=lambda problem: problem.row))
    return found


def _faults(
    place: Place,
    pool: Collection[str],
    able: Mapping[str, str],
    recused: Collection[tuple[str, str]],
) -> Iterable[tuple[str, str]]:
    if place.subject not in pool:
        yield "统一社会信用代码", f"不是名录库中该等级的在营检查对象：{place.subject}"
    if able.get(place.certificate) != place.department:
        message = f"不是该部门在岗、证件在检查期内有效并具备资质的人员：{place.certificate}"
        yield "执法证号", message
    if (place.subject, place.certificate) in recused:
        yield "执法证号", f"须回避该检查对象：{place.certificate}"
