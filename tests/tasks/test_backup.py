"""Backups: whole, one file, taken and put back while others write."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from threading import Event as Signal
from threading import Thread

import pytest
from sqlalchemy import func, select

from models.base import SHANGHAI
from models.database import migrate, reading, writing
from models.entry import EntryRefused
from models.ledger import Event, LedgerEntry, append
from tasks import ledger
from tasks.backup import backup, restore

AT = datetime(2024, 7, 1, tzinfo=SHANGHAI)


def write(action: str) -> None:
    with writing() as session:
        append(session, AT, "张三", [Event(action, "2024-1", {}), Event(action, "2024-2", {})])


def count() -> int:
    with reading() as session:
        return session.scalar(select(func.count(LedgerEntry.id))) or 0


@contextmanager
def a_writer_at_work() -> Iterator[None]:
    """Somebody who writes two entries at a time, without end."""
    stop, failures = Signal(), []

    def work() -> None:
        try:
            while not stop.is_set():
                write("写")
        except Exception as error:
            failures.append(error)

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert failures == []


def test_a_backup_puts_everything_back(database: Path, tmp_path: Path) -> None:
    write("一")
    file = tmp_path / "备份.db"
    backup(file)
    write("二")
    assert count() == 4
    restore(file)
    assert ledger.verify() == (2, None)
    write("三")
    assert ledger.verify() == (4, None)


def test_a_backup_is_one_file_and_stays_one(database: Path, tmp_path: Path) -> None:
    folder = tmp_path / "U 盘"
    folder.mkdir()
    backup(folder / "备份#1?.db")
    restore(folder / "备份#1?.db")
    assert [path.name for path in folder.iterdir()] == ["备份#1?.db"]


def test_a_backup_taken_while_others_write_is_of_one_moment(database: Path, tmp_path: Path) -> None:
    write("始")
    with a_writer_at_work():
        for number in range(5):
            backup(tmp_path / f"{number}.db")
    sizes = []
    for number in range(5):
        with closing(sqlite3.connect(tmp_path / f"{number}.db")) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            sizes.append(copy.execute("SELECT count(*) FROM ledger").fetchone()[0])
    assert sizes == sorted(sizes)
    assert all(size % 2 == 0 for size in sizes)


def test_a_backup_is_put_back_while_others_write(database: Path, tmp_path: Path) -> None:
    write("始")
    file = tmp_path / "备份.db"
    backup(file)
    with a_writer_at_work():
        restore(file)
    entries, bad = ledger.verify()
    assert (entries % 2, bad) == (0, None)


def test_a_backup_opens_a_new_home(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("一")
    backup(tmp_path / "备份.db")
    elsewhere = tmp_path / "新" / "shuangsuiji.db"
    monkeypatch.setenv("SHUANGSUIJI_DATABASE_URL", f"sqlite:///{elsewhere}")
    restore(tmp_path / "备份.db")
    with closing(sqlite3.connect(elsewhere)) as copy:
        assert copy.execute("SELECT count(*) FROM ledger").fetchone() == (2,)


def test_a_file_that_is_there_is_never_overwritten(database: Path, tmp_path: Path) -> None:
    file = tmp_path / "备份.db"
    file.write_text("别的", encoding="utf-8")
    with pytest.raises(EntryRefused, match="已存在，请换一个文件名"):
        backup(file)
    assert file.read_text(encoding="utf-8") == "别的"


def test_a_folder_that_is_not_there_is_refused(database: Path, tmp_path: Path) -> None:
    with pytest.raises(EntryRefused, match="写不进备份文件"):
        backup(tmp_path / "无" / "备份.db")


def test_where_there_is_no_database_there_is_nothing_to_back_up(home: Path, tmp_path: Path) -> None:
    with pytest.raises(EntryRefused, match="还没有数据库"):
        backup(tmp_path / "备份.db")
    assert not (tmp_path / "备份.db").exists()
    assert not (home / "shuangsuiji.db").exists()


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\x00" + b"x" * 4096])
def test_what_is_no_backup_is_refused_and_leaves_the_database_as_it_is(
    database: Path, tmp_path: Path, content: bytes
) -> None:
    write("一")
    file = tmp_path / "坏.db"
    file.write_bytes(content)
    with pytest.raises(EntryRefused, match=r"坏\.db 不是"):
        restore(file)
    assert ledger.verify() == (2, None)


def test_a_database_of_something_else_is_refused(database: Path, tmp_path: Path) -> None:
    file = tmp_path / "别的.db"
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE note (id)")
    with pytest.raises(EntryRefused, match="不是完好的备份文件"):
        restore(file)


def test_a_backup_that_is_not_there_is_refused(database: Path, tmp_path: Path) -> None:
    for missing in (tmp_path / "无.db", tmp_path):
        with pytest.raises(EntryRefused, match="找不到备份文件"):
            restore(missing)


def test_a_restored_database_can_be_migrated(database: Path, tmp_path: Path) -> None:
    backup(tmp_path / "备份.db")
    restore(tmp_path / "备份.db")
    migrate()
    write("一")
    assert ledger.verify() == (2, None)
