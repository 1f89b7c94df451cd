"""`shuangsuiji calendar` as people and programs call it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from calendars import WorkingCalendar
from deployments import calendar_command, command
from models.base import SHANGHAI

NOTICE = Path(__file__).parents[1] / "data" / "notice_2027_rehearsal.txt"
NUMBER, ISSUED = "国办发明电〔2026〕99号", "2026-11-24"
GIVEN = ("--number", NUMBER, "--issued", ISSUED)
CHINA = WorkingCalendar.china().version
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `shuangsuiji calendar …`: exit status, standard output, standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["shuangsuiji", "calendar", *arguments])
        with patch.dict(os.environ), pytest.raises(SystemExit) as ended:
            command.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def refused(run: Run) -> Callable[..., str]:
    """Run what must be refused: exit 2, one line on standard error, nothing else; that line."""

    def refused(*arguments: str) -> str:
        status, out, err = run(*arguments)
        assert (status, out, err.count("\n")) == (2, "", 1)
        return err

    return refused


@pytest.fixture
def notice(tmp_path: Path) -> Callable[..., str]:
    """The notice for 2027 as a file, with edits made to it."""

    def write(*edits: tuple[str, str]) -> str:
        text = NOTICE.read_text("utf-8")
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        file = tmp_path / "通知.txt"
        file.write_text(text, "utf-8")
        return str(file)

    return write


@pytest.mark.parametrize(
    ("event", "n", "said"),
    [
        ("2024-09-10", 20, "2024-10-14"),
        ("2024-09-26", 7, "2024-10-11"),
        ("2024-10-14", -20, "2024-09-10"),
        ("2024-07-09", -1, "2024-07-08"),
        ("2026-12-25", 1, "2026-12-28"),
        ("2026-12-25", 2, "2026-12-29（暂定）"),
        ("2027-01-15", 20, "2027-02-16（暂定）"),
    ],
)
def test_due_says_the_day(home: Path, run: Run, event: str, n: int, said: str) -> None:
    assert run("due", event, "--working-days", str(n)) == (0, said + "\n", "")
    assert not (home / "shuangsuiji.db").exists()


def test_due_explains_itself_day_by_day(home: Path, run: Run) -> None:
    status, out, _ = run("due", "2026-09-30", "--working-days", "3", "--explain")
    assert status == 0
    assert out.splitlines() == [
        "起始日 2026-09-30（周三），不计入；期限 3个工作日",
        *[
            f"2026-10-0{number}（周{weekday}） 不计：国庆节放假"
            for number, weekday in enumerate("四五六日一二三", start=1)
        ],
        "2026-10-08（周四） 第 1 日：工作日",
        "2026-10-09（周五） 第 2 日：工作日",
        "2026-10-10（周六） 第 3 日：调休上班（国办发明电〔2025〕7号）",
        f"到期日 2026-10-10（周六）；日历版本 {CHINA}",
    ]


def test_due_as_json_has_the_agreed_shape(home: Path, run: Run) -> None:
    status, out, err = run("due", "2026-10-09", "--working-days", "1", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out) == {
        "event_day": "2026-10-09",
        "working_days": 1,
        "due_on": "2026-10-10",
        "due_at": "2026-10-11T00:00:00+08:00",
        "provisional": False,
        "calendar_version": CHINA,
        "days": [
            {
                "date": "2026-10-10",
                "weekday": "周六",
                "number": 1,
                "reason": "调休上班（国办发明电〔2025〕7号）",
            }
        ],
    }


def test_due_as_json_counts_backwards_and_provisionally(home: Path, run: Run) -> None:
    back = json.loads(run("due", "2026-10-10", "--working-days", "-2", "--json")[1])
    assert (back["working_days"], back["due_on"]) == (-2, "2026-10-08")
    assert [day["number"] for day in back["days"]] == [1, 2]
    ahead = json.loads(run("due", "2026-12-31", "--working-days", "1", "--json")[1])
    assert (ahead["due_on"], ahead["provisional"]) == ("2027-01-04", True)
    assert ahead["days"][0]["reason"] == "元旦（法定节假日）（暂定）"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["2006-12-29", "--working-days", "5"], "不在已公布的工作日历内（2007-01-01 至"),
        (["2007-01-04", "--working-days", "-5"], "不在已公布的工作日历内"),
        (["2040-01-04", "--working-days", "5"], "不在已公布的工作日历内"),
        (["2024-09-10", "--working-days", "0"], "--working-days 不能是 0"),
        (["2024-02-30", "--working-days", "5"], "起始日应如 2024-07-01，现为“2024-02-30”"),
        (["明天", "--working-days", "5"], "起始日应如 2024-07-01，现为“明天”"),
        (["2024-09-10", "--working-days", "七"], "用法不对，请看 --help"),
        (["2024-09-10"], "用法不对，请看 --help"),
    ],
)
def test_what_due_cannot_count_is_refused_in_one_line(
    home: Path, refused: Callable[..., str], arguments: list[str], reason: str
) -> None:
    assert reason in refused("due", *arguments)


QUICK = """
import sys
sys.argv = ["shuangsuiji", "calendar", "due", "2024-09-10", "--working-days", "20"]
from deployments.command import main
try:
    main()
finally:
    heavy = {"alembic", "prefect", "docx", "numpy"} & {*sys.modules}
    print(*heavy, file=sys.stderr)
