"""The draw itself: protocol draw-1, steps 1, 4, 5, 6, 8 and 9, as pure functions.

Everybody gets a lottery ticket, the lowest tickets are drawn, and anyone who holds the evidence
bundle can compute them again. What decides a draw is frozen first, see `models.freeze`.
Secrets and times are handed in; the same inputs give the same bytes everywhere.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from models.freeze import DrawRefused, check_text, draw_count, freeze_digest

# The two paddings of RFC 2104, as tables for bytes.translate.
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))
Tickets = Callable[[str, Iterable[str]], list[bytes]]


class Drawn(NamedTuple):
    """抽中对象: a drawn subject's code and its ticket, 64 hex digits."""

    code: str
    ticket: str


class Team(NamedTuple):
    """检查小组: one department's inspectors for one subject, by certificate, lowest ticket first.

    `leader` (组长) is the first of the initiating department, None in the others.
    """

    subject: str
    department: str
    drawn: tuple[str, ...]
    leader: str | None


def commitment(secret: bytes) -> str:
    """承诺值: what is published of the secret (32 random bytes) before the freeze. Step 1."""
    if len(secret) != 32:
        raise DrawRefused("抽取密值应为 32 字节，请由系统随机源生成")
    return sha256(secret).hexdigest()


def seed(freeze: Mapping[str, Any], secret: bytes, public_value: str = "") -> bytes:
    """种子: the 32 bytes that decide the draw of this freeze. Step 4.

    Raises DrawRefused where the secret is not the committed one, or where a public value is
    there without a rule, or missing in spite of one: it never falls back to an empty value.
    """
    return seed_of(freeze, freeze_digest(freeze), secret, public_value)


def seed_of(freeze: Mapping[str, Any], digest: str, secret: bytes, public_value: str = "") -> bytes:
    """The same where the freeze's digest is at hand: over a million it takes its time."""
    if commitment(secret) != freeze["commitment"]:
        raise DrawRefused("密值与已公布的承诺值不符，不得抽取；请核查密值的保管")
    check_text(public_value, "公共值", empty=True)
    if freeze["public_value_rule"] and not public_value:
        raise DrawRefused("公共值尚未录入，待公共值；请由两人按规则录入")
    if public_value and not freeze["public_value_rule"]:
        raise DrawRefused("本次抽取未约定公共值规则，不得录入公共值")
    lines = ("draw-1 seed", digest, secret.hex(), public_value, "")
    return sha256("\n".join(lines).encode()).digest()


def ticket(seed: bytes, code: str) -> str:
    """签号: a subject's lottery ticket, 64 hex digits. The lowest are drawn."""
    return _ticketing(seed)("subject\n", [code])[0].hex()


def draw_subjects(freeze: Mapping[str, Any], seed: bytes) -> tuple[list[Drawn], list[str]]:
    """The drawn subjects in draw order and the alternates (递补名单) after them. Step 5.

    Time grows with N log N, nearly all of it N tickets; seal the result before drawing teams.
    """
    pool: list[str] = freeze["pool"]
    count = draw_count(len(pool), len(freeze["excluded"]), freeze["ratio"], freeze["minimum"])
    ranked = _lowest(count + max(count, 10), _ticketing(seed)("subject\n", pool), pool)
    drawn = [Drawn(code, ticket.hex()) for ticket, code in ranked[:count]]
    return drawn, [code for _, code in ranked[count:]]


def draw_teams(
    freeze: Mapping[str, Any], seed: bytes, subjects: Iterable[tuple[str, str]]
) -> list[Team]:
    """The inspectors of each sealed subject, in draw order, then department order. Step 6.

    The least drawn so far come first, among them the lowest ticket. Inspectors are kept in
    buckets by how often they were drawn, and only the lowest buckets get tickets: with m
    inspectors in a department and k drawn, about (m + k) / 2 tickets a team, half the naive cost.
    Fewer cannot be exact, as each ticket of a bucket is new for each subject.
    """
    tickets = _ticketing(seed)
    departments: list[dict[str, Any]] = freeze["departments"]
    recused = _recused(freeze)
    # department → times drawn → certificates (a dict as an ordered set)
    loads: dict[str, dict[int, dict[str, None]]] = {d["code"]: {} for d in departments}
    for inspector in freeze["inspectors"]:
        bucket = loads[inspector["department"]].setdefault(0, {})
        bucket[inspector["certificate"]] = None

    teams = []
    for subject, _ in subjects:
        for department in departments:
            code, places = department["code"], department["inspectors"]
            buckets = loads[code]
            drawn: list[tuple[int, str]] = []
            for load in sorted(buckets):
                ready = [c for c in buckets[load] if c not in recused.get(subject, ())]
                ranked = _by_ticket(tickets, code, subject, ready)
                drawn += [(load, certificate) for certificate in ranked[: places - len(drawn)]]
                if len(drawn) == places:
                    break
            else:
                raise DrawRefused(f"{code} 的候选人员不足 {places} 人，冻结对象有误，不得抽取")
            for load, certificate in drawn:
                del buckets[load][certificate]
                buckets.setdefault(load + 1, {})[certificate] = None
                if not buckets[load]:
                    del buckets[load]
            certificates = tuple(certificate for _, certificate in drawn)
            leader = certificates[0] if department["initiating"] else None
            teams.append(Team(subject, code, certificates, leader))
    return teams


