from datetime import date

import pytest

from calendars.statutory import lunar_new_year, statutory_count, statutory_days


def test_the_law_of_2024_gives_thirteen_days():
    days = statutory_days(2027)
    assert {f"{day:%m-%d}": name for day, name in days.items()} == {
        "01-01": "元旦",
        "02-05": "春节",
        "02-06": "春节",
        "02-07": "春节",
        "02-08": "春节",
        "04-05": "清明节",
        "05-01": "劳动节",
        "05-02": "劳动节",
        "06-09": "端午节",
        "09-15": "中秋节",
        "10-01": "国庆节",
        "10-02": "国庆节",
        "10-03": "国庆节",
    }


@pytest.mark.parametrize(("year", "days"), [(2007, 10), (2008, 11), (2024, 11), (2025, 13)])
def test_each_revision_gave_its_own_number_of_days(year, days):
    assert statutory_count(year) == days


def test_two_holidays_on_one_day_count_twice():
    assert statutory_days(2020)[date(2020, 10, 1)] == "中秋节、国庆节"
    assert len(statutory_days(2020)) == 10
    assert statutory_count(2020) == 11


def test_new_years_eve_is_not_the_new_year():
    assert lunar_new_year(2027) == date(2027, 2, 6)
    assert lunar_new_year(2010) == date(2010, 2, 14)
