"""The database, saved and put back while everything runs."""

import os
import sqlite3
import subprocess
from pathlib import Path

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
    draft = file.with_name(file.name + ".part")
    with sqlite3.connect(str(url.database)) as source, sqlite3.connect(draft) as target:
        source.backup(target)
    target.close()
    source.close()
    os.replace(draft, file)


def restore(file: Path) -> None:
    """Put a backup in the place of the database, in one step. EntryRefused."""
    if not file.exists():
        raise EntryRefused(f"找不到备份文件 {file}")
    url = make_url(settings().database)
    if url.get_backend_name() != "sqlite":
        _postgresql("pg_restore", "--clean", "--if-exists", "--single-transaction", str(file))
        return
    source = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        check = source.execute("PRAGMA integrity_check").fetchone()[0]
        tables = {row[0] for row in source.execute("SELECT name FROM sqlite_master")}
    except sqlite3.DatabaseError as error:
        raise EntryRefused(f"{file} 不是备份文件（{error}）") from error
    if check != "ok" or "ledger" not in tables:
        raise EntryRefused(f"{file} 不是完好的备份文件")
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(str(url.database)) as target:
        source.backup(target)
    target.close()
    source.close()


def _postgresql(program: str, *arguments: str) -> None:
    url = make_url(settings().database)
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        subprocess.run([program, f"--dbname={plain}", *arguments], check=True, capture_output=True)
    except FileNotFoundError as error:
        raise EntryRefused(f"需要 PostgreSQL 的 {program}，请先安装客户端") from error
    except subprocess.CalledProcessError as error:
        reason = error.stderr.decode(errors="replace").strip().splitlines()
        raise EntryRefused(f"{program} 失败：{reason[-1] if reason else '原因不明'}") from error
