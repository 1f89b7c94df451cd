"""Publications: one department's results in the fields of the national system."""

from datetime import date
from typing import Any

import pytest

from models.plan import read_plan
from models.publication import national_record
from models.settings import SHIPPED_PLAN

PLAN = read_plan(SHIPPED_PLAN)


def record(department: str = "scjgj", *results: tuple[str, int]) -> dict[str, Any]:
    given = results or (("sc-1", 1), ("sc-2", 4))
    return national_record(
        PLAN,
        round_number=1,
        department=department,
        subject_name="某某化工",
        subject_code="91110000600037341L",
        ended_on=date(2024, 7, 9),
        results=[{"item": item, "result": result} for item, result in given],
    )


def test_the_fields_are_those_of_the_national_system() -> None:
    assert record() == {
        "raninsPlanId": "平卫双随机办〔2024〕55号",
        "raninsPlaneName": PLAN.title,
        "raninsTaskId": "平卫双随机办〔2024〕55号-1",
        "raninsTaskName": "卫东区危险化学品经营单位“双随机、一公开”部门联合检查（第1轮）",
        "raninsTypeName": "定向",
        "insAuth": "平顶山市卫东区市场监督管理局",
        "insDate": "2024-07-09",
        "entName": "某某化工",
        "uniscid": "91110000600037341L",
        "details": [
            {
                "seqno": 1,
                "raninsItemName": "营业执照（登记证）规范使用情况的检查",
                "raninsCheckResName": "未发现问题",
            },
            {
                "seqno": 2,
                "raninsItemName": "住所（经营场所）或驻在场所的检查",
                "raninsCheckResName": "通过登记的住所（经营场所）无法联系",
            },
        ],
    }


def test_each_department_publishes_in_its_own_name() -> None:
    assert record("yjglj", ("yj-1", 9))["insAuth"] == "平顶山市卫东区应急管理局"


@pytest.mark.parametrize("code", range(1, 11))
def test_every_result_is_published_by_the_notices_words(code: int) -> None:
    (detail,) = record("yjglj", ("yj-1", code))["details"]
    assert detail["raninsCheckResName"] == PLAN.result(code).text


def test_what_was_found_and_who_inspected_is_not_published() -> None:
    assert set(record()["details"][0]) == {"seqno", "raninsItemName", "raninsCheckResName"}
