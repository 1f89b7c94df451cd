import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from calendars import check_notice, may_import, parse_notice

DATA = Path(__file__).parents[1] / "data"
RECORD = json.loads((DATA / "cn_days.json").read_text("utf-8"))
LISTS = json.loads((DATA / "notices.json").read_text("utf-8"))["notices"]
WHOLE = json.loads((DATA / "notices_whole.json").read_text("utf-8"))
REHEARSAL = (DATA / "notice_2027_rehearsal.txt").read_text("utf-8")
NUMBER, ISSUED = "国办发明电〔2026〕99号", date(2026, 11, 24)


def read(text, number=NUMBER, issued_on=ISSUED):
    return parse_notice(text, number=number, issued_on=issued_on)


def reasons_for(text, **given):
    return check_notice(read(text, **given))


def read_entry(entry):
    issued_on = date.fromisoformat(entry["issued_on"])
    return read(entry["text"], entry["number"], issued_on)


def record_of(year):
    return {
        name: [date.fromisoformat(day) for day in RECORD[str(year)][name]]
        for name in ("off", "work")
    }


def list_of(year, change=lambda text: text):
    record = RECORD[str(year)]
    text = change("\n".join(LISTS[str(year)]))
    return read(text, record["number"], date.fromisoformat(record["issued"]))


@pytest.mark.parametrize("year", sorted(map(int, LISTS)))
def test_each_years_list_gives_exactly_the_days_on_record(year):
    notice = list_of(year)
    assert notice.year == year
    assert {"off": list(notice.off), "work": list(notice.work)} == record_of(year)
    assert check_notice(notice) == []


@pytest.mark.parametrize("entry", WHOLE["notices"], ids=lambda entry: entry["year"])
def test_a_whole_document_gives_exactly_the_days_on_record(entry):
    notice = read_entry(entry)
    record = record_of(entry["year"])
    for amendment in RECORD[str(entry["year"])]["amendments"]:
        amended = {*map(date.fromisoformat, amendment["add_off"] + amendment["add_work"])}
        record = {
            name: [day for day in days if day not in amended] for name, days in record.items()
        }
    assert {"off": list(notice.off), "work": list(notice.work)} == record
    assert check_notice(notice) == []
    assert not notice.amends


@pytest.mark.parametrize("entry", WHOLE["amendments"], ids=lambda entry: entry["year"])
def test_an_amendment_gives_the_days_it_changed(entry):
    notice = read_entry(entry)
    assert notice.amends
    assert notice.year == entry["year"]
    assert check_notice(notice) == []
    (amendment,) = RECORD[str(entry["year"])]["amendments"]
    assert {*map(date.fromisoformat, amendment["add_off"])} <= notice.off.keys()
    assert [*map(date.fromisoformat, amendment["add_work"])] == list(notice.work)


def test_the_days_are_given_with_their_holiday():
    notice = list_of(2025)
    assert notice.off[date(2025, 10, 8)] == "国庆节、中秋节"
    assert notice.work[date(2025, 4, 27)] == "劳动节"
    assert list_of(2008).off[date(2008, 5, 2)] == "劳动节"


@pytest.mark.parametrize(
    ("year", "old", "new"),
    [
        (2008, "其中，", "其中："),
        (2008, "（清明节）为", "（清明节），为"),
        (2008, "15日放假，共3天", "15日放假3天"),
        (2008, "（农历除夕至正月初六）", "（即农历除夕至正月初六）"),
        (2008, "，2月2日（星期六）、", "，将2月2日（星期六）、"),
        (2018, "至", "－"),
        (2010, "至", "-"),
        (2011, "（", "("),
        (2012, "共3天", "共 3 天"),
        (2013, "共3天", "共三天"),
        (2017, "，", ","),
        (2024, "1月1日放假", "１月１日放假"),
        (2025, "（农历除夕、周二）", "（农历除夕，星期二）"),
        (2026, "。", "。\n\n　　"),
    ],
)
def test_the_same_notice_reads_the_same_in_another_dress(year, old, new):
    texts = {each["year"]: each["text"] for each in WHOLE["notices"]}
    text = texts[year] if str(year) not in LISTS else "\n".join(LISTS[str(year)])
    assert old in text
    record = RECORD[str(year)]
    given = {"number": record["number"], "issued_on": date.fromisoformat(record["issued"])}
    one, other = (read(each, **given) for each in (text, text.replace(old, new)))
    assert (one.off, one.work) == (other.off, other.work)
    assert check_notice(other) == []


