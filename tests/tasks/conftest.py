"""Two offices: one with nothing but its plan and a round, on both databases; and one whose terms
reach beyond the last notice that is known, that of 2026.
"""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import make_url

from models import fiction
from models.database import engine_for, migrate, reading, writing
from models.obligation import Obligation
from models.plan import Plan, PlannedRound, PlanVersion, Window, read_plan
from models.publication import PublicationEntry
from models.record import RecordEntry
from models.round import Round
from models.settings import SHIPPED_PLAN
from offices import administer, draw_round, moment
from tasks import inspection, publication
from tasks.holiday import Imported, import_notice
from tasks.plan import load_plan
from tasks.registers import save_inspectors, save_subjects

DATA = Path(__file__).parents[1] / "data"
NOTICE = ("国办发明电〔2026〕99号", date(2026, 11, 24), "notice_2027_rehearsal.txt")
AMENDMENT = ("国办发明电〔2027〕98号", date(2027, 1, 25), "notice_2027_amendment.txt")


def fill(office: Any) -> Any:
    """The shipped plan and its first round, as rows alone: nothing in the ledger, nobody told."""
    plan, at = read_plan(SHIPPED_PLAN), moment(date(2024, 6, 24))
    first = plan.rounds[0]
    with office.here():
        migrate()
        with writing() as session:
            version = PlanVersion(
                number=plan.number,
                version=1,
                digest=plan.digest,
                content=plan.model_dump(mode="json"),
                loaded_at=at,
            )
            session.add(version)
            session.flush()
            session.add(
                Round(
                    plan_id=version.id,
                    code="2024-1",
                    number=first.number,
                    task_number="1",
                    opens_on=first.opens_on,
                    visits_from=first.visits_from,
                    ends_on=first.ends_on,
                    registered_at=at,
                )
            )
    return office


@pytest.fixture(scope="session")
def _bare(_migrated: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return fill(_migrated.copy(tmp_path_factory.mktemp("bare") / "home"))


@pytest.fixture(scope="session")
def _bare_postgresql(
    postgresql: str, _migrated: Any, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    administer(postgresql, "CREATE DATABASE bare")
    url = make_url(postgresql).set(database="bare").render_as_string(hide_password=False)
    return fill(type(_migrated)(tmp_path_factory.mktemp("bare") / "home", url))


@pytest.fixture
def postgresql_url(_bare_postgresql: Any, postgresql: str, tmp_path: Path) -> Iterator[str]:
    """A PostgreSQL database with the shipped plan and one round, for one test alone."""
    url = _bare_postgresql.copy(tmp_path / "bare").database
    yield url
    engine_for(url).dispose()
    administer(postgresql, f"DROP DATABASE {make_url(url).database} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The same on each kind of database in turn."""
    if request.param == "postgresql":
        yield request.getfixturevalue("postgresql_url")
        return
    url = str(request.getfixturevalue("_bare").copy(tmp_path / "bare").database)
    # No power is cut here, and the disk would take most of the time.
    event.listen(engine_for(url), "connect", lambda to, _: to.execute("PRAGMA synchronous = OFF"))
    yield url
    engine_for(url).dispose()


@pytest.fixture(scope="session")
def winter_plan(drill: Plan) -> Plan:
    """The shipped plan with one round, from November 2026 to January 2027."""
    days = {
        "opens_on": date(2026, 11, 2),
        "visits_from": date(2026, 11, 12),
        "ends_on": date(2027, 1, 31),
    }
    return drill.model_copy(
        update={
            "number": "平卫双随机办〔2026〕99号",
            "code": "2026",
            "window": Window(begins_on=date(2026, 6, 25), ends_on=date(2027, 2, 28)),
            "rounds": (PlannedRound(number=1, **days),),
        }
    )


@pytest.fixture(scope="session")
def _winter(
    _migrated: Any,
    winter_plan: Plan,
    sheet: Callable[..., RecordEntry],
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    office = _migrated.copy(tmp_path_factory.mktemp("winter") / "home")
    registered, opened = date(2026, 10, 26), date(2026, 11, 2)
    departments = [department.code for department in winter_plan.departments]
    counts = dict.fromkeys("ABC", 1) | {"D": 30}
    subjects = fiction.subjects(2026, counts, as_of=registered)
    people = fiction.inspectors(2026, departments, subjects=subjects, as_of=registered)
    with office.here():
        load_plan(winter_plan, moment(registered))
        with writing() as session:
            save_subjects(session, subjects, "检查对象.xlsx", moment(registered), "演练")
            save_inspectors(session, people, "执法检查人员.xlsx", moment(registered), "演练")
        draw_round("2026-1", opened)
        for number, ended_on in VISITS.items():
            entry = sheet(f"2026-1-D0{number}", ended_on=ended_on)
            inspection.record_inspections([entry], moment(ended_on))
        published = date(2026, 12, 31)
        publication.prepare_publications("2026-1", moment(published))
        entry = PublicationEntry(
            inspection="2026-1-D03",
            department="yjglj",
            entered_on=published,
            published_on=published.isoformat(),
            entered_by="张三",
        )
        publication.confirm_publications([entry], moment(published))
    return office


# When the visits to D01 to D04 ended; D03's result is published by one department.
VISITS = {1: date(2026, 11, 13), 2: date(2026, 12, 4), 3: date(2026, 12, 14), 4: date(2027, 1, 15)}


@pytest.fixture
def eve(_winter: Any) -> Iterator[Any]:
    """That office, shared by tests that change nothing in it."""
    with _winter.here():
        yield _winter


@pytest.fixture
def winter(_winter: Any, tmp_path: Path) -> Iterator[Any]:
    """That office, for one test alone, which works in it."""
    copy = _winter.copy(tmp_path / "winter")
    with copy.here():
        yield copy


@pytest.fixture(scope="session")
def _imported(_winter: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    office = _winter.copy(tmp_path_factory.mktemp("imported") / "home")
    with office.here():
        office.done = Import2027()()
    return office


@pytest.fixture
def imported(_imported: Any) -> Iterator[Any]:
    """That office after the import, shared by tests that only read; `done` is what it said."""
    with _imported.here():
        yield _imported


@pytest.fixture(scope="session")
def stored() -> Callable[..., Obligation]:
    """Reads an obligation as it is stored now: `stored("publish", "2026-1-D04/yjglj")`."""

    def read(duty: str, object: str) -> Obligation:
        with reading() as session:
            query = select(Obligation).where(Obligation.duty == duty, Obligation.object == object)
            return session.scalars(query).one()

    return read


@pytest.fixture(scope="session")
def import_2027() -> "Import2027":
    """Imports the notice for 2027, or the amendment of it."""
    return Import2027()


class Import2027:
    """The fixture `import_2027`; `text` is the notice's."""

    text = (DATA / NOTICE[2]).read_text("utf-8")

    def __call__(
        self, day: date = date(2027, 1, 20), amendment: bool = False, **given: Any
    ) -> Imported:
        number, issued_on, name = AMENDMENT if amendment else NOTICE
        known = {
            "text": (DATA / name).read_text("utf-8"),
            "number": number,
            "issued_on": issued_on,
            "confirmed_by": [],
            "at": moment(day),
            "actor": "王五",
        }
        return import_notice(**(known | given))
