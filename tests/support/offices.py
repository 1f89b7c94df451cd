"""Offices with their databases, as the fixtures of conftest.py hand them out."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import URL, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from models import fiction
from models.base import SHANGHAI, Base
from models.database import engine_for, migrate, writing
from models.plan import Plan
from models.registers import SubjectRow
from tasks import draw, duty
from tasks.mail import deliver
from tasks.plan import load_plan
from tasks.registers import save_inspectors, save_subjects

SEED = 2024


class Office:
    """An office with its folder and database: the shipped plan as a drill, fictional registers."""

    def __init__(self, home: Path, database: str) -> None:
        self.home = home
        self.database = database

    def register(
        self,
        plan: Plan,
        subjects: list[SubjectRow],
        people_as_of: date = date(2024, 6, 20),  # their certificates hold for years from then
    ) -> None:
        """Make the tables; load the plan and the registers, on the day before each round's."""
        at = moment(date(2024, 6, 20))
        departments = [department.code for department in plan.departments]
        people = fiction.inspectors(SEED, departments, subjects=subjects, as_of=people_as_of)
        with self.here():
            migrate()
            load_plan(plan, at)
            with writing() as session:
                save_subjects(session, subjects, "检查对象.xlsx", at, "演练")
                save_inspectors(session, people, "执法检查人员.xlsx", at, "演练")

    @contextmanager
    def here(self) -> Iterator[None]:
        """What is run within works on this office, and leaves no connection open."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SHUANGSUIJI_HOME", str(self.home))
            patch.setenv("SHUANGSUIJI_DATABASE_URL", self.database)
            try:
                yield
            finally:
                engine_for(self.database).dispose()

    def copy(self, home: Path) -> "Office":
        """The same office once more, in `home` and a database of its own."""
        if self.home.exists():
            shutil.copytree(self.home, home)
        url = make_url(self.database)
        if url.get_backend_name() == "sqlite":
            return Office(home, f"sqlite:///{home / 'shuangsuiji.db'}")
        name = f"office_{uuid4().hex}"
        administer(url, f"CREATE DATABASE {name} TEMPLATE {url.database}")
        return Office(home, url.set(database=name).render_as_string(hide_password=False))

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Every row of every table, as it is stored, by table and number."""
        engine = create_engine(self.database, poolclass=NullPool)
        with engine.connect() as connection:
            return {
                table: [
                    dict(row)
                    for row in connection.exec_driver_sql(
                        f'SELECT * FROM "{table}" ORDER BY 1'
                    ).mappings()
                ]
                for table in Base.metadata.tables
            }

    def files(self) -> dict[str, bytes]:
        """Every finished file below the office's folder, but for its database and its mails."""
        return {
            str(path.relative_to(self.home)): path.read_bytes()
            for folder in ("papers", "publications")
            for path in sorted((self.home / folder).rglob("*"))
            if path.is_file() and path.suffix != ".tmp"
        }


def administer(url: str | URL, command: str) -> None:
    """Run a command on the PostgreSQL of that URL which no transaction may hold."""
    server = make_url(url).set(database="postgres")
    administrator = create_engine(server, isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.exec_driver_sql(command)
    administrator.dispose()


def moment(day: date) -> datetime:
    """Nine o'clock of that day."""
    return datetime.combine(day, time(9), tzinfo=SHANGHAI)


def draw_round(code: str, day: date) -> None:
    """The stages of a pass that lead to inspections and their duties."""
    at = moment(day)
    assert duty.update_duties(code, at) == 0
    assert draw.freeze_draws(code, at) == []
    deliver(at)
    draw.seal_draws(code, at)
    duty.update_duties(code, at)


class Passes:
    """Passes in processes of their own, which may be told to die; see flows/passes.py."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, *jobs: dict[str, Any]) -> list[int]:
        """Run the jobs at the same time; the exit status of each, -9 where it killed itself."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(jobs) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "passes.py ended by itself; what it said is in the captured output"
        return list(json.loads(answer))

    @staticmethod
    def job(office: Office, at: datetime, kind: str = "pass", kill: Any = None) -> dict[str, Any]:
        """A job on that office's first round."""
        return {
            "home": str(office.home),
            "database": office.database,
            "code": "2024-1",
            "at": at.isoformat(),
            "kind": kind,
            "kill": kill,
        }