"""


def test_due_without_a_database_imports_nothing_that_takes_long(home: Path) -> None:
    asked = subprocess.run(
        [sys.executable, "-c", QUICK], capture_output=True, text=True, check=True
    )
    assert (asked.stdout, asked.stderr.strip()) == ("2024-10-14\n", "")


def test_status_says_what_is_covered_and_what_to_do(
    home: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = {}
    for day in (date(2026, 10, 24), date(2026, 10, 25), date(2026, 12, 1)):
        at = datetime.combine(day, time(9), tzinfo=SHANGHAI)
        monkeypatch.setattr(calendar_command, "now", lambda at=at: at)
        status, out, _ = run("status")
        first, version, steps[day.day] = out.splitlines()
        assert (status, version) == (0, f"版本 {CHINA}")
        assert first == "覆盖 2007-01-01 至 2026-12-31，确定到 2026-12-28"
    assert [steps[day][:8] for day in (24, 25, 1)] == [
        "下一步：等国务院",
        "下一步：2027",
        "下一步：尽快查到",
    ]
    told = json.loads(run("status", "--json")[1])
    assert list(told) == [
        "covered_from",
        "covered_through",
        "firm_through",
        "version",
        "next_step",
    ]
    assert told["firm_through"] == "2026-12-28"


def test_a_notice_in_the_form_of_2025_is_imported(
    database: Path, run: Run, notice: Callable[..., str]
) -> None:
    status, out, err = run("import", notice(), *GIVEN)
    assert (status, err) == (0, "")
    first, second = out.splitlines()
    assert first.startswith(f"已导入 {NUMBER}（2027 年），日历版本 {CHINA}+{NUMBER}#")
    assert second == "重新计算期限 0 项，通知 0 人"
    assert run("due", "2027-01-15", "--working-days", "20")[1] == "2027-02-18\n"
    told = json.loads(run("status", "--json")[1])
    assert (told["covered_through"], told["firm_through"]) == ("2027-12-31", "2027-12-28")


def test_an_import_answers_programs_in_json(
    database: Path, run: Run, notice: Callable[..., str]
) -> None:
    told = json.loads(run("import", notice(), *GIVEN, "--json")[1])
    version = told.pop("version")
    assert version.startswith(CHINA)
    assert told == {"number": NUMBER, "year": 2027, "moved": [], "mails": 0}


def test_a_notice_is_not_imported_twice(
    database: Path, run: Run, refused: Callable[..., str], notice: Callable[..., str]
) -> None:
    assert run("import", notice(), *GIVEN)[0] == 0
    assert refused("import", notice(), *GIVEN) == f"通知.txt：{NUMBER} 已经导入过\n"


def test_a_wrong_notice_is_refused_with_every_reason(
    office: Any, run: Run, refused: Callable[..., str], notice: Callable[..., str]
) -> None:
    before = office.rows()
    file = notice(("共9天", "共8天"), ("5月8日（周六）", "5月8日（周日）"))
    said = refused("import", file, *GIVEN)
    assert said.startswith(f"通知.txt：{NUMBER} 未导入，2 处不符：")
    assert "放假天数写作 8，实为 9" in said
    assert "2027-05-08 是周六，不是“周日”" in said
    one, same = ("--confirm", "张三"), ("--confirm", " 张三")
    for confirmed in (one, one + same):
        assert refused("import", file, *GIVEN, *confirmed) == said
    assert office.rows() == before
    assert run("import", file, *GIVEN, *one, "--confirm", "李四")[0] == 0


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (("--number", NUMBER, "--issued", "11月24日"), "--issued应如 2024-07-01，现为“11月24日”"),
        (("--number", NUMBER, "--issued", "2026-11-25"), "与给出的印发日期 2026-11-25 不符"),
        (("--number", "国办发明电〔2026〕98号", "--issued", ISSUED), "不符"),
        (("--number", "99号", "--issued", ISSUED), "文号不合格式：99号"),
        (("--number", NUMBER), "用法不对"),
    ],
)
def test_number_and_day_of_issue_must_fit(
    home: Path,
    refused: Callable[..., str],
    notice: Callable[..., str],
    given: tuple[str, ...],
    reason: str,
) -> None:
    assert reason in refused("import", notice(), *given)


def test_a_file_that_is_not_there_is_named(home: Path, refused: Callable[..., str]) -> None:
    assert refused("import", "没有.txt", *GIVEN).startswith("没有.txt：读不到文件")
    assert not (home / "shuangsuiji.db").exists()


def test_explain_tells_each_duty_of_an_inspection(drawn: Any, run: Run) -> None:
    status, out, err = run("explain", "2024-1-D03")
    assert (status, err) == (0, "")
    assert [line[:6] for line in out.splitlines() if line.startswith("【")] == [
        "【告知】20",
        "【检查】20",
        "【记录】20",
        "【记录】20",
    ]
    assert "依据：方案第六.2条" in out
    assert f"日历版本 {CHINA}" in out


def test_explain_answers_programs_in_json(drawn: Any, run: Run) -> None:
    told = json.loads(run("explain", "2024-1-D03", "--json")[1])
    assert [each["duty"] for each in told] == ["告知", "检查", "记录", "记录"]
    record = told[-1]
    assert record["object"] == "2024-1-D03/yjglj"
    assert record["working_days"] == 3
    assert record["due_on"] == record["stored"]["due_on"] == "2024-07-11"
    assert [day["number"] for day in record["days"]] == [1, 2, 3]


def test_explain_refuses_an_unknown_object(drawn: Any, refused: Callable[..., str]) -> None:
    assert refused("explain", "2024-1-Z99") == (
        "没有“2024-1-Z99”的期限，应为检查编号，如 2024-1-D03\n"
    )
