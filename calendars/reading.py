"""Reading the text of a holiday notice, sentence by sentence.

The wording has changed since 2007 but is built of few pieces: dates with remarks in brackets, and
what is done to them (放假, 补休, 调至, 上班). A sentence that holds a date is read whole or it is
reported: a piece nobody understood may be the one that matters.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from unicodedata import normalize

from calendars.day import is_weekend
from calendars.remark import remark_problems
from calendars.statutory import HOLIDAYS, statutory_days
from calendars.wording import (
    ALIASES,
    BEHIND,
    DATED,
    END,
    HEADING,
    LEAD,
    NUMERALS,
    PIECE,
    SIGNED,
    START,
)


@dataclass
class Reading:
    """What one document says: the days, the headings, and everything that is wrong with it."""

    year: int
    off: dict[date, str] = field(default_factory=dict)
    work: dict[date, str] = field(default_factory=dict)
    headings: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    signed_on: date | None = None
    preamble: str = ""

    @property
    def amends(self) -> bool:
        """Whether it only changes a year's arrangement (调整, 延长), having no list of holidays."""
        return not self.headings


def plain(text: str) -> str:
    """The text with half-width signs and without blanks: sites differ in both."""
    return re.sub(r"\s+", "", normalize("NFKC", text))


def documents(text: str) -> list[str]:
    """The documents in `text`; a line that is an address stands before each in collections."""
    parts = re.split(r"^\s*https?://\S+\s*$", text, flags=re.MULTILINE)
    return [part for part in map(plain, parts) if part]


def read_document(text: str, year: int) -> Reading:
    """Read one document, prepared by `documents`, as ruling on `year`."""
    reading = Reading(year)
    headings = list(HEADING.finditer(text))
    if signed := SIGNED.search(text, headings[-1].end() if headings else 0):
        # Whatever a web page put below the signature is not the notice's.
        text = text[: signed.start()]
        try:
            reading.signed_on = date(*map(int, signed.groups()))
        except ValueError:
            reading.problems.append(f"落款日期不存在：{signed[0]}")
    if not headings:
        reading.preamble = text
        _read_section(reading, _amended(text), text)
    else:
        reading.preamble = text[: headings[0].start()]
        ends = [heading.start() for heading in headings[1:]] + [len(text)]
        for heading, end in zip(headings, ends, strict=True):
            name = "、".join(ALIASES.get(each, each) for each in re.split("[、和]", heading[2]))
            reading.headings.append((heading[1], name))
            _read_section(reading, name, text[heading.end() : end], last=end == len(text))
    return reading


def _amended(text: str) -> str:
    """The holiday an amendment is about."""
    if special := re.search(r"关于(.+?)调休放假的通知", text):
        return special[1]
    return next((name for name in HOLIDAYS if name in text), "专门安排")


def _read_section(reading: Reading, holiday: str, text: str, *, last: bool = True) -> None:
    section = _Section(reading, holiday)
    for sentence in re.split("[。;]", text):
        if DATED.search(sentence):
            section.read(sentence)
        elif sentence and not last:
            # Only below the last holiday does a notice go on with other matters.
            reading.problems.append(f"{holiday}：读不懂“{sentence[:12]}”")


