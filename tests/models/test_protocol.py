"""The draw: its vectors, its refusals, its fairness, and the same bytes everywhere."""

import hmac
import inspect
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from hashlib import sha256
from math import ceil, exp, factorial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.freeze import (
    BelowFloor,
    DrawRefused,
    Missing,
    Shortage,
    canonical,
    draw_count,
    freeze,
    freeze_digest,
    ratio_text,
)
from models.protocol import (
    bundle,
    commitment,
    draw_subjects,
    draw_teams,
    replacement,
    seed,
    ticket,
)

DATA = Path(__file__).parent.parent / "data" / "draw-vectors.json"
VECTORS = json.loads(DATA.read_text("utf-8"))["bundles"]
SECRET = sha256(b"a secret for tests").digest()
Frozen = dict[str, Any]


def frozen(**changes: Any) -> Frozen:
    inputs: dict[str, Any] = {
        "round": "平卫双随机办〔2024〕55号-1",
        "grade": "B",
        "commitment": commitment(SECRET),
        "committed_at": datetime(2024, 6, 21, 1, tzinfo=UTC),
        "frozen_at": datetime(2024, 6, 25, 1, tzinfo=UTC),
        "ratio": "3",
        "pool": [f"S{i}" for i in range(7)],
        "departments": [("yjglj", 2, True), ("scjgj", 2, False)],
        "inspectors": [(d, f"{d}-{i}") for d in ("yjglj", "scjgj") for i in range(5)],
    }
    return freeze(**inputs | changes)


def again(vector: dict[str, Any]) -> bytes:
    """A vector's bundle, drawn again from its inputs handed in backwards."""
    old = vector["freeze"]
    new = freeze(
        round=old["round"],
        grade=old["grade"],
        commitment=old["commitment"],
        committed_at=datetime.fromisoformat(old["committed_at"]),
        frozen_at=datetime.fromisoformat(old["frozen_at"]),
        public_value_rule=old["public_value_rule"],
        ratio=Decimal(old["ratio"]),
        minimum=old["minimum"],
        pool=old["pool"][::-1],
        excluded=[(e["code"], e["reason"]) for e in old["excluded"][::-1]],
        departments=[(d["code"], d["inspectors"], d["initiating"]) for d in old["departments"]],
        inspectors=[(i["department"], i["certificate"]) for i in old["inspectors"][::-1]],
        recusals=[(r["subject"], r["certificate"]) for r in old["recusals"][::-1]],
    )
    secret, value = bytes.fromhex(vector["secret"]), vector["public_value"]
    key = seed(new, secret, value)
    subjects, alternates = draw_subjects(new, key)
    return canonical(
        bundle(new, secret, value, subjects, alternates, draw_teams(new, key, subjects))
    )


