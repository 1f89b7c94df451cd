"""The freeze of a draw: everything that decides it, written down before any seed exists.

Pure rules of protocol draw-1, steps 2 and 5 (the count). Nothing here draws, stores, asks the
clock or a random source: commitments and times are handed in.
"""

import hashlib
import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import chain
from math import ceil
from typing import Any, NamedTuple, TypeVar

PROTOCOL = "draw-1"
_T = TypeVar("_T", str, tuple[str, str])
_CHINA = timezone(timedelta(hours=8))
_HEX32 = re.compile(r"[0-9a-f]{64}")
# Control characters, line and paragraph separators, and halves of pairs that no UTF-8 can write.
_UNWRITABLE = "\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
_TEXT = re.compile(f"[^{_UNWRITABLE}]*")
_CODE = re.compile(rf"[^\s{_UNWRITABLE}]+")


class DrawRefused(ValueError):
    """拒绝抽取: a draw may not go on. The message is one Chinese line: why, and what to do."""


class BelowFloor(DrawRefused):
    """低于法定比例: after exclusions, fewer subjects are left than the ratio asks for."""


class Missing(NamedTuple):
    """One department's shortage: `needed` for each subject, `available` for the worst-off one.

    `subjects` counts the pool members concerned; none is named.
    """

    department: str
    needed: int
    available: int
    subjects: int


class Shortage(DrawRefused):
    """执法人员不足: some pool members would get no full team. Departments and numbers only."""

    def __init__(self, missing: Iterable[Missing]) -> None:
        self.missing = list(missing)
        each = "；".join(
            f"{m.department} 每户需 {m.needed} 人，可用 {m.available} 人（涉及 {m.subjects} 户）"
            for m in self.missing
        )
        super().__init__(f"执法检查人员不足，未冻结：{each}。请补充持有效证件的人员或核对回避")


def canonical(value: Any) -> bytes:
    """The one way to write `value`: JSON, keys sorted, no spaces, no escapes, UTF-8.

    Takes only dict with str keys, list, str, int, bool and None; anything else raises TypeError.
    """
    level = [value]
    while level:  # level by level, not item by item: a bundle can hold millions
        dicts = [item for item in level if type(item) is dict]
        lists = [item for item in level if type(item) is list]
        strange = set(map(type, level)) - {dict, list, str, int, bool, type(None)}
        strange |= set(map(type, chain.from_iterable(dicts))) - {str}
        if strange:
            raise TypeError(f"no canonical form: {', '.join(t.__name__ for t in strange)}")
        level = [*chain.from_iterable(map(dict.values, dicts)), *chain.from_iterable(lists)]
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def freeze_digest(freeze: Mapping[str, Any]) -> str:
    """冻结摘要: 64 hex digits that pin the freeze; published before the seed is computed."""
    return hashlib.sha256(canonical(freeze)).hexdigest()


def check_text(value: str, what: str, *, empty: bool = False) -> str:
    """`value`, if the protocol can carry it: NFC, no control characters, no outer spaces."""
    if not isinstance(value, str) or not _TEXT.fullmatch(value):
        raise DrawRefused(f"{what}含有换行、控制字符或无法书写的字符，请改正：{value!r}")
    if value != value.strip():
        raise DrawRefused(f"{what}前后有空格，请删去：{value!r}")
    if not unicodedata.is_normalized("NFC", value):
        raise DrawRefused(f"{what}不是 Unicode NFC 写法，请重新录入：{value!r}")
    if not value and not empty:
        raise DrawRefused(f"{what}为空，请填写")
    return str(value)


def _check_code(value: str, what: str) -> str:
    if isinstance(value, str) and _CODE.fullmatch(value) and value.isascii():
        return str(value)
    if check_text(value, what) and not _CODE.fullmatch(value):
        raise DrawRefused(f"{what}内有空白字符，请删去：{value!r}")
    return str(value)


def _check_codes(values: Iterable[str], what: str) -> list[str]:
    """The same for many; a million are looked at as one text, and singly only to name a bad one."""
    codes = list(values)
    if all(type(code) is str and code for code in codes):
        text = "".join(codes)
        if text.isascii() and text.isprintable() and " " not in text:
            return codes
    return [_check_code(code, what) for code in codes]


def ratio_text(ratio: Decimal | str) -> str:
    """A percentage as exact decimal text: Decimal("3.0") → "3", "0.50" → "0.5"."""
    try:
        percent = Decimal(ratio) if isinstance(ratio, Decimal | str) else Decimal("nan")
    except InvalidOperation:
        percent = Decimal("nan")
    if not (percent.is_finite() and 0 <= percent <= 100):
        raise DrawRefused(f"抽查比例应为 0 至 100 的十进制百分数，如 3 或 0.5，现为 {ratio!r}")
    text = format(abs(percent), "f")  # abs, because Decimal knows a minus zero
    return text.rstrip("0").rstrip(".") if "." in text else text


def draw_count(pool: int, excluded: int, ratio: Decimal | str, minimum: int = 0) -> int:
    """抽取数: how many of `pool` subjects are drawn at `ratio` percent, rounded up, exactly.

    The floor counts the excluded ones too, so exclusions never lower it.
    Raises BelowFloor where the pool cannot fill it.
    """
    floor = ceil(Fraction(ratio_text(ratio)) * (pool + excluded) / 100)
    if pool < floor:
        raise BelowFloor(
            f"按比例 {ratio_text(ratio)}% 至少抽 {floor} 户，排除 {excluded} 户后只剩 {pool} 户，"
            "未冻结。请减少排除"
        )
    return min(pool, max(floor, minimum))


