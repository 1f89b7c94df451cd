"""The command: what it says in Chinese, what it refuses in one line, how it exits."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import update

from deployments.command import main
from models import fiction
from models.base import SHANGHAI
from models.database import writing
from models.inspection import DepartmentRecord
from models.settings import SHIPPED_PLAN, settings
from tasks import ledger
from tasks.draw import reveal_draws
from tasks.sheet import write_inspectors, write_subjects

Said = tuple[int, str, str]
Run = Callable[..., Said]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs the command in this process: exit code, output, errors."""

    def call(*arguments: object) -> Said:
        capsys.readouterr()
        with patch.object(sys, "argv", ["shuangsuiji", *map(str, arguments)]):
            try:
                main()
            except SystemExit as end:
                code = end.code or 0
            else:
                code = 0
        said = capsys.readouterr()
        assert isinstance(code, int)
        return code, said.out, said.err

    with patch.dict(os.environ):
        yield call


def refused(said: Said) -> str:
    """The one Chinese line of a refusal, which exits 2 and says nothing else."""
    code, output, errors = said
    assert (code, output) == (2, "")
    assert errors.endswith("\n")
    assert errors.count("\n") == 1
    return errors.strip()


@pytest.fixture
def registers(tmp_path: Path) -> Path:
    folder = tmp_path / "名录库"
    folder.mkdir()
    subjects = fiction.subjects(1, {"A": 2, "B": 2, "C": 2, "D": 2})
    write_subjects(folder / "检查对象.xlsx", subjects)
    write_inspectors(
        folder / "执法检查人员.xlsx", fiction.inspectors(1, ["yjglj", "scjgj"], 4, subjects)
    )
    return folder


# ---- init and imports ----------------------------------------------------------------------------


def test_init_makes_a_database_once_and_then_finds_nothing_to_do(run: Run, home: Path) -> None:
    assert run("init") == (0, "平卫双随机办〔2024〕55号 已载入（第 1 版），2 个轮次\n", "")
    assert (home / "shuangsuiji.db").is_file()
    assert run("init") == (0, "平卫双随机办〔2024〕55号 没有变化（第 1 版）\n", "")


def test_init_takes_another_plan_and_refuses_a_bad_one_with_nothing_written(
    run: Run, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "方案.toml"
    text = SHIPPED_PLAN.read_text(encoding="utf-8")
    file.write_text(text.replace('ratio = "3"', 'ratio = "2"'), encoding="utf-8")
    line = refused(run("init", "--plan", file))
    assert line == "方案.toml：grades.1：抽查比例 2% 低于方案规定的下限 3%"
    assert not (home / "shuangsuiji.db").exists()
    file.write_text(text.replace("55号", "56号"), encoding="utf-8")
    assert run("init", "--plan", file)[1].startswith("平卫双随机办〔2024〕56号 已载入（第 1 版）")


def test_the_plan_of_the_settings_is_taken_where_none_is_named(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHUANGSUIJI_PLAN", "没有.toml")
    assert refused(run("init")).startswith("没有.toml：读不到计划文件")


def test_registers_are_imported_with_what_changed(run: Run, home: Path, registers: Path) -> None:
    run("init")
    subjects, inspectors = registers / "检查对象.xlsx", registers / "执法检查人员.xlsx"
    assert run("import", "subjects", subjects) == (0, "新增 8，变更 0，未变 0\n", "")
    assert run("import", "subjects", subjects) == (0, "新增 0，变更 0，未变 8\n", "")
    assert run("import", "inspectors", inspectors) == (0, "新增 8，变更 0，未变 0\n", "")


@pytest.mark.parametrize(
    ("register", "name", "content", "line"),
    [
        ("subjects", "坏.csv", "名称,信用代码\n甲,123\n", "坏.csv 第 2 行“信用代码”："),
        ("subjects", "坏.csv", "名称,代号\n甲,123\n", "坏.csv 第 1 行：不认识的列：代号"),
        ("subjects", "坏.txt", "名称", "坏.txt：只能导入 xlsx 或 csv 文件"),
        ("subjects", "坏.xlsx", "名称", "坏.xlsx："),
        ("inspectors", "坏.csv", "姓名,部门,执法证号,执法证有效期\n甲,消防,1,2026-01-01\n",
         "坏.csv 第 2 行“部门”："),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("office")
def test_a_bad_register_is_refused_by_file_row_and_field(
    run: Run, tmp_path: Path, register: str, name: str, content: str, line: str
) -> None:
    before = ledger.verify()
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    assert refused(run("import", register, file)).startswith(line)
    assert ledger.verify() == before


def test_a_register_that_is_not_there_is_refused(run: Run, home: Path) -> None:
    assert refused(run("import", "subjects", "没有.xlsx")) == "没有.xlsx：没有这个文件"


def test_inspectors_need_a_plan_first(run: Run, home: Path, registers: Path) -> None:
    line = refused(run("import", "inspectors", registers / "执法检查人员.xlsx"))
    assert line == "还没有载入抽查工作计划，请先运行 shuangsuiji init"


# ---- calendar ------------------------------------------------------------------------------------


def test_a_due_day_is_said_and_explained(run: Run, home: Path) -> None:
    due = ("calendar", "due", "2024-09-10", "--working-days", 20)
    assert run(*due) == (0, "2024-10-14\n", "")
    code, output, _ = run(*due, "--explain")
    assert code == 0
    assert "2024-09-29" in output
    assert "国庆节" in output


def test_a_due_day_for_programs_has_its_promised_fields(run: Run, home: Path) -> None:
    _, output, _ = run("calendar", "due", "2024-09-10", "--working-days", "7", "--json")
    found = json.loads(output)
    assert {key: found[key] for key in ("event_day", "working_days", "due_on", "provisional")} == {
        "event_day": "2024-09-10",
        "working_days": 7,
        "due_on": "2024-09-20",
        "provisional": False,
    }
    assert set(found) >= {"due_at", "calendar_version", "days"}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("2024年9月", "--working-days", "7"), "起始日应如 2024-07-01，现为“2024年9月”"),
        (("1999-01-01", "--working-days", "7"), "1999-01-02"),
        (("2024-09-10", "--working-days", "七"), "用法不对，请看 --help："),
        (("2024-09-10",), "用法不对，请看 --help："),
    ],
)
def test_a_due_day_that_cannot_be_counted_is_refused(
    run: Run, home: Path, arguments: tuple[str, ...], line: str
) -> None:
    assert refused(run("calendar", "due", *arguments)).startswith(line)


def test_a_count_may_be_negative_but_not_zero(run: Run, home: Path) -> None:
    back = ("calendar", "due", "2024-10-08", "--working-days")
    assert run(*back, "-2") == (0, "2024-09-29\n", "")
    refused(run(*back, "0"))


# ---- usage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [("无此命令",), ("init", "--nope"), ("evidence", "2024-1"), ("init", "多余")]
)
def test_a_wrong_usage_is_one_line(run: Run, home: Path, arguments: tuple[str, ...]) -> None:
    assert refused(run(*arguments)).startswith("用法不对，请看 --help：")