def p_value(chi_square: float, freedom: int) -> float:
    """How often chance alone deviates as much or more (even degrees of freedom)."""
    assert freedom % 2 == 0
    half = chi_square / 2
    return exp(-half) * sum(half**k / factorial(k) for k in range(freedom // 2))


def inclusion_p_value(drawn: Counter[str], everyone: list[str], places: int, draws: int) -> float:
    """χ² of inclusions when `places` of `everyone` are drawn without putting back."""
    total, expected = len(everyone), draws * places / len(everyone)
    deviation = sum((drawn[name] - expected) ** 2 for name in everyone) / expected
    return p_value(deviation * (total - 1) / (total - places), total - 1)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["freeze"]["round"])
def test_a_vector_is_drawn_again_byte_for_byte(vector: dict[str, Any]) -> None:
    assert again(vector) == canonical(vector)


def test_two_processes_with_other_hash_seeds_and_locales_write_the_same_bytes() -> None:
    # Only the draw is loaded there, not pytest, so that each process takes a tenth of a second.
    script = f"""
import json, sys
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from models.freeze import canonical, freeze
from models.protocol import bundle, draw_subjects, draw_teams, seed
{inspect.getsource(again)}
with open(sys.argv[1], encoding="utf-8") as file:
    vectors = json.load(file)["bundles"]
print(sha256(b"".join(again(vector) for vector in vectors)).hexdigest())
"""
    here = sha256(b"".join(again(vector) for vector in VECTORS)).hexdigest()
    for hash_seed, locale in (("1", "C"), ("2", "zh_CN.GB18030")):
        done = subprocess.run(
            [sys.executable, "-c", script, str(DATA)],
            env=os.environ | {"PYTHONHASHSEED": hash_seed, "LC_ALL": locale, "PYTHONUTF8": "0"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == here


def test_over_20_000_seeds_every_subject_and_inspector_has_its_fair_share() -> None:
    staff = [f"yjglj-{i}" for i in range(5)]
    small = frozen(
        minimum=3,
        departments=[("yjglj", 2, True)],
        inspectors=[("yjglj", certificate) for certificate in staff],
    )
    codes, draws = small["pool"], 20_000
    subjects, first_place, team, leader, two_teams = (Counter[str]() for _ in range(5))
    for number in range(draws):
        key = sha256(b"%d" % number).digest()
        drawn, _ = draw_subjects(small, key)
        teams = draw_teams(small, key, drawn[:2])
        subjects.update(code for code, _ in drawn)
        first_place[drawn[0].code] += 1
        team.update(teams[0].drawn)
        leader[str(teams[0].leader)] += 1
        two_teams.update(teams[0].drawn + teams[1].drawn)
    assert min(subjects[code] for code in codes) > 0
    found = {
        "subjects": inclusion_p_value(subjects, codes, 3, draws),
        "first place": inclusion_p_value(first_place, codes, 1, draws),
        "team": inclusion_p_value(team, staff, 2, draws),
        "leader": inclusion_p_value(leader, staff, 1, draws),
        # Balance gives the four places of two teams to four of the five.
        "two teams": inclusion_p_value(two_teams, staff, 4, draws),
    }
    # The seeds are the first 20,000 numbers, none picked. Of five values one may be below 0.01.
    assert min(found.values()) > 0.001, found


def test_the_test_of_fairness_catches_one_random_start_with_a_fixed_step() -> None:
    codes, counted = [f"S{i}" for i in range(7)], Counter[str]()
    for number in range(20_000):
        start = int.from_bytes(sha256(b"%d" % number).digest()[:4], "big") % 2
        counted.update(codes[start::2][:3])
    assert counted["S6"] == 0
    assert inclusion_p_value(counted, codes, 3, 20_000) < 1e-9


@given(
    n_inspectors=st.integers(2, 7),
    places=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    pool=st.integers(1, 12),
    number=st.integers(0, 10**6),
    barred=st.sets(st.tuples(st.integers(0, 11), st.integers(0, 6)), max_size=12),
)
def test_the_draw_follows_the_letter_of_the_protocol(
    n_inspectors: int,
    places: tuple[int, int],
    pool: int,
    number: int,
    barred: set[tuple[int, int]],
) -> None:
    try:
        object_ = frozen(
            pool=[f"S{i:02d}" for i in range(pool)],
            ratio="50",
            departments=[("a", places[0], False), ("b", places[1], True)],
            inspectors=[(d, f"{d}{i}") for d in "ab" for i in range(n_inspectors)],
            recusals=[(f"S{s:02d}", f"a{i}") for s, i in barred],
        )
    except Shortage:
        return
    key = sha256(b"%d" % number).digest()

    def hashed(message: str) -> str:
        return hmac.new(key, message.encode(), "sha256").hexdigest()

    ranked = sorted((hashed(f"subject\n{code}"), code) for code in object_["pool"])
    count = ceil(pool / 2)
    drawn, alternates = draw_subjects(object_, key)
    assert [(code, own) for own, code in ranked[:count]] == drawn
    assert [code for _, code in ranked[count : count + max(count, 10)]] == alternates

    load, expected = Counter[str](), []
    for subject, _ in drawn:
        for department, k in zip("ab", places, strict=True):
            order = sorted(
                (load[c], hashed(f"inspector\n{department}\n{subject}\n{c}"), c)
                for c in (f"{department}{i}" for i in range(n_inspectors))
                if {"subject": subject, "certificate": c} not in object_["recusals"]
            )
            team = tuple(c for _, _, c in order[:k])
            load.update(team)
            expected.append((subject, department, team, team[0] if department == "b" else None))
    assert draw_teams(object_, key, drawn) == expected


@pytest.mark.parametrize(
    ("pool", "excluded", "ratio", "minimum", "count"),
    [
        (0, 0, "10", 3, 0),
        (1, 0, "1", 0, 1),
        (100, 0, "1", 0, 1),
        (101, 0, "1", 0, 2),
        (100, 1, "1", 0, 2),
        (1000, 0, "0.1", 0, 1),
        (1001, 0, "0.1", 0, 2),
        (300, 0, Decimal("33.3"), 0, 100),
        (20, 0, "10", 3, 3),
        (2, 0, "10", 3, 2),
        (10**15, 0, "0.0000000000001", 0, 1),
        (10**15 + 1, 0, "0.0000000000001", 0, 2),
        (7, 0, "100", 0, 7),
        (7, 0, "0", 0, 0),
    ],
)
def test_the_count_is_rounded_up_exactly(
    pool: int, excluded: int, ratio: str, minimum: int, count: int
) -> None:
    assert draw_count(pool, excluded, ratio, minimum) == count


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10_000))
def test_exclusions_never_lower_the_floor(pool: int, excluded: int, hundredths: int) -> None:
    ratio = Decimal(hundredths) / 100
    floor = ceil(Fraction(hundredths, 10_000) * (pool + excluded))
    if pool < floor:
        with pytest.raises(BelowFloor, match="请减少排除"):
            draw_count(pool, excluded, ratio)
    else:
        assert draw_count(pool, excluded, ratio) == floor


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        ("3", "3"),
        (Decimal("3.0"), "3"),
        ("0.50", "0.5"),
        ("10", "10"),
        (Decimal("1E+1"), "10"),
        ("-0", "0"),
        ("007", "7"),
        (Decimal("0.00"), "0"),
        ("1e-3", "0.001"),
        ("100.0", "100"),
    ],
)
def test_a_ratio_has_one_spelling(ratio: Decimal | str, text: str) -> None:
    assert ratio_text(ratio) == text


