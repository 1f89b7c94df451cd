"""What a coordinator sees in a browser, on the service as an office runs it."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from deployments.server import HOST

pytestmark = [pytest.mark.server, pytest.mark.service, pytest.mark.browser]


def test_from_the_start_page_the_answer_is_one_click_away(page: Any, service: Any) -> None:
    """Which department is late with which publication, since when, by how many working days."""
    page.goto(service.pages["开始页"])
    page.get_by_role("link", name="期限看板").click()
    row = page.get_by_role("row").filter(has_text="区市场监督管理局").filter(has_text="公示").first
    row.wait_for()
    cells = row.get_by_role("cell").all_inner_texts()
    assert cells[:4] == ["区市场监督管理局", "公示", "506", "2024-07-26"]
    assert int(cells[4]) > 500
    assert page.url.split("?")[0] == service.pages["期限看板"]


def test_the_board_shows_its_strip_and_the_first_fifty_with_a_link_to_the_rest(
    page: Any, service: Any
) -> None:
    page.goto(service.pages["期限看板"])
    strip = page.get_by_alt_text("2024-1：抽取 4/4 已完成")
    strip.wait_for()
    assert strip.evaluate("image => image.naturalWidth") > 600
    for code in ("2024-1", "2024-2", "2024-3", "2025-1"):
        assert page.get_by_role("link", name=f"{code} 轮次卡片").count() == 1
    details = page.get_by_role("table").nth(1)
    details.wait_for()
    assert details.get_by_role("row").count() == 51
    page.get_by_role("link", name="全部逾期事项，可搜索").click()
    page.get_by_placeholder("Search").fill("区市场监督管理局")
    page.get_by_role("cell", name="区市场监督管理局").first.wait_for()


@pytest.mark.parametrize("ui", ["/v2", ""], ids=["V2", "V1"])
def test_both_uis_show_the_board_and_the_card_as_they_are_meant(
    page: Any, service: Any, ui: str
) -> None:
    def address(shown: str) -> str:
        return shown.replace("/v2/", f"{ui}/", 1)

    page.goto(address(service.pages["期限看板"]))
    strip = page.get_by_alt_text("2024-1：抽取 4/4 已完成")
    strip.wait_for()
    assert strip.evaluate("image => [image.naturalWidth, image.naturalHeight].every(n => n > 200)")
    assert strip.bounding_box()["width"] > 400
    tables = page.get_by_role("table")
    assert tables.nth(0).get_by_role("cell", name="区市场监督管理局").first.is_visible()
    assert tables.nth(1).get_by_role("row").count() == 51
    assert tables.nth(1).get_by_role("link", name="告知", exact=True).first.is_visible()
    page.goto(address(page.get_by_role("link", name="2024-1 轮次卡片").get_attribute("href")))
    page.get_by_role("heading", name="各环节").wait_for()
    assert page.get_by_text("应检查 17 户，已检查 6 户，").first.is_visible()
    row = page.get_by_role("row").filter(has_text="D（高风险）")
    assert row.get_by_role("cell").all_inner_texts()[1:5] == ["29", "6", "20%", "已封存"]


def test_no_page_asked_any_other_host_for_anything(asked: list[str], service: Any) -> None:
    hosts = {urlsplit(url).hostname for url in asked if urlsplit(url).scheme in ("http", "https")}
    assert hosts == {HOST}
