"""The verifier: vectors hold, and no single change to a bundle passes."""

import copy
import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deployments import verify_draw
from deployments.verify_draw import lottery, main, verify
from models import freeze as freezing
from models import protocol

VECTORS = json.loads(
    (Path(__file__).parent.parent / "data" / "draw-vectors.json").read_text("utf-8")
)["bundles"]
SECRET = hashlib.sha256(b"a secret for tests").digest()
Steps = tuple[str | int, ...]


def draw(**changes: Any) -> dict[str, Any]:
    """A small bundle in which every list is filled."""
    inputs: dict[str, Any] = {
        "round": "平卫双随机办〔2024〕55号-1",
        "grade": "B",
        "commitment": protocol.commitment(SECRET),
        "committed_at": datetime(2024, 6, 21, 1, tzinfo=UTC),
        "frozen_at": datetime(2024, 6, 25, 1, tzinfo=UTC),
        "public_value_rule": "当日收盘指数，两位小数",
        "ratio": "12.5",
        "minimum": 2,
        "pool": [f"91410403MA{i:07d}é" for i in range(14)],
        "excluded": [("91410403MA9000001X", "三个月内已检查"), ("91410403MA9000002X", "已检查")],
        "departments": [("yjglj", 2, True), ("scjgj", 1, False)],
        "inspectors": [(d, f"豫D-{d}-{i}") for d in ("yjglj", "scjgj") for i in range(4)],
        "recusals": [("91410403MA0000003é", "豫D-yjglj-1"), ("91410403MA0000003é", "豫D-yjglj-2")],
    } | changes
    value = "3021.50" if inputs["public_value_rule"] else ""
    frozen = freezing.freeze(**inputs)
    seed = protocol.seed(frozen, SECRET, value)
    subjects, alternates = protocol.draw_subjects(frozen, seed)
    teams = protocol.draw_teams(frozen, seed, subjects)
    return protocol.bundle(frozen, SECRET, value, subjects, alternates, teams)


BUNDLE = draw()


def replaced(bundle: dict[str, Any]) -> dict[str, Any]:
    """The bundle with one replacement in its first team."""
    team = bundle["teams"][0]
    staff = [i["certificate"] for i in bundle["freeze"]["inspectors"]]
    free = next(c for c in staff if team["department"] in c and c not in team["drawn"])
    change = {
        "subject": team["subject"],
        "department": team["department"],
        "out": team["drawn"][0],
        "in": free,
        "reason": "当事人申请回避",
        "decided_by": "应急管理局负责人",
        "at": "2024-07-01T09:00:00+08:00",
    }
    return bundle | {"replacements": [change]}