def replacement(
    freeze: Mapping[str, Any],
    seed: bytes,
    subject: str,
    department: str,
    ever_on_team: Collection[str],
    available: Collection[str],
) -> str | None:
    """递补: the certificate that takes a vacated place, leadership included. Step 8.

    `ever_on_team`: all who were ever on this subject's team, whoever they gave way to.
    `available`: those who may serve that day: certificate valid, not recused since the freeze.
    Load does not count. None: nobody is left and the head appoints (直接委派).
    """
    able = _able(freeze, subject, department, available)
    ready = [certificate for certificate in able if certificate not in ever_on_team]
    return next(iter(_by_ticket(_ticketing(seed), department, subject, ready)), None)


def alternate_teams(
    freeze: Mapping[str, Any], seed: bytes, subject: str, available: Collection[str]
) -> list[Team]:
    """The teams of an alternate that takes a closed subject's place, in department order. Step 8.

    As with any replacement the lowest tickets have it and load does not count. `available`: the
    certificates of those who may serve that day. DrawRefused where a department has too few.
    """
    tickets = _ticketing(seed)
    teams = []
    for department in freeze["departments"]:
        code, places = department["code"], department["inspectors"]
        ready = _able(freeze, subject, code, available)
        drawn = tuple(_by_ticket(tickets, code, subject, ready)[:places])
        if len(drawn) < places:
            raise DrawRefused(f"{code} 现在能到场的候选人员不足 {places} 人，不能递补")
        teams.append(Team(subject, code, drawn, drawn[0] if department["initiating"] else None))
    return teams


def bundle(
    freeze: Mapping[str, Any],
    secret: bytes,
    public_value: str,
    subjects: Sequence[tuple[str, str]],
    alternates: Sequence[str],
    teams: Iterable[Team],
    replacements: Iterable[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """证据包: the evidence of a sealed draw, for anyone to verify. Step 9; write it `canonical`.

    Takes what was sealed and draws nothing again: should the two differ, the verifier will say
    so. Teams stand as first drawn. A replacement has the keys subject, department, out, in,
    reason, decided_by and at.
    """
    return {
        "freeze": dict(freeze),
        "freeze_digest": freeze_digest(freeze),
        "public_value": public_value,
        "secret": secret.hex(),
        "seed": seed(freeze, secret, public_value).hex(),
        "count": len(subjects),
        "subjects": [{"code": code, "ticket": ticket} for code, ticket in subjects],
        "alternates": list(alternates),
        "teams": [team._asdict() | {"drawn": list(team.drawn)} for team in teams],
        "replacements": [dict(replacement) for replacement in replacements],
    }


def _lowest(count: int, tickets: Sequence[bytes], codes: Sequence[str]) -> list[tuple[bytes, str]]:
    """The `count` lowest tickets, or all there are, each with its code, in order.

    Tickets are spread evenly, so a few more than so many lie under a limit, and only those are
    sorted: of a million in a third of the time. Where chance would have it otherwise, all are.
    """
    pairs = list(zip(tickets, codes, strict=True))
    share = min(1.0, 1.2 * count / len(pairs) + 0.001) if pairs else 1.0
    limit = int(share * 0xFFFFFFFF).to_bytes(4, "big")
    low = [pair for pair in pairs if pair[0] < limit]
    if len(low) < min(count, len(pairs)):
        low = pairs
    return sorted(low)[:count]


def _by_ticket(tickets: Tickets, department: str, subject: str, ready: list[str]) -> list[str]:
    drawn = tickets(f"inspector\n{department}\n{subject}\n", ready)
    return [certificate for _, certificate in sorted(zip(drawn, ready, strict=True))]


def _able(
    freeze: Mapping[str, Any], subject: str, department: str, available: Collection[str]
) -> list[str]:
    """Who of the frozen may serve for that subject, of those `available`, in frozen order."""
    recused = _recused(freeze).get(subject, ())
    return [
        inspector["certificate"]
        for inspector in freeze["inspectors"]
        if inspector["department"] == department
        and inspector["certificate"] in available
        and inspector["certificate"] not in recused
    ]


def _recused(freeze: Mapping[str, Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for recusal in freeze["recusals"]:
        found[recusal["subject"]].add(recusal["certificate"])
    return found


def _ticketing(seed: bytes) -> Tickets:
    """HMAC-SHA-256 of prefix + name under `seed`, for many names: tickets(prefix, names).

    RFC 2104 written out, so that the key is hashed once and not per name: half the time of
    `hmac.digest` over a million names.
    """
    key = seed.ljust(64, b"\0")
    inner, outer = sha256(key.translate(_INNER)), sha256(key.translate(_OUTER))

    def tickets(prefix: str, names: Iterable[str]) -> list[bytes]:
        start = inner.copy()
        start.update(prefix.encode())
        found = []
        for name in names:
            inside, outside = start.copy(), outer.copy()
            inside.update(name.encode())
            outside.update(inside.digest())
            found.append(outside.digest())
        return found

    return tickets
