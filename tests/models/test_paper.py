from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from models.paper import (
    DrawCertificate,
    DrawnSubject,
    Printed,
    ServiceReceipt,
    Text,
    chinese_day,
    chinese_moment,
)

DRAWN = tuple(DrawnSubject(code=f"{number:018}", name="某公司") for number in range(40))


def certificate(**changes: Any) -> DrawCertificate:
    moment = datetime(2024, 6, 25, 1, 5, tzinfo=UTC)
    fields = {
        "round_code": "R1",
        "round_name": "第一轮",
        "grade": "B",
        "pool": 100,
        "ratio": "3",
        "count": 2,
        "drawn": DRAWN[:2],
        "commitment": "a" * 64,
        "committed_at": moment,
        "freeze_digest": "b" * 64,
        "frozen_at": moment,
        "drawn_at": moment,
        "department": "某办公室",
    }
    return DrawCertificate.model_validate(fields | changes)


def test_a_day_is_written_without_leading_zeros() -> None:
    assert chinese_day(date(2024, 6, 5)) == "2024年6月5日"


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2024, 6, 25, 1, 5, tzinfo=UTC), "2024年6月25日9时05分"),
        (datetime(2024, 6, 25, 15, 59, tzinfo=UTC), "2024年6月25日23时59分"),
        (datetime(2024, 6, 25, 16, 0, tzinfo=UTC), "2024年6月26日0时00分"),
    ],
)
def test_a_moment_is_written_in_shanghai(moment: datetime, text: str) -> None:
    assert chinese_moment(moment) == text


def test_an_open_date_is_a_blank_to_fill_in() -> None:
    assert chinese_day(None).split() == ["年", "月", "日"]
    assert chinese_moment(None).split() == ["年", "月", "日", "时", "分"]


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        certificate(drawn_at=datetime(2024, 6, 25, 9, 5))  # noqa: DTZ001


@pytest.mark.parametrize("name", ["甲\x07", "甲\x1b", "甲\u2028乙", "甲\u2029", "甲\uffff", "\x00"])
def test_a_character_that_cannot_be_printed_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match=r"含有不能印到文书上的字符 U\+"):
        DrawnSubject(code="1", name=name)


@pytest.mark.parametrize("name", ["", " ", "　", "甲\n乙"])
def test_a_name_is_one_line_that_is_not_empty(name: str) -> None:
    with pytest.raises(ValidationError, match="应为不空的一行文字"):
        DrawnSubject(code="1", name=name)


def test_a_text_keeps_its_lines_however_a_cell_wrote_them() -> None:
    class Note(Printed):
        text: Text

    assert Note(text="甲\r\n乙\r丙\t丁\n").text == "甲\n乙\n丙 丁\n"


@pytest.mark.parametrize(
    ("count", "listed", "accepted"),
    [
        (0, 0, True),
        (1, 0, False),
        (29, 28, False),
        (29, 29, True),
        (30, 29, False),
        (31, 30, True),
        (40, 40, True),
        (40, 29, False),
        (2, 3, False),
    ],
)
def test_a_certificate_lists_all_it_drew_or_the_first_thirty(
    count: int, listed: int, accepted: bool
) -> None:
    if accepted:
        assert len(certificate(count=count, drawn=DRAWN[:listed]).drawn) == listed
    else:
        with pytest.raises(ValidationError, match=rf"抽取 {count} 户，名单却有 {listed} 户"):
            certificate(count=count, drawn=DRAWN[:listed])


def test_a_certificate_cannot_draw_more_than_its_pool() -> None:
    assert certificate(pool=2).count == 2
    with pytest.raises(ValidationError, match="抽取 2 户，多于名录库 1 户"):
        certificate(pool=1)


@pytest.mark.parametrize("digest", ["A" * 64, "a" * 63, "a" * 65, "a" * 63 + "g", "a" * 64 + "\n"])
def test_a_digest_is_64_lower_case_hex_digits(digest: str) -> None:
    with pytest.raises(ValidationError, match="freeze_digest"):
        certificate(freeze_digest=digest)


@pytest.mark.parametrize("ratio", ["1.0", "03", "3%", "", "1e1", "-3"])
def test_a_ratio_has_one_spelling(ratio: str) -> None:
    with pytest.raises(ValidationError, match="ratio"):
        certificate(ratio=ratio)


@pytest.mark.parametrize("ratio", ["0", "0.5", "3", "20", "100"])
def test_a_ratio_is_an_exact_decimal(ratio: str) -> None:
    assert certificate(ratio=ratio).ratio == ratio


def test_a_field_that_no_paper_has_is_refused() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        ServiceReceipt.model_validate(
            {"document": "告知书", "number": "1", "recipient": "某公司", "address": "某地"}
        )


def test_a_printed_paper_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        certificate().count = 1  # type: ignore[misc]
