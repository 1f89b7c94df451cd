"""核验双随机抽取的证据包 · Verifies the evidence bundle of a random draw (protocol draw-1).

python verify_draw.py bundle.json                  核验整个证据包
python verify_draw.py bundle.json --code 代码        核验，并查这一户抽中与否
python verify_draw.py --seed 种子 --code 代码 [--last 末位抽中签号]    只凭种子算一户的签号

Exit code 0: everything holds; 1: something does not, the first such thing is named by its path in
the file; 2: the file is not JSON. Needs Python 3.10 or later, no network, no other file. It shares
no code with the program that draws.

How a draw goes: the office publishes the sha256 of a secret, then the sha256 of the frozen lists;
only then is a seed computed from both. The seed gives everybody a lottery ticket, the HMAC-SHA-256
of the own code; the lowest are drawn. Inspectors likewise, those who were drawn least first.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from fractions import Fraction
from operator import lt
from pathlib import Path
from typing import Any, NoReturn


class Problem(Exception):
    """不符之处: what does not hold, and where, by a path such as freeze.pool[3]."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path or '证据包'}：{message}")
        self.path, self.message = path, message


def _demand(holds: bool, path: str, message: str) -> None:
    if not holds:
        raise Problem(path, message)


# --- Reading JSON, where no value may have two spellings -----------------------------------------


class _Odd(str):
    """What JSON can write and no bundle may hold: 1.0, NaN, -0, the same field twice."""

    __repr__ = str.__str__


def _integer(digits: str) -> int | _Odd:
    return _Odd(digits) if digits == "-0" or len(digits) > 100 else int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Odd:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    return _Odd(f"两次写了 {Counter(key for key, _ in pairs).most_common(1)[0][0]!r} 的对象")


def read(text: str) -> Any:
    """The bundle in `text`. Raises ValueError where that is not JSON."""
    hooks: dict[str, Any] = {"parse_int": _integer, "parse_float": _Odd, "parse_constant": _Odd}
    try:
        return json.loads(text, object_pairs_hook=_object, **hooks)
    except RecursionError:
        raise ValueError("nested too deeply") from None


# --- Form: which fields there are, and how each is written ---------------------------------------


def _text(pattern: str) -> Callable[[Any], bool]:
    matches = re.compile(pattern).fullmatch

    def holds(value: Any) -> bool:
        if type(value) is str and matches(value):
            return value.isascii() or unicodedata.is_normalized("NFC", value)
        return False

    return holds


def _time(value: str) -> datetime:
    form = "(dddd-dd-ddTdd:dd:dd)(?:[.]d+)?([+-]dd:dd)".replace("d", "[0-9]")
    if parts := re.fullmatch(form, value):
        return datetime.fromisoformat(parts[1] + parts[2])
    raise ValueError(value)


def _is_time(value: Any) -> bool:
    try:
        return type(value) is str and bool(_time(value))
    except ValueError:
        return False


# Control characters, line and paragraph separators, halves of pairs that UTF-8 cannot write.
_BAD = "\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
_is_code = _text(rf"[^\s{_BAD}]+")

# A plain value is described by what it must be, in words and as a test.
DRAW_1 = ("文字 draw-1", _text("draw-1"))
TEXT = ("非空文字（NFC，无控制字符，前后无空格）", _text(rf"(?!\s)[^{_BAD}]+(?<!\s)"))
NOTE = ("文字（NFC，无控制字符，前后无空格）", _text(rf"(?!\s)[^{_BAD}]*(?<!\s)"))
CODE = ("代码（NFC，无空白和控制字符）", _is_code)
HOLDER = ("执法证号或 null", lambda value: value is None or _is_code(value))
HEX = ("64 位小写十六进制", _text("[0-9a-f]{64}"))
TIME = ("带时区的时间，如 2024-06-25T09:00:00+08:00", _is_time)
RATIO = ("百分数，如 3 或 0.5", _text(r"(0|[1-9][0-9]{0,99})(\.[0-9]{0,99}[1-9])?"))
COUNT = ("不小于 0 的整数", lambda value: type(value) is int and value >= 0)
PLACES = ("不小于 1 的整数", lambda value: type(value) is int and value >= 1)
YES_NO = ("true 或 false", lambda value: type(value) is bool)

