"""Fictional registers for rehearsals, made from a seed alone.

Nobody in them exists: names end with （演练）, the organisation part of every credit code begins
with YL, which no authority has given out, mail domains are reserved by RFC 2606 (.example), and
no subscriber's number in China begins with 0.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from random import Random

from models.credit_code import check_character
from models.plan import Grade
from models.registers import InspectorRow, SubjectRow, SubjectStatus

REGION_CODE = "410403"
MARK = "（演练）"
GRADE_COUNTS: Mapping[Grade, int] = {"A": 120, "B": 90, "C": 60, "D": 30}
# One of each, wherever the register is large enough; the others are 在营.
UNUSUAL: tuple[SubjectStatus, ...] = ("注销", "停业", "注销", "吊销", "停业", "迁出")

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰红飞建国文斌海波志远晓东春梅思源"
_FIRST = "鸿恒瑞泰嘉盛宏永安顺德源丰隆中豫鑫天金东昌华润正信诚达通百川祥云卫博立新万和"
_SECOND = "运达源盛泰昌茂通信诚丰和兴隆润祥发业利安邦航顺恒远宇辰博力康宝瑞图腾辉煌"
# Trades, each with the kind of body: 1 a company, 2 an individually owned business.
_TRADES = (
    ("化工有限公司", 1),
    ("化工产品销售有限公司", 1),
    ("气体有限公司", 1),
    ("石油销售有限公司", 1),
    ("商贸有限公司", 1),
    ("加油站", 2),
    ("涂料经营部", 2),
    ("化学试剂经营部", 2),
)
_STREETS = ("建设路东段", "矿工路东段", "开源路北段", "平安大道", "新华路北段", "东环路", "优越路")
_TITLES = ("四级主任科员", "一级科员", "二级科员", "三级主任科员")
_SKILLS = ("危险化学品安全监管", "注册安全工程师", "消防安全", "特种设备安全监察", "登记注册监管")
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def _person(random: Random) -> str:
    return random.choice(_SURNAMES) + "".join(random.sample(_GIVEN, random.choice((1, 2, 2))))


def _phone(random: Random) -> str:
    return f"0375-0{random.randrange(10**6):06d}"


def _code(random: Random, kind: int) -> str:
    body = f"9{kind}{REGION_CODE}YL" + "".join(random.choice(_ALPHABET) for _ in range(7))
    return body + check_character(body)


def _business(random: Random, trade: str) -> str:
    # A longer name where the short ones run out.
    style = "".join(random.sample(_SECOND, random.choice((1, 1, 2))))
    return f"卫东区{random.choice(_FIRST)}{style}{trade}{MARK}"


def _unseen(make: Callable[[], str], seen: set[str]) -> str:
    """What `make` gives first that was not seen; seen from now on."""
    while (made := make()) in seen:
        pass
    seen.add(made)
    return made


def subjects(
    seed: int,
    counts: Mapping[Grade, int] = GRADE_COUNTS,
    as_of: date = date(2024, 6, 20),
) -> list[SubjectRow]:
    """Operators of hazardous chemicals in 卫东区: so many of each grade, in no order.

    The same arguments give the same register. Of six, chosen anywhere, the status is UNUSUAL;
    some have no mail address, some were never inspected, some licences end before or soon after
    `as_of`. Sensible up to 100,000.
    """
    random = Random(f"subjects {seed}")
    grades = [grade for grade, count in counts.items() for _ in range(count)]
    random.shuffle(grades)
    unusual = random.sample(range(len(grades)), min(len(UNUSUAL), len(grades) // 20))
    statuses = dict(zip(unusual, UNUSUAL, strict=False))
    seen: set[str] = set()
    rows = []
    for number, grade in enumerate(grades):
        trade, kind = random.choice(_TRADES)
        owner = _person(random)
        address = f"平顶山市卫东区{random.choice(_STREETS)}{random.randint(1, 399)}号"
        expires_on = as_of + timedelta(days=random.randint(-60, 3 * 365))
        inspected_on = as_of - timedelta(days=random.randint(120, 900))
        rows.append(
            SubjectRow(
                name=_unseen(partial(_business, random, trade), seen),
                code=_unseen(partial(_code, random, kind), seen),
                legal_representative=owner,
                address=address,
                premises=address,
                contact=random.choice((owner, _person(random))),
                phone=_phone(random),
                email=f"s{number + 1:04d}@subject.example" if random.random() < 0.9 else "",
                licence_name="危险化学品经营许可证",
                licence_number=f"演练〔{expires_on.year - 3}〕{number + 1:04d}号",
                licence_expires_on=expires_on,
                licence_authority="平顶山市应急管理局" + MARK,
                grade=grade,
                status=statuses.get(number, "在营"),
                last_inspected_on=inspected_on if random.random() < 0.7 else None,
            )
        )
    return rows


def inspectors(
    seed: int,
    departments: Sequence[str],
    per_department: int = 12,
    subjects: Sequence[SubjectRow] = (),
    as_of: date = date(2024, 6, 20),
) -> list[InspectorRow]:
    """Inspectors of each department, given by code.

    The same arguments give the same register. In each department the last one's certificate has
    expired, the one before is 离岗, and the one before that holds a certificate for 120 more days
    only; a department of fewer than six has none of these. Every fourth must keep away (回避) from
    one or two of `subjects`.
    """
    random = Random(f"inspectors {seed}")
    seen: set[str] = set()
    rows = []
    for department in departments:
        for number in range(1, per_department + 1):
            left = per_department - number if per_department >= 6 else -1
            days = {0: -60, 2: 120}.get(left, random.randint(800, 1600))
            avoided = random.sample(subjects, min(len(subjects), random.randint(1, 2)))
            rows.append(
                InspectorRow(
                    name=_unseen(partial(_person, random), seen) + MARK,
                    department=department,
                    certificate=f"YL-{department.upper()}-{number:03d}",
                    certificate_expires_on=as_of + timedelta(days=days),
                    fields=("危险化学品",),
                    qualifications=random.sample(_SKILLS, random.randint(0, 2)),
                    title=random.choice(_TITLES),
                    phone=_phone(random),
                    email=f"{department}{number:02d}@inspector.example",
                    status="离岗" if left == 1 else "在岗",
                    recusals=[row.code for row in avoided] if number % 4 == 0 else (),
                )
            )
    return rows
