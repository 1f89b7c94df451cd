"""What a coordinator sees and does in a browser, on the service as an office runs it."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from datetime import time as clock
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import insert, select, update

from deployments.server import HOST
from models import fiction
from models.base import SHANGHAI
from models.database import writing
from models.draw import Draw
from models.obligation import Obligation
from models.plan import Plan
from tasks import draw, duty, inspection, publication
from tasks.mail import deliver

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.server,
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("CI"), reason="Chromium is not installed"
    ),
]

PATIENCE = 90.0


def until(found: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE
    while not (thing := found()):
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.3)
    return thing


def at(day: date) -> datetime:
    return datetime.combine(day, clock(9), tzinfo=SHANGHAI)


@pytest.fixture(scope="module")
def home(registered: Any, drill: Plan, sheet: Any, tmp_path_factory: Any) -> Path:
    """An office with three rounds: two drawn, results in, 500 of one department unpublished."""
    folder = tmp_path_factory.mktemp("pages")
    office = type(registered)(folder, f"sqlite:///{folder / 'shuangsuiji.db'}")
    first, second = drill.rounds
    rounds = (first, second, second.model_copy(update={"number": 3}))
    subjects = fiction.subjects(2024, as_of=date(2024, 6, 20))
    office.register(drill.model_copy(update={"rounds": rounds}), subjects)
    with office.here():
        for code, day in (("2024-1", first.opens_on), ("2024-2", second.opens_on)):
            assert draw.freeze_draws(code, at(day)) == []
            deliver(at(day))
            draw.seal_draws(code, at(day))
            duty.update_duties(code, at(day))
        found = [sheet("2024-1-A01", department) for department in ("yjglj", "scjgj")]
        inspection.record_inspections(found, at(date(2024, 7, 9)))
        publication.prepare_publications("2024-1", at(date(2024, 7, 9)))
        with writing() as session:
            session.execute(update(Draw).where(Draw.grade == "A").values(revealed_at=at(day)))
            table = Obligation.__table__
            row = session.execute(
                select(table).where(table.c.duty == "publish", table.c.department == "scjgj")
            )
            one = row.mappings().one()
            session.execute(
                insert(Obligation),
                [{**one, "id": None, "object": f"{one['object']}#{n}"} for n in range(500)],
            )
    return folder


@pytest.fixture(scope="module")
def service(home: Path, free_port: Callable[[], int]) -> Iterator[dict[str, str]]:
    """`shuangsuiji serve`; the addresses that it prints, by name."""
    inherited = {key: value for key, value in os.environ.items() if "PREFECT" not in key}
    log = home / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("shuangsuiji"), "serve"],
            cwd=home,
            env=inherited
            | {
                "SHUANGSUIJI_HOME": str(home),
                "SHUANGSUIJI_DATABASE_URL": "",
                "SHUANGSUIJI_PORT": str(free_port()),
                "PREFECT_RUNNER_POLL_FREQUENCY": "1",
            },
            stdout=output,
            stderr=output,
        )
    with process:
        try:

            def printed() -> dict[str, str]:
                assert process.poll() is None, log.read_text(encoding="utf-8")
                said = log.read_text(encoding="utf-8")
                return (
                    dict(re.findall(r"^(\S+)：(http\S+)", said, re.M)) if "Ctrl-C" in said else {}
                )

            yield until(printed)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def asked() -> list[str]:
    """Every request that the pages made."""
    return []


@pytest.fixture(scope="module")
def browser(service: dict[str, str], asked: list[str]) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        context = started.new_context(viewport={"width": 1500, "height": 1200})
        context.set_default_timeout(PATIENCE * 1000)
        context.on("request", lambda request: asked.append(request.url))
        yield context
        started.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    opened = browser.new_page()
    yield opened
    opened.close()


@pytest.fixture
def api(service: dict[str, str]) -> Iterator[Any]:
    from prefect.client.orchestration import SyncPrefectClient

    address = urlsplit(service["开始页"])
    with SyncPrefectClient(f"http://{HOST}:{address.port}/api") as client:
        yield client


def test_from_the_start_page_the_answer_is_one_click_away(
    page: Any, service: dict[str, str]
) -> None:
    """Which department is late with which publication, since when, by how many working days."""
    page.goto(service["开始页"])
    page.get_by_role("link", name="期限看板").click()
    row = page.get_by_role("row").filter(has_text="区市场监督管理局").filter(has_text="公示").first
    row.wait_for()
    cells = row.get_by_role("cell").all_inner_texts()
    assert cells[:4] == ["区市场监督管理局", "公示", "501", "2024-08-06"]
    assert int(cells[4]) > 500
    assert page.url.split("?")[0] == service["期限看板"]


def test_the_board_shows_its_strip_and_the_first_fifty_with_a_link_to_the_rest(
    page: Any, service: dict[str, str]
) -> None:
    page.goto(service["期限看板"])
    strip = page.get_by_alt_text("2024-1：抽取 4/4 已完成")
    strip.wait_for()
    assert strip.evaluate("image => image.naturalWidth") > 600
    for code in ("2024-1", "2024-2", "2024-3"):
        assert page.get_by_role("link", name=f"{code} 轮次卡片").count() == 1
    details = page.get_by_role("table").nth(1)
    details.wait_for()
    assert details.get_by_role("row").count() == 51
    page.get_by_role("link", name="全部逾期事项，可搜索").click()
    page.get_by_placeholder("Search").fill("区市场监督管理局")
    page.get_by_role("cell", name="区市场监督管理局").first.wait_for()


def test_a_wrong_entry_is_sent_back_and_put_right_from_its_own_link(
    page: Any, service: dict[str, str], api: Any
) -> None:
    page.goto(service["期限看板"])
    page.get_by_role("link", name="公示", exact=True).first.click()
    page.get_by_text("Parameters").first.wait_for()
    sent = json.loads(parse_qs(urlsplit(page.url).query)["parameters"][0])
    assert set(sent["entries"][0]) == {"检查编号", "部门"}
    for label in ("检查编号", "部门", "录入日期", "公示日期", "录入人"):
        page.get_by_text(label).first.wait_for()
    fields = page.get_by_role("textbox")
    values = [fields.nth(n).input_value() for n in range(fields.count())]
    assert sent["entries"][0]["检查编号"] in values
    page.get_by_role("button", name="Submit").click()  # the day and the name are still missing
    number = until(lambda: ended(api, "登记公示", "退回补正"))
    page.goto(f"{service['界面']}/runs/flow-run/{number}?tab=Artifacts")
    page.get_by_text("退回补正").first.wait_for()
    link = returned_to(api, number)
    again = json.loads(parse_qs(urlsplit(link).query)["parameters"][0])
    assert again["entries"][0].items() >= sent["entries"][0].items()
    # Filled in as the coordinator would, and sent from the same form.
    filled = sent["entries"][0] | {
        "录入日期": "2024-08-01",
        "公示日期": "2024-08-02",
        "录入人": "张三",
    }
    page.goto(link.split("?")[0] + "?parameters=" + json.dumps({"entries": [filled]}))
    page.get_by_text("Parameters").first.wait_for()
    page.get_by_role("button", name="Submit").click()
    until(lambda: ended(api, "登记公示", "已登记"))


def ended(api: Any, name: str, state: str) -> Any:
    runs = [run for run in api.read_flow_runs() if run.name.startswith(name)]
    assert all(run.state.name in ("退回补正", "已登记") for run in runs if run.state.is_final())
    return next((run.id for run in runs if run.state.name == state), None)


def returned_to(api: Any, number: Any) -> str:
    shown = api._client.post("/artifacts/filter", json={}).json()
    (text,) = [one["data"] for one in shown if one["flow_run_id"] == str(number)]
    found = re.search(r"\((http[^)]+)\)", text)
    assert found
    assert "必填" in text
    return found[1]


def test_one_row_a_round_stands_under_the_current_runs(
    page: Any, service: dict[str, str], api: Any
) -> None:
    for code in ("2024-1", "2024-2"):
        for _ in range(2):
            number = api.read_deployment_by_name("轮次推进/轮次推进").id
            made = api.create_flow_run_from_deployment(number, parameters={"round_code": code})
            until(lambda run=made: api.read_flow_run(run.id).state.is_final())
    page.goto(service["当前各轮次"])
    for code in ("2024-1", "2024-2"):
        name = re.compile(f"{code} · .+ [0-9]+.[0-9]+")
        page.get_by_role("link", name=name).first.wait_for()
        assert page.get_by_role("link", name=name).count() == 1


def test_the_round_s_card_is_one_click_from_the_board(page: Any, service: dict[str, str]) -> None:
    page.goto(service["期限看板"])
    page.get_by_role("link", name="2024-1 轮次卡片").click()
    page.get_by_text(re.compile("2024-1 轮次卡片")).first.wait_for()


def test_no_page_asked_any_other_host_for_anything(asked: list[str], service: Any) -> None:
    hosts = {urlsplit(url).hostname for url in asked if urlsplit(url).scheme in ("http", "https")}
    assert hosts == {HOST}
