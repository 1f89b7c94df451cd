"""The database, saved and put back while everything runs."""

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from uuid import uuid4

from sqlalchemy.engine import make_url

from models.entry import EntryRefused
from models.settings import settings


def backup(file: Path) -> None:
    """Write a consistent copy of the database to `file`, which must not exist. EntryRefused."""
    if file.exists():
        raise EntryRefused(f"{file} 已存在，请换一个文件名")
    url = make_url(settings().database)
    if url.get_backend_name() != "sqlite":
        _postgresql("pg_dump", "--format=custom", f"--file={file}")
        return
    database = Path(str(url.database))
    if not database.exists():
        raise EntryRefused(f"还没有数据库 {database}，无可备份")
    draft = file.with_name(f".{uuid4().hex}.tmp")
    try:
        with _opened(database) as source, closing(sqlite3.connect(draft)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
        os.replace(draft, file)
    except (sqlite3.Error, OSError) as error:
        raise EntryRefused(f"写不进备份文件 {file}（{error}）") from error
    finally:
        draft.unlink(missing_ok=True)


def restore(file: Path) -> None:
    """Put a backup in the place of the database, in one step. EntryRefused."""
    if not file.is_file():
        raise EntryRefused(f"找不到备份文件 {file}")
    url = make_url(settings().database)
    if url.get_backend_name() != "sqlite":
        _postgresql("pg_restore", "--clean", "--if-exists", "--single-transaction", str(file))
        return
    database = Path(str(url.database))
    with _opened(file) as source:
        try:
            check = source.execute("PRAGMA integrity_check").fetchone()[0]
            tables = {row[0] for row in source.execute("SELECT name FROM sqlite_master")}
        except sqlite3.DatabaseError as error:
            raise EntryRefused(f"{file} 不是备份文件（{error}）") from error
        if check != "ok" or "ledger" not in tables:
            raise EntryRefused(f"{file} 不是完好的备份文件")
        database.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(database)) as target:
            source.backup(target, sleep=0.01)  # how often to look whether a writer has finished


def _opened(file: Path) -> "closing[sqlite3.Connection]":
    return closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True))


def _postgresql(program: str, *arguments: str) -> None:
    url = make_url(settings().database)
    # Not on the command line, where everybody on the machine could read the password.
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}
    plain = url.set(drivername="postgresql", password=None).render_as_string()
    try:
        subprocess.run(
            [program, f"--dbname={plain}", *arguments],
            check=True,
            capture_output=True,
            env=os.environ | secret,
        )
    except FileNotFoundError as error:
        raise EntryRefused(f"需要 PostgreSQL 的 {program}，请先安装客户端") from error
    except subprocess.CalledProcessError as error:
        reason = error.stderr.decode(errors="replace").strip().splitlines()
        raise EntryRefused(f"{program} 失败：{reason[-1] if reason else '原因不明'}") from error