class _Section:
    """The sentences under one heading; later ones lean on the month and span of earlier ones."""

    def __init__(self, reading: Reading, holiday: str) -> None:
        self.reading = reading
        self.holiday = holiday
        self.month: tuple[int, int] | None = None
        self.span: list[date] = []
        self.moved: list[date] = []

    def read(self, sentence: str) -> None:
        """One sentence with a date in it."""
        self.sentence = sentence
        self.group: list[date] = []
        self.open_range = self.extending = False
        self.origin: list[date] | None = None
        self.also = 0
        before = START
        for piece in self._pieces(sentence):
            kind = piece.lastgroup or ""
            if before not in BEHIND[kind]:
                self._problem(f"“{piece[0]}”不当在此")
            getattr(self, f"_{kind}")(piece)
            before = kind
        if before not in BEHIND[END]:
            self._problem("句子没有写完")
        self._comma(None)

    def _pieces(self, sentence: str) -> Iterator[re.Match[str]]:
        """The pieces in order, after whatever prose leads an amendment's sentence to its date."""
        lead = LEAD.match(sentence) if self.reading.amends else None
        at = lead.end() if lead else 0
        while at < len(sentence):
            piece = PIECE.match(sentence, at)
            if not piece:
                self._problem(f"读不懂“{sentence[at : at + 12]}”")
                return
            yield piece
            at = piece.end()

    def _problem(self, what: str) -> None:
        self.reading.problems.append(f"{self.holiday}：{what}（“{self.sentence}”）")

    def _day(self, piece: re.Match[str]) -> None:
        year, month = piece["year"], piece["month"]
        if month:
            of = int(year) if year else self.reading.year
            if not 0 <= self.reading.year - of <= 1:
                return self._problem(f"“{piece[0]}”不在 {self.reading.year} 年前后")
            # 元旦 reaches back into December; no other holiday comes near it.
            back = not year and month == "12" and "元旦" in self.holiday
            self.month = (of - back, int(month))
        if not self.month:
            return self._problem(f"“{piece[0]}”没有月份")
        try:
            day = date(*self.month, int(piece["dom"]))
        except ValueError:
            return self._problem(f"“{piece[0]}”不存在")
        start = self.group[-1] if self.open_range and self.group else None
        if start:
            length = (day - start).days
            if not 0 < length < 20:
                return self._problem(f"起止日期颠倒或过长：{start} 至 {day}")
            self.group += [start + timedelta(days=each + 1) for each in range(length)]
        else:
            self.group.append(day)
        self.open_range = False
        for problem in remark_problems(piece["remark"], day, start):
            self._problem(problem)
        return None

    def _to(self, _: re.Match[str]) -> None:
        self.open_range = not self.extending

    def _list(self, _: re.Match[str]) -> None:
        """、 between two days: the next one joins the group."""

    def _off(self, piece: re.Match[str]) -> None:
        self.span = self._give_off()
        if piece["days"]:
            self._counted(piece["days"], len(self.span), "放假天数")

    def _lieu(self, _: re.Match[str]) -> None:
        self._give_off()

    def _work(self, _: re.Match[str]) -> None:
        for day in self._take("上班"):
            if self.reading.work.setdefault(day, self.holiday) != self.holiday:
                self._problem(f"{day} 重复安排上班")

    def _resume(self, _: re.Match[str]) -> None:
        for day in self._take("正常上班"):
            if is_weekend(day) or day in self.reading.off:
                self._problem(f"{day} 不是正常上班的日子")

    def _total(self, piece: re.Match[str]) -> None:
        self._counted(piece["sum"], len(self.span), "放假天数")

    def _move(self, piece: re.Match[str]) -> None:
        self.origin = self._take("公休日")
        self.also = 1 if piece["also"] else 0
        if any(not is_weekend(day) for day in self.origin):
            self._problem("调出的公休日不是周末")
        if piece["moved"]:
            self._counted(str("两三四".index(piece["moved"]) + 2), len(self.origin), "公休日个数")

    def _extend(self, piece: re.Match[str]) -> None:
        self.extending = True
        self.holiday = piece["holiday"]
        if piece["of"] and int(piece["of"]) != self.reading.year:
            self._problem(f"年份不是 {self.reading.year} 年")

    def _joined(self, _: re.Match[str]) -> None:
        if self.span and self.span[0].weekday() in (1, 2, 3):
            self._problem("与周末不相连")

    def _statutory(self, piece: re.Match[str]) -> None:
        for day in self._take("法定节假日"):
            if day not in statutory_days(day.year):
                self._problem(f"{day} 不是法定节假日")

    def _rest(self, _: re.Match[str]) -> None:
        for day in self._take("公休"):
            if not is_weekend(day):
                self._problem(f"{day} 不是周末")

    def _nothing(self, _: re.Match[str]) -> None:
        """其中, 将 and 不调休 change no day."""

    def _comma(self, _: re.Match[str] | None) -> None:
        if self.origin is not None:
            if len(self.group) != len(self.origin) + self.also:
                self._problem("调出与调入的天数不等")
            self.moved += self.origin
            self.origin = None
            self._give_off()
            for day in self.moved:
                # A rest day that a holiday falls on is given back, not worked.
                if day not in self.reading.off:
                    self.reading.work[day] = self.holiday
        elif self.extending and self.group:
            until = self.group[-1]
            start = min(
                (day for day, name in statutory_days(until.year).items() if self.holiday in name),
                default=until,
            )
            self.extending = False
            self.group = [start + timedelta(days=each) for each in range((until - start).days + 1)]
            self._give_off()
        elif self.group:
            self._problem("有日期而没有放假或上班")
            self.group = []

    def _give_off(self) -> list[date]:
        days = self._take("放假")
        for day in days:
            self.reading.off[day] = self.holiday
        return days

    def _take(self, what: str) -> list[date]:
        days, self.group = self.group, []
        if not days or self.open_range:
            self._problem(f"{what}没有日期")
        return days

    def _counted(self, printed: str, found: int, what: str) -> None:
        number = int(printed) if printed.isdigit() else NUMERALS.index(printed) + 1
        if number != found:
            self._problem(f"{what}写作 {number}，实为 {found}")