@pytest.mark.parametrize("ratio", ["", "三", "NaN", "inf", "-1", "100.1", 3, 0.5, None, "3%"])
def test_a_ratio_that_is_no_exact_percentage_is_refused(ratio: Any) -> None:
    with pytest.raises(DrawRefused, match="抽查比例"):
        ratio_text(ratio)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pool": ["S1", "S1"]}, "检查对象重复：S1"),
        ({"pool": ["S 1"]}, "空白"),
        ({"pool": ["S\u30001"]}, "空白"),
        ({"pool": [""]}, "为空"),
        ({"pool": ["S1\n"]}, "控制字符"),
        ({"pool": ["S\u2028"]}, "控制字符"),
        ({"pool": ["S\ud800"]}, "无法书写"),
        ({"pool": ["e\u0301"]}, "NFC"),
        ({"pool": [1]}, "检查对象代码"),
        ({"excluded": [("S1", "已检查")]}, "既在名录库中又被排除"),
        ({"excluded": [("X", "一"), ("X", "二")]}, "被排除对象重复"),
        ({"excluded": [("X", "")]}, "排除理由为空"),
        ({"inspectors": [("yjglj", "1"), ("yjglj", "1")]}, "执法检查人员重复"),
        ({"inspectors": [("qxj", "1")]}, "qxj 不在"),
        ({"departments": [("yjglj", 2, True), ("yjglj", 2, False)]}, "部门重复"),
        ({"departments": [("yjglj", 2, True), ("scjgj", 2, True)]}, "发起部门"),
        ({"departments": [("yjglj", 2, False), ("scjgj", 2, False)]}, "发起部门"),
        ({"departments": [("yjglj", 0, True), ("scjgj", 2, False)]}, "每组人数"),
        ({"recusals": [("S1", "yjglj-1"), ("S1", "yjglj-1")]}, "回避重复"),
        ({"commitment": "AB" * 32}, "承诺值"),
        ({"committed_at": datetime(2024, 6, 25, 1, tzinfo=UTC)}, "晚于承诺"),
        ({"frozen_at": datetime(2024, 6, 25, 1)}, "时区"),  # noqa: DTZ001
        ({"round": " 一"}, "抽查轮次前后有空格"),
        ({"grade": ""}, "风险等级为空"),
        ({"public_value_rule": "骰子\t"}, "公共值规则"),
        ({"minimum": -1}, "最少抽取数"),
        ({"minimum": True}, "最少抽取数"),
        ({"ratio": "90", "excluded": [("X", "已检查")]}, "至少抽 8 户"),
    ],
)
def test_a_freeze_that_breaks_a_rule_is_refused_in_one_line(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(DrawRefused, match=said) as refused:
        frozen(**changes)
    assert len(str(refused.value).splitlines()) == 1


def test_a_freeze_writes_plain_values_in_the_one_order() -> None:
    class Grade(StrEnum):
        C = "C"

    made = frozen(
        grade=Grade.C,
        ratio=Decimal("10.0"),
        pool={"B", "é", "A"},
        recusals=[("é", "scjgj-1"), ("elsewhere", "scjgj-1")],
        frozen_at=datetime(2024, 6, 25, 1, 2, 3, 999, tzinfo=UTC),
    )
    assert type(made["grade"]) is str
    assert made["ratio"] == "10"
    assert made["pool"] == ["A", "B", "é"]
    assert made["recusals"] == [{"subject": "é", "certificate": "scjgj-1"}]
    assert made["frozen_at"] == "2024-06-25T09:02:03+08:00"
    assert freeze_digest(made) == sha256(canonical(made)).hexdigest()


def test_a_shortage_gives_departments_and_numbers_and_no_subject() -> None:
    recusals = [("S3", f"yjglj-{i}") for i in range(4)] + [("S4", f"yjglj-{i}") for i in range(5)]
    with pytest.raises(Shortage) as refused:
        frozen(recusals=recusals, inspectors=[("yjglj", f"yjglj-{i}") for i in range(5)])
    assert refused.value.missing == [Missing("yjglj", 2, 0, 2), Missing("scjgj", 2, 0, 7)]
    assert "S3" not in str(refused.value)
    assert "S4" not in str(refused.value)


def test_an_empty_pool_needs_nobody_and_seals_an_empty_draw() -> None:
    empty = frozen(pool=[], inspectors=[])
    assert draw_subjects(empty, seed(empty, SECRET)) == ([], [])
    assert draw_teams(empty, seed(empty, SECRET), []) == []


@pytest.mark.parametrize("value", [1.0, float("nan"), (1,), {1: 2}, {"a": [b"x"]}, [[Decimal(1)]]])
def test_only_plain_values_have_a_canonical_form(value: Any) -> None:
    with pytest.raises(TypeError, match="no canonical form"):
        canonical(value)


def test_the_canonical_form_is_sorted_tight_and_not_escaped() -> None:
    assert canonical({"b": [True, None, 1], "a": "双\u2028"}) == (
        '{"a":"双\u2028","b":[true,null,1]}'.encode()
    )


def test_the_seed_is_refused_without_its_secret_or_its_public_value() -> None:
    plain, ruled = frozen(), frozen(public_value_rule="骰子")
    with pytest.raises(DrawRefused, match="承诺值不符"):
        seed(plain, bytes(32))
    with pytest.raises(DrawRefused, match="32 字节"):
        commitment(b"short")
    with pytest.raises(DrawRefused, match="待公共值"):
        seed(ruled, SECRET)
    with pytest.raises(DrawRefused, match="未约定"):
        seed(plain, SECRET, "6")
    with pytest.raises(DrawRefused, match="公共值"):
        seed(ruled, SECRET, "6 ")
    assert seed(ruled, SECRET, "6") != seed(ruled, SECRET, "5")


def test_a_subject_computes_its_own_ticket_from_seed_and_code() -> None:
    key = seed(frozen(), SECRET)
    drawn, _ = draw_subjects(frozen(), key)
    assert [ticket(key, code) for code, _ in drawn] == [own for _, own in drawn]


def test_teams_of_the_drawn_stay_when_an_alternate_comes_after_them() -> None:
    object_ = frozen(minimum=3)
    key = seed(object_, SECRET)
    drawn, alternates = draw_subjects(object_, key)
    teams = draw_teams(object_, key, drawn)
    more = draw_teams(object_, key, [*drawn, (alternates[0], "")])
    assert more[: len(teams)] == teams
    assert len(more) == len(teams) + 2


def test_a_place_goes_to_the_lowest_ticket_that_may_serve() -> None:
    object_ = frozen(recusals=[("S1", "yjglj-0")])
    key = seed(object_, SECRET)
    able = sorted(
        (hmac.new(key, f"inspector\nyjglj\nS1\nyjglj-{i}".encode(), "sha256").digest(), i)
        for i in range(1, 5)
    )
    order = [f"yjglj-{i}" for _, i in able]
    everybody = {f"yjglj-{i}" for i in range(5)}

    def next_one(ever_on_team: list[str], available: set[str] = everybody) -> str | None:
        return replacement(object_, key, "S1", "yjglj", ever_on_team, available)

    assert next_one([]) == order[0]
    assert next_one(order[:2]) == order[2]
    assert next_one(order[:2], everybody - {order[2]}) == order[3]
    assert next_one(order) is None  # yjglj-0 is recused: the head appoints
    assert next_one([], set()) is None


def test_a_frozen_day_can_be_any_length_after_its_commitment() -> None:
    late = frozen(frozen_at=datetime(2024, 6, 21, 1, tzinfo=UTC) + timedelta(seconds=1))
    assert late["committed_at"] < late["frozen_at"]