FREEZE = {
    "protocol": DRAW_1, "round": TEXT, "grade": TEXT, "commitment": HEX,
    "committed_at": TIME, "frozen_at": TIME, "public_value_rule": NOTE,
    "ratio": RATIO, "minimum": COUNT,
    "pool": [CODE],
    "excluded": [{"code": CODE, "reason": TEXT}],
    "departments": [{"code": CODE, "inspectors": PLACES, "initiating": YES_NO}],
    "inspectors": [{"department": CODE, "certificate": CODE}],
    "recusals": [{"subject": CODE, "certificate": CODE}],
}  # fmt: skip
REPLACEMENT = {
    "subject": CODE, "department": CODE, "out": CODE, "in": CODE,
    "reason": TEXT, "decided_by": TEXT, "at": TIME,
}  # fmt: skip
BUNDLE = {
    "freeze": FREEZE, "freeze_digest": HEX, "public_value": NOTE, "secret": HEX, "seed": HEX,
    "count": COUNT,
    "subjects": [{"code": CODE, "ticket": HEX}],
    "alternates": [CODE],
    "teams": [{"subject": CODE, "department": CODE, "drawn": [CODE], "leader": HOLDER}],
    "replacements": [REPLACEMENT],
}  # fmt: skip


def _fit(value: Any, form: Any, path: str) -> None:
    """Raises the first place where `value` does not have the form."""
    if isinstance(form, tuple):
        what, holds = form
        if not holds(value):
            raise Problem(path, f"应为{what}，现为 {_short(value)}")
    elif type(value) is not type(form):
        raise Problem(path, f"应为{_short(form)}，现为 {_short(value)}")
    elif isinstance(form, list):
        strings = form[0] is CODE and set(map(type, value)) == {str}
        if strings and "".join(value).isascii() and all(map(str.isalnum, value)):
            return  # a pool of a million plain codes, in one step
        for place, item in enumerate(value):
            _fit(item, form[0], f"{path}[{place}]")
    else:
        for key, inner in form.items():
            where = f"{path}.{key}" if path else key
            if key not in value:
                raise Problem(where, "缺少这个字段")
            _fit(value[key], inner, where)
        if len(value) > len(form):
            raise Problem(path, f"多出字段 {_short(min(value.keys() - form.keys()))}")


def _short(value: Any) -> str:
    if isinstance(value, dict | list):
        return "对象" if isinstance(value, dict) else "列表"
    text = repr(value)
    return text if len(text) <= 80 else text[:80] + "…"


# --- Substance: every value is computed again ----------------------------------------------------


def verify(text: str) -> Problem | None:
    """The first thing in the bundle that does not hold, or None. ValueError: `text` is not JSON."""
    return examine(read(text))


def examine(bundle: Any) -> Problem | None:
    """Like `verify`, for a bundle that was read already."""
    try:
        _fit(bundle, BUNDLE, "")
        for check in (_lists, _seals, _subjects, _teams, _replacements):
            check(bundle)
    except Problem as problem:
        return problem
    return None


def _lists(bundle: dict[str, Any]) -> None:
    """The frozen lists are in their one order, without repeats, and agree with each other."""
    freeze = bundle["freeze"]
    pool, inspectors, recusals = freeze["pool"], freeze["inspectors"], freeze["recusals"]
    keys = {
        "pool": pool,
        "excluded": [e["code"] for e in freeze["excluded"]],
        "inspectors": [(i["department"], i["certificate"]) for i in inspectors],
        "recusals": [(r["subject"], r["certificate"]) for r in recusals],
    }
    for name, ordered in keys.items():
        rising = [True, *map(lt, ordered, ordered[1:])]
        if not all(rising):
            where = f"freeze.{name}[{rising.index(False)}]"
            raise Problem(where, "与前一项重复，或未按码位升序排列")
    members, seen = set(pool), set()
    for place, code in enumerate(keys["excluded"]):
        _demand(code not in members, f"freeze.excluded[{place}].code", "已被排除，却仍在名录库中")
    for place, (subject, _) in enumerate(keys["recusals"]):
        _demand(subject in members, f"freeze.recusals[{place}].subject", "不在名录库中")
    for place, department in enumerate(freeze["departments"]):
        where, code = f"freeze.departments[{place}]", department["code"]
        _demand(code not in seen, where + ".code", "部门重复")
        seen.add(code)
        # Nobody may be in the pool for whom no full team could be drawn.
        own = {i["certificate"] for i in inspectors if i["department"] == code}
        recused = Counter(r["subject"] for r in recusals if r["certificate"] in own)
        left = len(own) - max(recused.values(), default=0)
        enough = not pool or left >= department["inspectors"]
        _demand(enough, where + ".inspectors", f"有检查对象的候选人员只有 {left} 人，不得冻结")
    leading = sum(department["initiating"] for department in freeze["departments"])
    _demand(leading == 1, "freeze.departments", f"发起部门应有且只有一个，现有 {leading} 个")
    in_time = _time(freeze["committed_at"]) <= _time(freeze["frozen_at"])
    _demand(in_time, "freeze.committed_at", "承诺晚于冻结")