def shortages(freeze: Mapping[str, Any]) -> list[Missing]:
    """Departments that cannot man a team for every pool member, in the plan's order."""
    staff: dict[str, set[str]] = defaultdict(set)
    for inspector in freeze["inspectors"]:
        staff[inspector["department"]].add(inspector["certificate"])
    recused: dict[str, list[str]] = defaultdict(list)
    for recusal in freeze["recusals"]:
        recused[recusal["subject"]].append(recusal["certificate"])

    found = []
    for department in freeze["departments"]:
        code, needed = department["code"], department["inspectors"]
        own = staff[code]
        # How many candidates are left → for how many subjects.
        left = Counter(len(own) - sum(c in own for c in certs) for certs in recused.values())
        left[len(own)] += len(freeze["pool"]) - len(recused)
        short = {n: count for n, count in left.items() if n < needed and count}
        if short:
            found.append(Missing(code, needed, min(short), sum(short.values())))
    return found


def freeze(
    *,
    round: str,
    grade: str,
    commitment: str,
    committed_at: datetime,
    frozen_at: datetime,
    ratio: Decimal | str,
    pool: Iterable[str],
    departments: Iterable[tuple[str, int, bool]],
    inspectors: Iterable[tuple[str, str]],
    excluded: Iterable[tuple[str, str]] = (),
    recusals: Iterable[tuple[str, str]] = (),
    public_value_rule: str = "",
    minimum: int = 0,
) -> dict[str, Any]:
    """冻结对象: the freeze object of protocol draw-1, step 2, checked and in its one right order.

    `departments`: (code, inspectors per team, initiating), in the plan's order. `inspectors`:
    (department, certificate). `excluded`: (code, reason). `recusals`: (subject, certificate);
    those of subjects outside the pool are left out. Times are aware, written to the second in
    China's time. That the commitment is a whole working day old is the caller's to check.

    Raises DrawRefused, or its kinds Shortage and BelowFloor; then nothing may be frozen.
    """
    if not _HEX32.fullmatch(commitment):
        raise DrawRefused("承诺值应为 64 位小写十六进制，请用登记轮次时公布的承诺值")
    if committed_at.tzinfo is None or frozen_at.tzinfo is None:
        raise DrawRefused("承诺时间和冻结时间必须带时区")
    if not _moment(committed_at) < _moment(frozen_at):
        raise DrawRefused("冻结时间应晚于承诺时间，请先公布承诺值")
    if type(minimum) is not int or minimum < 0:
        raise DrawRefused(f"最少抽取数应为不小于 0 的整数，现为 {minimum!r}")

    subjects = _sorted(_check_codes(pool, "检查对象代码"), "检查对象")
    left_out = _sorted(
        ((_check_code(c, "被排除对象代码"), check_text(r, "排除理由")) for c, r in excluded),
        "被排除对象",
    )
    _unique([code for code, _ in left_out], "被排除对象")
    recusals = list(recusals)
    members = set(subjects) if left_out or recusals else set()
    if both := [code for code, _ in left_out if code in members]:
        raise DrawRefused(f"{both[0]} 既在名录库中又被排除，请核对（共 {len(both)} 户）")

    seats = [(_check_code(code, "部门代码"), count, bool(i)) for code, count, i in departments]
    _unique([code for code, _, _ in seats], "部门")
    if bad := [code for code, count, _ in seats if type(count) is not int or count < 1]:
        raise DrawRefused(f"部门 {bad[0]} 的每组人数应为不小于 1 的整数")
    if sum(initiating for _, _, initiating in seats) != 1:
        raise DrawRefused("发起部门应有且只有一个，请核对计划")
    staff = _sorted(
        ((_check_code(d, "部门代码"), _check_code(c, "执法证号")) for d, c in inspectors),
        "执法检查人员",
    )
    if strangers := {d for d, _ in staff} - {code for code, _, _ in seats}:
        raise DrawRefused(f"执法检查人员所在部门 {min(strangers)} 不在本次抽查的部门之中，请核对")
    withdrawn = _sorted(
        (
            (_check_code(s, "检查对象代码"), _check_code(c, "执法证号"))
            for s, c in recusals
            if s in members
        ),
        "回避",
    )

    frozen: dict[str, Any] = {
        "protocol": PROTOCOL,
        "round": check_text(round, "抽查轮次"),
        "grade": check_text(grade, "风险等级"),
        "commitment": commitment,
        "committed_at": _moment(committed_at),
        "frozen_at": _moment(frozen_at),
        "public_value_rule": check_text(public_value_rule, "公共值规则", empty=True),
        "ratio": ratio_text(ratio),
        "minimum": minimum,
        "pool": subjects,
        "excluded": [{"code": c, "reason": r} for c, r in left_out],
        "departments": [{"code": c, "inspectors": k, "initiating": i} for c, k, i in seats],
        "inspectors": [{"department": d, "certificate": c} for d, c in staff],
        "recusals": [{"subject": s, "certificate": c} for s, c in withdrawn],
    }
    draw_count(len(subjects), len(left_out), ratio, minimum)
    if missing := shortages(frozen):
        raise Shortage(missing)
    return frozen


def _moment(time: datetime) -> str:
    return time.astimezone(_CHINA).isoformat(timespec="seconds")


def _sorted(items: Iterable[_T], what: str) -> list[_T]:
    ordered = sorted(items)  # by code point, as Python orders text
    _unique(ordered, what)
    return ordered


def _unique(items: list[Any], what: str) -> None:
    """Refuses a list in which any stands twice."""
    if len(set(items)) < len(items):
        twice = [item for item, times in Counter(items).items() if times > 1]
        raise DrawRefused(f"{what}重复：{twice[0]}（共 {len(twice)} 个），请在名录库中去重")