def walk(value: Any, steps: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    yield steps, value
    if isinstance(value, dict | list):
        for step in value if isinstance(value, dict) else range(len(value)):
            yield from walk(value[step], (*steps, step))


def put(bundle: dict[str, Any], steps: Steps, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(bundle)
    target: Any = changed
    for step in steps[:-1]:
        target = target[step]
    target[steps[-1]] = value
    return changed


def spelled(steps: Steps) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")


def other_values(value: Any) -> Iterator[Any]:
    """Changes of one value: other values, other types, other spellings, other orders."""
    yield from (None, True, False, 0, 1, 2.5, float("nan"), -1, "", "x", [], {}, [value], 10**30)
    if isinstance(value, str):
        yield from (value + " ", " " + value, value + "\n", value + "\u2028", value + "\x7f")
        yield from (value + "0", value[:-1], "０" + value, value.upper(), value.lower())
        yield from (value + "\ud800", value.replace("é", "e\u0301"), value.replace("8", "９"))
        yield from (value + "\u3000", value.replace("+08:00", "Z"), value.replace("T", " "))
        yield "a" + value[1:]
    elif type(value) in (bool, int):
        yield from (int(value), bool(value), float(value), str(value), value + 1, value - 1)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield value[:place] + value[place + 1 :]
            yield [*value[:place], item, *value[place:]]
            yield [*value, item]
            if place:
                yield [*value[: place - 1], item, value[place - 1], *value[place + 1 :]]
    elif isinstance(value, dict):
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
            yield {k.upper() if k == key else k: v for k, v in value.items()}
        yield value | {"备注": ""}


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1, 1.0 and true are three things."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def reseal(bundle: dict[str, Any]) -> dict[str, Any]:
    """What a forger would do: digest and seed made to fit the changed freeze."""
    digest = freezing.freeze_digest(bundle["freeze"])
    lines = f"draw-1 seed\n{digest}\n{bundle['secret']}\n{bundle['public_value']}\n"
    return bundle | {"freeze_digest": digest, "seed": hashlib.sha256(lines.encode()).hexdigest()}


@pytest.mark.parametrize("bundle", [*VECTORS, BUNDLE], ids=lambda b: b["freeze"]["round"])
def test_a_true_bundle_holds_however_its_json_is_laid_out(bundle: dict[str, Any]) -> None:
    assert verify(json.dumps(bundle)) is None
    assert verify(json.dumps(bundle, ensure_ascii=False, indent=3, sort_keys=True)) is None


def test_every_single_change_outside_the_replacements_is_refused_and_named() -> None:
    tried = 0
    for steps, value in walk(BUNDLE):
        if not steps or steps[0] == "replacements":
            continue
        for other in other_values(value):
            if same(other, value):
                continue
            tried += 1
            problem = verify(json.dumps(put(BUNDLE, steps, other)))
            assert problem is not None, (spelled(steps), other)
            assert problem.path.partition(".")[0].partition("[")[0] in BUNDLE, str(problem)
            assert problem.message
            assert len(str(problem).splitlines()) == 1
    assert tried > 3000


@pytest.mark.parametrize("bundle", VECTORS, ids=lambda b: b["freeze"]["round"])
def test_the_first_and_last_of_everything_in_a_vector_is_bound(bundle: dict[str, Any]) -> None:
    for steps, value in walk(bundle):
        inner = [step for step in steps if isinstance(step, int)]
        if type(value) in (dict, list) or any(step not in (0, 1) for step in inner):
            continue
        other = value + "1" if isinstance(value, str) else "x" if value is None else value + 1
        assert verify(json.dumps(put(bundle, steps, other))) is not None, spelled(steps)


@pytest.mark.parametrize("key", [*BUNDLE, "备注"])
def test_a_field_that_is_missing_or_too_many_is_named(key: str) -> None:
    if key in BUNDLE:
        problem = verify(json.dumps({k: v for k, v in BUNDLE.items() if k != key}))
        assert problem is not None
        assert problem.path == key
    else:
        problem = verify(json.dumps(BUNDLE | {key: 1}))
        assert problem is not None
        assert key in problem.message


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("freeze.protocol", "draw-2"),
        ("freeze.round", ""),
        ("freeze.commitment", "AB" * 32),
        ("freeze.commitment", "ab" * 32),
        ("freeze.committed_at", "2024-06-21T09:00:00"),
        ("freeze.committed_at", "2024-06-26T09:00:00+08:00"),
        ("freeze.frozen_at", "2024-06-31T09:00:00+08:00"),
        ("freeze.frozen_at", "2024-06-25 09:00:00+08:00"),
        ("freeze.public_value_rule", "末位\u2029"),
        ("freeze.ratio", "12.50"),
        ("freeze.ratio", "012.5"),
        ("freeze.ratio", "1e1"),
        ("freeze.ratio", "12.5\n"),
        ("freeze.minimum", -1),
        ("freeze.minimum", True),
        ("freeze.pool[3]", "91410403 MA0000003"),
        ("freeze.pool[3]", "91410403MA0000003e\u0301"),
        ("freeze.pool[4]", "91410403MA0000003é"),
        ("freeze.pool[4]", "91410403MA0000001é"),
        ("freeze.excluded[0].reason", " 已检查"),
        ("freeze.excluded[0].code", "91410403MA0000013é"),
        ("freeze.excluded[1]", {"code": "91410403MA9000001X", "reason": "重复"}),
        ("freeze.departments[1].code", "yjglj"),
        ("freeze.departments[0].inspectors", 0),
        ("freeze.departments[0].inspectors", 3),
        ("freeze.departments[1].initiating", 0),
        ("freeze.recusals[1].subject", "91410403MA0000099é"),
    ],
)
def test_a_freeze_against_the_rules_is_named_though_its_seals_fit(path: str, value: Any) -> None:
    steps = next(steps for steps, _ in walk(BUNDLE) if spelled(steps) == path)
    problem = verify(json.dumps(reseal(put(BUNDLE, steps, value))))
    assert problem is not None
    assert problem.path == path, str(problem)


def test_nothing_may_be_frozen_without_exactly_one_initiating_department() -> None:
    for initiating in (True, False):
        departments = [d | {"initiating": initiating} for d in BUNDLE["freeze"]["departments"]]
        problem = verify(json.dumps(reseal(put(BUNDLE, ("freeze", "departments"), departments))))
        assert problem is not None
        assert problem.path == "freeze.departments"


def test_exclusions_never_lower_the_floor() -> None:
    excluded = [{"code": f"X{i:03d}", "reason": "已检查"} for i in range(100)]
    problem = verify(json.dumps(reseal(put(BUNDLE, ("freeze", "excluded"), excluded))))
    assert problem is not None
    assert problem.path == "freeze.pool"


