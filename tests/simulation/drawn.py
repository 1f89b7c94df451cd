"""What must hold of draws, of those who are warned by none, and of the ledger."""

import hashlib
import json
from collections.abc import Iterator

from holding import moment
from seen import Seen

from deployments.verify_draw import verify
from tasks.evidence import NotRevealed, evidence


def draws_are_sealed_once(seen: Seen) -> Iterator[str]:
    """A draw is sealed once, after its digest left the office; what is sealed never changes."""
    sealed = [json.loads(e["detail"]) | e for e in seen.entries if e["action"] == "抽取封存"]
    for entry in sealed:
        if entry["subject"] in seen.sealed:
            yield f"{entry['subject']}: sealed again"
        if not seen.rows(
            "SELECT id FROM mail WHERE key LIKE ? AND state = 'sent'",
            f"letter:freeze:{entry['subject']}:%",
        ):
            yield f"{entry['subject']}: sealed before its digest was out"
        seen.sealed[entry["subject"]] = _content(seen, entry["subject"])


def sealed_draws_stay(seen: Seen) -> Iterator[str]:
    """What a sealed draw drew, and whom, never changes."""
    for code, content in seen.sealed.items():
        if _content(seen, code) != content:
            yield code


def _content(seen: Seen, code: str) -> str:
    draw = seen.rows(
        "SELECT draw.* FROM draw JOIN round ON round.id = round_id WHERE code || '-' || grade = ?",
        code,
    )[0]
    del draw["revealed_at"]
    number = draw["id"]
    parts = [
        draw,
        seen.rows("SELECT * FROM drawn_subject WHERE draw_id = ? ORDER BY id", number),
        seen.rows(
            "SELECT m.id, i.code, subject_code, department, certificate, position, leader "
            "FROM team_member m JOIN inspection i ON i.id = m.inspection_id "
            "WHERE draw_id = ? AND joined_by = '抽取' ORDER BY m.id",
            number,
        ),
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def draws_can_be_recomputed(seen: Seen) -> Iterator[str]:
    """A revealed draw is recomputed from its evidence; of another there is none."""
    for draw in seen.rows("SELECT draw.*, code FROM draw JOIN round ON round.id = round_id"):
        code, grade = draw["code"], draw["grade"]
        try:
            problem = verify(evidence(code, grade).decode())
        except NotRevealed:
            problem = draw["revealed_at"] and "no evidence"
        else:
            problem = problem or (not draw["revealed_at"] and "evidence before the reveal")
        if problem:
            yield f"{code}-{grade}: {problem}"


def nobody_is_warned(seen: Seen) -> Iterator[str]:
    """An inspection that is not to be announced has no notice."""
    for row in seen.rows(
        "SELECT i.code FROM inspection i JOIN notice n ON n.inspection_id = i.id WHERE unannounced"
    ):
        yield row["code"]


def the_ledger_is_one_chain(seen: Seen) -> Iterator[str]:
    """Every entry of the ledger follows from the one before it."""
    previous = "0" * 64
    for row in seen.rows("SELECT * FROM ledger ORDER BY id"):
        at = moment(row["at"]).isoformat()
        body = [
            previous,
            at,
            row["actor"],
            row["action"],
            row["subject"],
            json.loads(row["detail"]),
        ]
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        previous = hashlib.sha256(text.encode()).hexdigest()
        if row["digest"] != previous:
            yield f"entry {row['id']}"
            return


def alternates_stand_in_for_the_closed(seen: Seen) -> Iterator[str]:
    """An alternate is one of its draw, inspected once, for one inspection of a closed subject."""
    replaced = seen.rows("SELECT * FROM inspection WHERE replaces != ''")
    for one in replaced:
        if seen.plan["replace_closed_subjects"] is False:
            yield f"{one['code']}: the plan has no alternates"
        if not seen.rows(
            "SELECT 1 FROM drawn_subject WHERE draw_id = ? AND code = ? AND alternate",
            one["draw_id"],
            one["subject_code"],
        ):
            yield f"{one['code']}: is no alternate"
        if sum(other["replaces"] == one["replaces"] for other in replaced) != 1:
            yield f"{one['replaces']}: replaced twice"
    for row in seen.rows(
        "SELECT subject_code FROM inspection GROUP BY draw_id, subject_code HAVING count(*) > 1"
    ):
        yield f"{row['subject_code']}: inspected twice"
