"""The database: one way in, writers one at a time, tables as the models say."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import ValidationError
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session

import models.tables  # noqa: F401
from models.base import SHANGHAI, Base
from models.database import engine_for, migrate, reading, writing
from models.ledger import Event, append
from models.notice import Notice
from models.plan import Plan, PlanVersion, read_plan
from models.round import Round
from models.settings import SHIPPED_PLAN, Settings, settings
from models.triggers import drop_triggers, make_triggers
from tasks.ledger import verify


def plan(number: str, at: datetime) -> PlanVersion:
    return PlanVersion(number=number, version=1, digest="", content={}, loaded_at=at)


def test_the_migrations_make_the_tables_that_the_models_name(database: Path) -> None:
    with engine_for(settings().database).connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "render_as_batch": True}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_again_changes_nothing(database: Path) -> None:
    def schema() -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(database)) as connection:
            return connection.execute("SELECT name, sql FROM sqlite_master ORDER BY 1").fetchall()

    before = schema()
    migrate()
    assert schema() == before


def test_a_migration_leaves_the_triggers_as_the_models_have_them(database: Path) -> None:
    def triggers() -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(database)) as connection:
            named = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY 1"
            return connection.execute(named).fetchall()

    before = triggers()
    with closing(sqlite3.connect(database)) as connection:  # as an earlier version had them
        connection.execute("DROP TRIGGER ledger_no_delete")
        connection.execute("CREATE TRIGGER bygone BEFORE DELETE ON mail BEGIN SELECT 1; END")
    assert triggers() != before
    with engine_for(settings().database).begin() as connection:
        drop_triggers(connection)
        make_triggers(connection)
    assert triggers() == before


def test_an_exception_leaves_nothing_half_written(database: Path) -> None:
    at = datetime(2024, 6, 20, tzinfo=UTC)

    def fail(session: Session) -> None:
        session.add(plan("一", at))
        session.flush()
        raise RuntimeError("电源断了")

    with pytest.raises(RuntimeError), writing() as session:
        fail(session)
    with reading() as session:
        assert session.scalar(select(PlanVersion)) is None


def test_a_reader_never_writes(database: Path) -> None:
    with reading() as session:
        session.add(plan("一", datetime(2024, 6, 20, tzinfo=UTC)))
        session.flush()
    with reading() as session:
        assert session.scalar(select(PlanVersion)) is None


def test_writers_take_turns_from_their_first_look_on(database: Path) -> None:
    """Read, then write what was read plus one: no turn is lost, though nobody retries."""
    with writing() as session:
        session.execute(text("CREATE TABLE counter (value INTEGER)"))
        session.execute(text("INSERT INTO counter VALUES (0)"))

    def increase(_: int) -> None:
        with writing() as session:
            value = session.scalar(text("SELECT value FROM counter")) or 0
            session.execute(text("UPDATE counter SET value = :value"), {"value": value + 1})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(increase, range(20)))
    with reading() as session:
        assert session.scalar(text("SELECT value FROM counter")) == 20


def test_the_chain_has_one_end_however_many_write(database: Path) -> None:
    at = datetime(2024, 7, 1, tzinfo=SHANGHAI)

    def write(number: int) -> None:
        with writing() as session:
            append(
                session, at, f"甲{number}", [Event("一", "2024-1", {}), Event("二", "2024-1", {})]
            )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(10)))
    assert verify() == (20, None)


def test_readers_hold_up_no_writer_and_see_one_moment(database: Path) -> None:
    with writing() as session:
        session.add(plan("一", datetime(2024, 6, 20, tzinfo=UTC)))
    with reading() as reader:
        assert reader.scalars(select(PlanVersion.number)).all() == ["一"]
        with writing() as writer:
            writer.add(plan("二", datetime(2024, 6, 20, tzinfo=UTC)))
        assert reader.scalars(select(PlanVersion.number)).all() == ["一"]
    with reading() as reader:
        assert reader.scalars(select(PlanVersion.number).order_by(PlanVersion.id)).all() == [
            "一",
            "二",
        ]


def test_a_row_that_points_nowhere_is_refused(database: Path) -> None:
    notice = Notice(inspection_id=7, number="双随机告〔2024〕1号", issued_on=date(2024, 7, 1))
    with pytest.raises(IntegrityError), writing() as session:
        session.add(notice)


def test_moments_come_back_in_the_time_of_china(database: Path) -> None:
    with writing() as session:
        session.add(plan("一", datetime(2024, 6, 20, 17, 30, tzinfo=UTC)))
    with reading() as session:
        found = session.scalars(select(PlanVersion.loaded_at)).one()
    assert found.isoformat() == "2024-06-21T01:30:00+08:00"


def test_a_moment_without_a_time_zone_is_refused(database: Path) -> None:
    with pytest.raises(StatementError, match="time zone"), writing() as session:
        session.add(plan("一", datetime(2024, 6, 20)))  # noqa: DTZ001


def test_a_round_code_exists_once(database: Path) -> None:
    at = datetime(2024, 6, 20, tzinfo=UTC)
    days = dict.fromkeys(("opens_on", "visits_from", "ends_on"), date(2024, 7, 1))
    rounds = [
        Round(plan_id=1, code="2024-1", number=n, task_number=str(n), registered_at=at, **days)
        for n in (1, 2)
    ]
    with writing() as session:
        session.add(plan("一", at))
    with pytest.raises(IntegrityError), writing() as session:
        session.add_all(rounds)


def test_an_empty_variable_hides_the_line_in_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rehearsal empties them, so as never to touch the office's own database."""
    monkeypatch.delenv("SHUANGSUIJI_PORT", raising=False)
    env = tmp_path / ".env"
    env.write_text("SHUANGSUIJI_DATABASE_URL=postgresql://office\nSHUANGSUIJI_PORT=4300\n")
    read = Settings(_env_file=env)  # type: ignore[call-arg]
    assert (read.database, read.port) == ("postgresql://office", 4300)
    for name in ("HOME", "DATABASE_URL", "PORT", "PLAN"):
        monkeypatch.setenv(f"SHUANGSUIJI_{name}", "")
    read = Settings(_env_file=env)  # type: ignore[call-arg]
    assert read.database == f"sqlite:///{read.home / 'shuangsuiji.db'}"
    assert read.home.name == "var"
    assert (read.port, read.plan) == (4200, SHIPPED_PLAN)


def test_paths_of_the_settings_are_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHUANGSUIJI_HOME", "var/elsewhere")
    assert settings().home.is_absolute()
    assert settings().papers_folder == settings().home / "papers"


def test_a_plan_that_was_loaded_before_gets_the_new_terms_and_alerts() -> None:
    migration = import_module("models.migrations.versions.0003_duties")
    new = {term["duty"] for term in migration.TERMS}
    content = read_plan(SHIPPED_PLAN).model_dump(mode="json")
    del content["urgent_alerts"]
    content["terms"] = [term for term in content["terms"] if term["duty"] not in new]
    with pytest.raises(ValidationError):
        Plan.model_validate(content)
    found = Plan.model_validate(migration.completed(content))
    assert (found.term("crime_decide").natural_days, found.term("crime_transfer").hours) == (3, 24)
    assert found.urgent_alerts == read_plan(SHIPPED_PLAN).urgent_alerts
    whole = found.model_dump(mode="json")
    assert migration.completed(whole) == whole  # its own terms and alerts stay as they are