def _seals(bundle: dict[str, Any]) -> None:
    """Commitment, freeze digest, public value and seed: steps 1 to 4."""
    freeze, public_value = bundle["freeze"], bundle["public_value"]
    opened = hashlib.sha256(bytes.fromhex(bundle["secret"])).hexdigest()
    _demand(freeze["commitment"] == opened, "freeze.commitment", f"secret 的 sha256 是 {opened}")
    written = json.dumps(freeze, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(written.encode("utf-8")).hexdigest()
    _demand(bundle["freeze_digest"] == digest, "freeze_digest", f"freeze 的 sha256 是 {digest}")
    asked = bool(freeze["public_value_rule"])
    _demand(bool(public_value) == asked, "public_value", f"按规则应{'有' if asked else '无'}公共值")
    lines = f"draw-1 seed\n{digest}\n{bundle['secret']}\n{public_value}\n"
    seed = hashlib.sha256(lines.encode("utf-8")).hexdigest()
    _demand(bundle["seed"] == seed, "seed", f"应为 {seed}")


def lottery(seed: str) -> Callable[[str, Iterable[str]], list[bytes]]:
    """The function tickets(start, names): HMAC-SHA-256 under the seed, of start + name, for each.

    The same as hmac.digest(key, message, "sha256"), with the key hashed only once.
    """
    key = bytes.fromhex(seed) + bytes(32)
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key))
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key))

    def tickets(start: str, names: Iterable[str]) -> list[bytes]:
        begun, found = inner.copy(), []
        begun.update(start.encode("utf-8"))
        for name in names:
            first, second = begun.copy(), outer.copy()
            first.update(name.encode("utf-8"))
            second.update(first.digest())
            found.append(second.digest())
        return found

    return tickets