def test_with_nothing_to_do_the_help_is_shown(run: Run, home: Path) -> None:
    code, output, errors = run()
    assert code == 2
    assert "init" in output + errors
    assert "用法不对" not in errors
    code, output, _ = run("--help")
    assert code == 0
    assert "建库或升级数据库" in output


def test_a_setting_that_makes_no_sense_is_one_line(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHUANGSUIJI_PORT", "七")
    line = refused(run("calendar", "due", "2024-09-10", "--working-days", "7"))
    assert line == "环境变量或 .env 中 SHUANGSUIJI_PORT 的值不对"


# ---- evidence ------------------------------------------------------------------------------------


@pytest.fixture
def revealed(drawn: Any) -> None:
    at = datetime(2024, 7, 10, 9, tzinfo=SHANGHAI)
    with writing() as session:
        session.execute(update(DepartmentRecord).values(recorded_on=at.date()))
    assert reveal_draws("2024-1", at) == 4


@pytest.mark.usefixtures("drawn")
def test_evidence_is_refused_before_the_reveal_and_writes_nothing(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "证据.json"
    line = refused(run("evidence", "2024-1", "D", "-o", file))
    assert line == "2024-1-D 尚未公开，不得提供证据包：全部检查有记录后自动公开"
    assert not file.exists()
    assert refused(run("evidence", "2024-1", "X")) == "没有 2024-1-X 这次抽取"


@pytest.mark.usefixtures("revealed")
def test_evidence_is_written_verified_and_found_out_when_touched(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "证据.json"
    assert run("evidence", "2024-1", "D", "-o", file) == (0, f"已写入 {file}\n", "")
    code, output, _ = run("evidence", "2024-1", "D")
    assert (code, output) == (0, file.read_text(encoding="utf-8"))
    code, output, _ = run("verify", file)
    assert code == 0
    assert output.startswith("核验通过：")
    bundle = json.loads(file.read_text(encoding="utf-8"))
    first = bundle["subjects"][0]["code"]
    assert "抽中，第 1 位" in run("verify", file, "--code", first)[1]
    bundle["count"] += 1
    file.write_text(json.dumps(bundle), encoding="utf-8")
    code, output, _ = run("verify", file)
    assert code == 1
    assert "count" in output
    refused(run("evidence", "2024-1", "D", "-o", tmp_path / "证据.json" / "里面"))


@pytest.mark.parametrize("content", ["", "不是 JSON", "{"])
def test_what_is_no_json_cannot_be_verified(
    run: Run, home: Path, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "证据.json"
    file.write_text(content, encoding="utf-8")
    assert refused(run("verify", file)) == f"{file}：不是 JSON 文件"
    assert not (home / "shuangsuiji.db").exists()


def test_a_json_file_that_is_no_bundle_does_not_hold(run: Run, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "证据.json"
    file.write_text("{}", encoding="utf-8")
    assert run("verify", file)[0] == 1


# ---- ledger and backups --------------------------------------------------------------------------


@pytest.mark.usefixtures("drawn")
def test_the_ledger_is_checked_and_the_first_bad_entry_named(run: Run) -> None:
    code, output, _ = run("audit", "verify")
    assert code == 0
    assert output.startswith("台账完好，共 ")
    with closing(sqlite3.connect(settings().home / "shuangsuiji.db")) as connection:
        (kept,) = connection.execute("SELECT digest FROM ledger WHERE id = 7").fetchone()
    code, output, _ = run("audit", "verify", "--number", "7", "--digest", kept)
    assert (code, output.endswith("，第 7 条与邮件所载摘要相符\n")) == (0, True)
    code, output, _ = run("audit", "verify", "--number", "8", "--digest", kept)
    assert (code, output.split("：")[0]) == (1, "台账第 8 条与邮件所载摘要不符")
    assert "须一起给出" in refused(run("audit", "verify", "--number", "7"))
    with closing(sqlite3.connect(settings().home / "shuangsuiji.db")) as connection:
        connection.execute("DROP TRIGGER ledger_no_update")
        connection.execute("UPDATE ledger SET actor = '别人' WHERE id = 5")
        connection.commit()
    code, output, _ = run("audit", "verify")
    assert (code, output) == (1, "台账第 5 条与前文不符：它或它之前的内容被改动过\n")


@pytest.mark.usefixtures("office")
def test_a_backup_is_taken_and_put_back(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "备份.db"
    before = ledger.verify()
    assert run("backup", file) == (0, f"已备份到 {file}\n", "")
    assert refused(run("backup", file)) == f"{file} 已存在，请换一个文件名"
    run("import", "subjects", subjects_of(tmp_path))
    assert ledger.verify() != before
    assert run("restore", file) == (0, f"已从 {file} 恢复\n", "")
    assert ledger.verify() == before
    assert refused(run("restore", tmp_path / "没有.db")).startswith("找不到备份文件")


def subjects_of(folder: Path) -> Path:
    path = folder / "新增.xlsx"
    write_subjects(path, fiction.subjects(99, {"A": 5}))
    return path


@pytest.mark.server
@pytest.mark.usefixtures("office")
def test_the_installed_command_backs_up_while_another_process_writes(tmp_path: Path) -> None:
    """A backup and a restore by the command itself, in processes of their own."""
    file = tmp_path / "备份.db"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        for action in ("backup", "restore"):
            done = subprocess.run(
                [Path(sys.executable).with_name("shuangsuiji"), action, str(file)],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert (done.returncode, done.stderr) == (0, "")
        writer.terminate()
    assert ledger.verify()[1] is None
    with closing(sqlite3.connect(file)) as copy:
        count = "SELECT count(*) FROM ledger WHERE actor = '写者'"
        assert copy.execute(count).fetchone()[0] % 2 == 0
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


WRITER = """
from datetime import datetime
from models.base import SHANGHAI
from models.database import writing
from models.ledger import Event, append
import time
first = True
while True:
    time.sleep(0.005)
    with writing() as session:
        at = datetime(2024, 7, 1, tzinfo=SHANGHAI)
        append(session, at, "写者", [Event("一", "2024-1", {}), Event("二", "2024-1", {})])
    if first:
        print("writing", flush=True)
        first = False
"""


# ---- sweeping ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("drawn")
def test_a_sweep_tells_what_it_did_and_an_older_one_does_nothing(run: Run) -> None:
    code, output, _ = run("sweep", "--as-of", "2024-07-12")
    assert code == 0
    assert output.startswith("2024-07-12 期限检查：")
    assert "提醒" in output
    code, output, _ = run("sweep", "--as-of", "2024-07-11")
    assert output == "2024-07-11 期限检查：已有更晚日期的检查，本次不做任何事\n"
    line = refused(run("sweep", "--as-of", "明天"))
    assert line == "--as-of应如 2024-07-01，现为“明天”"


def test_a_dry_run_prints_the_mails_and_leaves_nothing(run: Run, drawn: Any) -> None:
    before = drawn.rows()
    code, output, _ = run("sweep", "--as-of", "2024-07-08", "--dry-run")
    assert code == 0
    assert "收件人：" in output
    assert "个工作日" in output
    assert output.endswith("封邮件；没有发信，没有留下记录\n")
    assert drawn.rows() == before
    run("sweep", "--as-of", "2024-07-08")
    swept = drawn.rows()
    code, waiting, _ = run("deliver", "--dry-run")
    assert code == 0
    assert waiting.count("收件人：") == len([m for m in swept["mail"] if m["state"] == "pending"])
    assert drawn.rows() == swept


def test_a_day_to_come_is_for_drills_alone(run: Run, home: Path) -> None:
    run("init")
    line = refused(run("sweep", "--as-of", "2999-01-01"))
    assert line == "日期 2999-01-01 还没有到；只有演练可以用将来的日期"