def test_a_notice_for_2027_in_the_form_of_2025_is_read():
    notice = read(REHEARSAL)
    assert check_notice(notice) == []
    assert (notice.year, len(notice.off), len(notice.work)) == (2027, 29, 5)


def single_character_edits(text, where, instead):
    for at, character in enumerate(text):
        if where(text, at):
            for other in instead:
                if other != character:
                    yield text[:at] + other + text[at + 1 :]


DIGITS = (lambda text, at: text[at].isdigit(), "0123456789")
WEEKDAYS = (lambda text, at: text[at - 1] == "周", "一二三四五六日")


def outcome(text):
    """What becomes of an edited rehearsal: refused, or accepted with the same or other days."""
    try:
        notice = read(text)
    except ValueError:
        return "refused"
    if check_notice(notice):
        return "refused"
    original = read(REHEARSAL)
    return "same days" if (notice.off, notice.work) == (original.off, original.work) else "other"


@pytest.mark.parametrize(("kind", "edits"), [(DIGITS, 585), (WEEKDAYS, 102)])
def test_every_other_digit_and_every_other_weekday_is_refused(kind, edits):
    outcomes = Counter(map(outcome, single_character_edits(REHEARSAL, *kind)))
    assert outcomes == {"refused": edits}


def test_a_character_left_out_of_the_list_is_refused_or_changes_no_day():
    start, end = REHEARSAL.index("一、元旦"), REHEARSAL.index("　　节假日期间")
    outcomes = Counter()
    for at in range(start, end):
        if not REHEARSAL[at].isspace():
            outcomes[outcome(REHEARSAL[:at] + REHEARSAL[at + 1 :])] += 1
    # The six are the full stops at the ends of the paragraphs above another heading.
    assert outcomes == {"refused": 254, "same days": 6}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("1月31日（周日）", "1月31日（周六）", "2027-01-31 是周日，不是“周六”"),
        ("（农历除夕、", "（农历正月初一、", "2027-02-05 不是“正月初一”"),
        ("共9天", "共8天", "放假天数写作 8，实为 9"),
        ("放假1天，不调休", "放假2天，不调休", "放假天数写作 2，实为 1"),
        ("、2月14日（周日）上班", "上班", "应为 13 天，实为 14 天"),
        ("2月14日（周日）上班", "2月13日（周六）上班", "2027-02-13 既放假又上班"),
        ("2月14日（周日）上班", "2月15日（周一）上班", "2027-02-15 是周一，本就上班"),
        ("10月9日（周六）", "10月16日（周六）", "2027-10-16 上班，前后 6 日内没有放假"),
        ("10月9日（周六）", "1月9日（周六）", "2027-01-09 上班，前后 14 日内没有国庆节放假"),
        ("4月3日（周六）至5日（周一）", "4月10日（周六）至12日（周一）", "2027-04-05 是清明节"),
        ("1月1日（周五）至", "2026年12月27日（周日）至", "2026-12-27 不在 2027 年及其前三日内"),
        ("五、端午节：6月9日（周三）放假1天，不调休。", "", "端午节应出现 1 次，实为 0 次"),
        ("五、端午节：", "五、中秋节：", "中秋节应出现 1 次，实为 2 次"),
        ("五、端午节", "六、端午节", "序号不连续"),
        ("6月9日（周三）放假1天", "6月9日（周三）歇业1天", "读不懂“歇业1天"),
        ("（周三）放假1天", "（三）放假1天", "读不懂“三”"),
        ("5月8日（周六）上班", "5月8日（周六）", "有日期而没有放假或上班"),
        ("5月8日（周六）上班", "8日（周六）、上班", "不当在此"),
        ("5月8日（周六）", "5月32日（周六）", "“5月32日（周六）”不存在"),
        ("至5日（周三）放假", "至1日（周六）放假", "起止日期颠倒或过长"),
        ("4月3日", "2025年4月3日", "不在 2027 年前后"),
        ("关于2027年", "关于2028年", "正文写的是 2028 年，应为 2027 年"),
        ("现将2027年", "现将2026年", "正文写的是 2026 年，应为 2027 年"),
        ("〔2026〕99号", "〔2026〕98号", "与给出的文号 国办发明电〔2026〕99号 不符"),
        ("2026年11月24日", "2026年11月25日", "落款日期 2026-11-25 与给出的印发日期"),
        ("2026年11月24日", "2026年11月31日", "落款日期不存在"),
        ("端午节、中秋节和国庆节放假", "端午节和国庆节放假", "前言所列节日不全或有误"),
        ("五、端午节", "各单位另行通知。五、端午节", "劳动节：读不懂“各单位另行通知”"),
    ],
)
def test_a_notice_that_fails_says_each_reason(old, new, reason):
    assert old in REHEARSAL
    normal = str.maketrans("（），：", "(),:")
    found = [each.translate(normal) for each in reasons_for(REHEARSAL.replace(old, new))]
    assert any(reason.translate(normal) in each for each in found), found