def _subjects(bundle: dict[str, Any]) -> None:
    """Count, tickets and order of the drawn subjects and the alternates: step 5."""
    freeze, pool = bundle["freeze"], bundle["freeze"]["pool"]
    everyone = len(pool) + len(freeze["excluded"])
    floor = -(-Fraction(freeze["ratio"]) * everyone // 100)  # rounded up, exactly
    _demand(len(pool) >= floor, "freeze.pool", f"排除后不足按比例应抽的 {floor} 户，不得冻结")
    count = min(len(pool), max(floor, freeze["minimum"]))
    _demand(bundle["count"] == count, "count", f"应为 {count}，现为 {bundle['count']}")
    tickets = lottery(bundle["seed"])
    listed = [*(subject["code"] for subject in bundle["subjects"]), *bundle["alternates"]]
    wanted = min(len(pool), count + max(count, 10))
    last = max(tickets("subject\n", listed[-1:]), default=b"")
    ranked = list(zip(tickets("subject\n", pool), pool, strict=True))
    order = sorted(entry for entry in ranked if entry[0] <= last)
    if len(order) != wanted:  # the last one listed is wrong: nothing saved, all are sorted
        order = sorted(ranked)[:wanted]
    drawn = [{"code": code, "ticket": ticket.hex()} for ticket, code in order[:count]]
    _same(bundle["subjects"], drawn, "subjects")
    _same(bundle["alternates"], [code for _, code in order[count:]], "alternates")


def _teams(bundle: dict[str, Any]) -> None:
    """Every team, its order and its leader: step 6."""
    freeze, tickets = bundle["freeze"], lottery(bundle["seed"])
    times: dict[str, dict[str, int]] = {d["code"]: {} for d in freeze["departments"]}
    for inspector in freeze["inspectors"]:  # how often each was drawn so far, by department
        times.setdefault(inspector["department"], {})[inspector["certificate"]] = 0
    recused: dict[str, set[str]] = {}
    for recusal in freeze["recusals"]:
        recused.setdefault(recusal["subject"], set()).add(recusal["certificate"])
    teams = []
    for subject in (drawn["code"] for drawn in bundle["subjects"]):
        barred = recused.get(subject, ())
        for department in freeze["departments"]:
            code, places = department["code"], department["inspectors"]
            load = times[code]
            able = [certificate for certificate in load if certificate not in barred]
            # Nobody who was drawn more often than this can get a place, so needs no ticket.
            most = sorted(map(load.__getitem__, able))[places - 1]
            able = [certificate for certificate in able if load[certificate] <= most]
            found = tickets(f"inspector\n{code}\n{subject}\n", able)
            order = sorted(zip(map(load.__getitem__, able), found, able, strict=True))
            drawn = [certificate for _, _, certificate in order[:places]]
            load.update({certificate: load[certificate] + 1 for certificate in drawn})
            leader = drawn[0] if department["initiating"] else None
            teams.append({"subject": subject, "department": code, "drawn": drawn, "leader": leader})
    _same(bundle["teams"], teams, "teams")


def _same(given: list[Any], right: list[Any], path: str) -> None:
    for place, (now, should) in enumerate(zip(given, right, strict=False)):
        if now != should:
            where = f"{path}[{place}]"
            if isinstance(should, dict):
                field = next(key for key in should if now[key] != should[key])
                where, now, should = f"{where}.{field}", now[field], should[field]
            raise Problem(where, f"应为 {should}，现为 {now}")
    _demand(len(given) == len(right), path, f"应有 {len(right)} 项，现有 {len(given)} 项")


def _replacements(bundle: dict[str, Any]) -> None:
    """Replacements name a place that was held at that time. Who came in, later facts decide."""
    team = {(t["subject"], t["department"]): set(t["drawn"]) for t in bundle["teams"]}
    made = sorted(enumerate(bundle["replacements"]), key=lambda entry: _time(entry[1]["at"]))
    for place, change in made:
        where, held = f"replacements[{place}]", (change["subject"], change["department"])
        if change["subject"] in bundle["alternates"]:
            continue  # took the place of a closed subject; its team was not drawn with the others
        _demand(held in team, where, "没有抽取过这一户、这一部门的检查小组")
        _demand(change["out"] in team[held], where + ".out", "当时不在该检查小组")
        _demand(change["in"] not in team[held], where + ".in", "当时已在该检查小组")
        team[held] ^= {change["out"], change["in"]}


# --- Command -------------------------------------------------------------------------------------


def _one(bundle: dict[str, Any], code: str) -> str:
    """Whether `code` was drawn, in words, from a bundle that holds."""
    freeze, drawn = bundle["freeze"], [subject["code"] for subject in bundle["subjects"]]
    if code in drawn:
        return f"抽中，第 {drawn.index(code) + 1} 位，共 {len(drawn)} 户"
    if code in bundle["alternates"]:
        return f"未抽中，递补名单第 {bundle['alternates'].index(code) + 1} 位"
    reasons = {excluded["code"]: "已排除，" + excluded["reason"] for excluded in freeze["excluded"]}
    return "未抽中" if code in freeze["pool"] else reasons.get(code, "不在名录库中")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"用法不对，请看 --help：{message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """The command line, see the top of this file. Returns the exit code; wrong usage exits 2."""
    parser = _Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", nargs="?", type=Path)
    parser.add_argument("--code", "--subject")
    parser.add_argument("--seed")
    parser.add_argument("--last", "--threshold")
    ask = parser.parse_args(argv)
    for value, (what, holds) in ((ask.code, CODE), (ask.seed, HEX), (ask.last, HEX)):
        if value is not None and not holds(value):
            parser.error(f"应为{what}，现为 {_short(value)}")
    if not ask.bundle:
        if not (ask.seed and ask.code):
            parser.error("须给出证据包，或者 --seed 和 --code")
        ticket = lottery(ask.seed)("subject\n", [ask.code])[0].hex()
        verdict = ("抽中" if ticket <= ask.last else "未抽中") if ask.last else "抽中与否看末位签号"
        return _say(0, f"签号 {ticket}，{verdict}")
    try:
        bundle = read(ask.bundle.read_bytes().decode("utf-8"))
    except OSError as error:
        return _say(2, f"{ask.bundle}：读不到文件（{error.strerror}）")
    except ValueError:
        return _say(2, f"{ask.bundle}：不是 JSON 文件")
    problem = examine(bundle)
    if problem is None and ask.seed and ask.seed != bundle["seed"]:
        problem = Problem("seed", "与 --seed 给出的不同")
    if problem:
        return _say(1, f"核验不通过，{problem}")
    if ask.code:
        ticket = lottery(bundle["seed"])("subject\n", [ask.code])[0].hex()
        return _say(0, f"核验通过，签号 {ticket}，{_one(bundle, ask.code)}")
    digest, pool = bundle["freeze_digest"], len(bundle["freeze"]["pool"])
    return _say(0, f"核验通过：{pool} 户中抽取 {bundle['count']} 户，冻结摘要 {digest}")


def _say(exit_code: int, line: str) -> int:
    print(line, file=sys.stderr if exit_code == 2 else sys.stdout)
    return exit_code


if __name__ == "__main__":
    gc.disable()  # one file, one answer: nothing to collect, and large bundles take less time
    sys.exit(main())