def test_a_public_value_stands_where_its_rule_does_and_only_there() -> None:
    for bundle in (put(BUNDLE, ("public_value",), ""), put(VECTORS[0], ("public_value",), "7")):
        problem = verify(json.dumps(reseal(bundle)))
        assert problem is not None
        assert problem.path == "public_value"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"minimum": 0', '"minimum": -0'),
        ('"minimum": 0', '"minimum": 0.0'),
        ('"minimum": 0', '"minimum": 0e0'),
        ('"minimum": 0', '"minimum": NaN'),
        ('"minimum": 0', '"minimum": 1' + "0" * 5000),
        ('"minimum": 0', '"minimum": 0, "minimum": 0'),
        ('"inspectors": 2', '"inspectors": 2.0'),
        ('"ratio": "1"', '"ratio": 1'),
        ('"count": 1', '"count": 1E0'),
        ('"count": 1', '"count": Infinity'),
        ('"public_value": ""', '"public_value": "", "public_value": ""'),
        ('"ratio": "1"', '"ratio": "' + "1" * 5000 + '"'),
    ],
)
def test_a_second_spelling_in_json_is_refused(old: str, new: str) -> None:
    text = json.dumps(VECTORS[0])
    assert old in text
    assert verify(text.replace(old, new, 1)) is not None


def test_replacements_are_checked_for_form_and_place_only() -> None:
    bundle = replaced(BUNDLE)
    assert verify(json.dumps(bundle)) is None
    for field, value in {
        "reason": "不能参加",
        "decided_by": "另一人",
        "in": "豫D-直接委派",
    }.items():
        assert verify(json.dumps(put(bundle, ("replacements", 0, field), value))) is None
    for field, value in {"out": "豫D-不在组", "subject": "X", "reason": "", "at": "昨天"}.items():
        problem = verify(json.dumps(put(bundle, ("replacements", 0, field), value)))
        assert problem is not None
        assert problem.path.startswith("replacements[0]")


def test_who_came_in_can_go_out_again_but_not_before() -> None:
    bundle = replaced(BUNDLE)
    first = bundle["replacements"][0]
    again = first | {"out": first["in"], "in": "豫D-直接委派", "at": "2024-07-02T09:00:00+08:00"}
    assert verify(json.dumps(bundle | {"replacements": [again, first]})) is None
    early = again | {"at": "2024-06-30T09:00:00+08:00"}
    assert verify(json.dumps(bundle | {"replacements": [first, early]})) is not None


def test_a_ticket_is_the_standard_hmac() -> None:
    seed = BUNDLE["seed"]
    right = hmac.new(bytes.fromhex(seed), "subject\n豫é".encode(), "sha256").digest()
    assert lottery(seed)("subject\n", ["豫é"]) == [right]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (json.dumps(BUNDLE).encode(), 0),
        (json.dumps(put(BUNDLE, ("count",), 9)).encode(), 1),
        (b"{}", 1),
        (b"[]", 1),
        (b"null", 1),
        (b'"\\ud800"', 1),
        (b"1" * 10_000, 1),
        (b"", 2),
        (b"{", 2),
        (b"[" * 100_000, 2),
        (b"\xff\xfe{}", 2),
        (json.dumps(BUNDLE).encode("utf-16"), 2),
        (json.dumps(BUNDLE).encode()[:-1], 2),
        (b"PK\x03\x04", 2),
    ],
)
def test_the_exit_code_tells_a_false_bundle_from_no_json(
    content: bytes, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bundle.json"
    path.write_bytes(content)
    assert main([str(path)]) == code
    out, err = capsys.readouterr()
    assert len((out + err).splitlines()) == 1
    assert bool(err) == (code == 2)


def test_a_missing_file_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["没有这个文件.json"]) == 2
    assert "读不到文件" in capsys.readouterr().err


def test_a_subject_learns_its_ticket_and_whether_it_was_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(BUNDLE), "utf-8")
    drawn, seed = BUNDLE["subjects"], BUNDLE["seed"]

    def said(*argv: str) -> str:
        assert main(list(argv)) == 0
        return capsys.readouterr().out

    assert f"签号 {drawn[1]['ticket']}，抽中，第 2 位" in said(
        str(path), "--code", drawn[1]["code"]
    )
    assert "未抽中，递补名单第 1 位" in said(str(path), "--code", BUNDLE["alternates"][0])
    assert "已排除，三个月内已检查" in said(str(path), "--code", "91410403MA9000001X")
    assert "不在名录库中" in said(str(path), "--code", "X")
    last = drawn[-1]["ticket"]
    only = ["--seed", seed, "--last", last, "--code"]
    assert said(*only, drawn[-1]["code"]) == f"签号 {last}，抽中\n"
    assert "，未抽中" in said(*only, BUNDLE["alternates"][0])
    assert main([str(path), "--code", "X", "--seed", "0" * 64]) == 1


@pytest.mark.parametrize(
    "argv", [[], ["--seed", "0" * 64], ["--seed", "F" * 64, "--code", "X"], ["--nonsense"]]
)
def test_wrong_usage_ends_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(argv)
    assert stopped.value.code == 2
    assert "用法不对" in capsys.readouterr().err


def test_the_one_file_stands_alone(tmp_path: Path) -> None:
    script = tmp_path / "verify_draw.py"
    script.write_bytes(Path(verify_draw.__file__).read_bytes())
    (tmp_path / "bundle.json").write_text(json.dumps(BUNDLE, ensure_ascii=False), "utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "verify_draw.py", "bundle.json"],
        cwd=tmp_path,
        env={"LC_ALL": "C"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "核验通过" in done.stdout.decode()