def test_every_reason_is_given_and_not_the_first_alone():
    text = REHEARSAL.replace("共9天", "共8天").replace("5月8日（周六）", "5月8日（周日）")
    assert len(reasons_for(text)) == 2


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"number": "国办发〔2026〕99号"}, "文号不合格式"),
        ({"number": "国办发明电〔2025〕99号"}, "不在同一年"),
        ({"issued_on": date(2026, 11, 25)}, "落款日期 2026-11-24 与给出的印发日期 2026-11-25 不符"),
    ],
)
def test_number_and_day_of_issue_must_be_those_of_the_text(given, reason):
    assert any(reason in each for each in reasons_for(REHEARSAL, **given))


@pytest.mark.parametrize(
    ("year", "old", "new", "reason"),
    [
        (2009, "1月2日（星期五）", "1月5日（星期一）", "元旦放假不相连"),
        (2009, "分别调至10月5日（星期一）、10月6日（星期二）", "调至10月5日（星期一）", "天数不等"),
        (2007, "三个公休日", "两个公休日", "公休日个数写作 2，实为 3"),
        (2007, "24日（星期六）照常公休", "23日（星期五）照常公休", "2007-02-23 不是周末"),
        (2008, "5月1日为法定", "5月2日为法定", "2008-05-02 不是法定节假日"),
        (2014, "4月7日（星期一）补休", "4月14日（星期一）补休", "清明节放假不相连"),
        (2018, "9月24日放假，与周末连休", "9月25日放假，与周末连休", "与周末不相连"),
        (2020, "2月3日（星期一）起", "2月2日（星期日）起", "2020-02-02 不是正常上班的日子"),
        (2020, "延长2020年", "延长2021年", "年份不是 2020 年"),
    ],
)
def test_the_older_wordings_are_checked_as_closely(year, old, new, reason):
    assert old in "\n".join(LISTS[str(year)])
    found = check_notice(list_of(year, lambda text: text.replace(old, new)))
    assert any(reason in each for each in found), found


def test_text_without_any_day_off_is_no_notice():
    with pytest.raises(ValueError, match="没有读到任何放假日期"):
        read("节假日期间，各地区、各部门要妥善安排好值班。")


def test_what_a_web_page_adds_below_the_signature_is_not_read():
    page = REHEARSAL + "责任编辑：某某 2026-11-25 09:52 浏览1024次 3月1日更新"
    assert reasons_for(page) == []


@pytest.mark.parametrize(
    ("reasons", "confirmed_by", "goes_in"),
    [
        ([], [], True),
        (["共9天不符"], [], False),
        (["共9天不符"], ["张三"], False),
        (["共9天不符"], ["张三", " 张 三 "], False),
        (["共9天不符"], ["张三", ""], False),
        (["共9天不符"], ["张三", "李四"], True),
    ],
)
def test_a_doubtful_notice_needs_two_different_people(reasons, confirmed_by, goes_in):
    assert may_import(reasons, confirmed_by) is goes_in
