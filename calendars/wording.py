"""The wording of holiday notices since 2007, as data: which pieces there are, and in what order."""

import re

from calendars.statutory import HOLIDAYS

_NAMES = "|".join(HOLIDAYS)
# The notices of 2007 and 2008 write 劳动节 and 国庆节 this way.
ALIASES = {"“五一”国际劳动节": "劳动节", "“五一”": "劳动节", "“十一”": "国庆节"}
NUMERALS = "一二三四五六七八九十"
HEADING = re.compile(rf"([{NUMERALS}])、((?:{_NAMES}|{'|'.join(ALIASES)})(?:[、和](?:{_NAMES}))*):")
DATED = re.compile(r"\d[月日天]")
SIGNED = re.compile(r"国务院(?:办公厅)?(\d{4})年(\d{1,2})月(\d{1,2})日")
_COUNT = rf"(?:\d+|[{NUMERALS}])"
# An amendment has its dates in running prose: 为方便公众…，特作如下调休：9月3日至5日….
LEAD = re.compile(rf"[^\d]*:|(?:[^\d放假]+,)+|[{NUMERALS}]、")

PIECE = re.compile(
    rf"""
    (?P<day>(?:(?P<year>\d{{4}})年)?(?:(?P<month>\d{{1,2}})月)?(?P<dom>\d{{1,2}})日
        (?:\((?P<remark>[^()]*)\))?)
  | (?P<move>(?:(?P<moved>[两三四])个)?公休日(?:及(?P<also>{_NAMES}))?(?:分别)?调至)
  | (?P<to>至|[—–~-]+)
  | (?P<list>、)
  | (?P<off>(?:全国)?(?:放假调休|调休放假|放假公休|放假)(?:(?P<days>{_COUNT})天)?)
  | (?P<total>共(?P<sum>{_COUNT})天)
  | (?P<nothing>不调休|其中[,:]?|将(?=\d))
  | (?P<joined>与周末连休)
  | (?P<lieu>补休|调休)
  | (?P<resume>起正常上班)
  | (?P<work>上班)
  | (?P<statutory>,?为(?:{_NAMES})?法定节?假日)
  | (?P<rest>为公休日|照常公休)
  | (?P<extend>延长(?:(?P<of>\d{{4}})年)?(?P<holiday>{_NAMES})假期)
  | (?P<comma>,)
    """,
    re.VERBOSE,
)

# What each piece may stand behind (START: nothing, END: the sentence is over).
START, END = "start", "end"
_DONE = {"off", "total", "lieu", "resume", "work", "statutory", "rest", "nothing", "joined"}
_DAY = {"day"}
BEHIND = {
    "day": {START, "comma", "list", "to", "move", "nothing"},
    "to": {"day", "extend"},
    "list": _DAY,
    "move": _DAY,
    "off": _DAY,
    "lieu": _DAY,
    "resume": _DAY,
    "work": _DAY,
    "statutory": _DAY,
    "rest": _DAY,
    "total": {"comma"},
    "joined": {"comma"},
    "nothing": {START, "comma"},
    "extend": {START, "comma"},
    "comma": _DAY | _DONE,
    END: _DAY | _DONE,
}
