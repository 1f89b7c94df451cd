from datetime import date

import pytest

from calendars import notice_reminder


@pytest.mark.parametrize(
    ("as_of", "asked"),
    [
        (date(2026, 6, 1), None),
        (date(2026, 10, 24), None),
        (date(2026, 10, 25), "提醒"),
        (date(2026, 11, 30), "提醒"),
        (date(2026, 12, 1), "加急"),
        (date(2027, 1, 5), "加急"),
        (date(2027, 11, 1), "加急"),
    ],
)
def test_next_years_notice_is_asked_for_until_it_is_in(as_of, asked):
    assert notice_reminder(as_of, date(2026, 12, 31)) == asked
    assert notice_reminder(as_of, date(2028, 12, 31)) is None
