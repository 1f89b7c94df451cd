"""Before the reveal nothing at a public door tells who was drawn: mails, cards, files, commands."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from deployments.registry import FORMS
from flows.card import card
from models.base import SHANGHAI
from models.database import reading
from models.draw import Draw, DrawnSubject, TeamMember
from models.inspection import Inspection
from models.mail import Mail
from models.subject import Inspector, Subject
from tasks.certificate import prepare_certificates
from tasks.inspection import record_inspections
from tasks.notice import prepare_notices, withhold_notice
from tasks.progress import progress
from tasks.publication import prepare_publications
from tasks.record_sheet import prepare_record_sheets
from tasks.referral import prepare_referrals
from tasks.replacement import replace_inspector, request_recusal
from tasks.reveal import reveal_draws

CODE = "2024-1"


def at(month: int, day: int) -> datetime:
    return datetime(2024, month, day, 9, tzinfo=SHANGHAI)


@pytest.fixture(scope="module")
def under_way(opened: Any, sheet: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A round with notices, papers, one record, a replacement, a request and one not to be told."""
    office = opened.copy(tmp_path_factory.mktemp("under way") / "home")
    with office.here():
        _take_its_course(sheet)
        yield office


def _take_its_course(sheet: Any) -> None:
    withhold_notice("2024-1-D02", "线索核查", "负责人", at(6, 25))
    prepare_certificates(CODE, at(6, 25))
    prepare_notices(CODE, at(6, 26))
    replace_inspector("2024-1-D03", "yjglj", 1, "不能到场", "住院", "局长", "", at(6, 27))
    request_recusal("2024-1-D04", "scjgj", 1, "有利害关系", "负责人", date(2024, 6, 27), at(6, 27))
    record_inspections([sheet("2024-1-D01"), sheet("2024-1-D01", "scjgj")], at(7, 10))
    for prepare in (prepare_record_sheets, reveal_draws, prepare_referrals, prepare_publications):
        prepare(CODE, at(7, 10))


def secrets() -> dict[str, str]:
    """What must not leave, by what it is: subjects not yet inspected, tickets, seeds, secrets."""
    with reading() as session:
        drawn = session.scalars(select(Inspection).where(Inspection.ended_on.is_(None))).all()
        found = {one.subject_code: "subject" for one in drawn}
        found |= {one.name: "name" for one in drawn}
        found |= dict.fromkeys(session.scalars(select(DrawnSubject.ticket)), "ticket")
        for draw in session.scalars(select(Draw).where(Draw.revealed_at.is_(None))):
            found |= {draw.secret: "secret", (draw.seed or draw.secret): "seed"}
        found |= dict.fromkeys(session.scalars(select(TeamMember.certificate)), "inspector")
    assert set(found.values()) == {"subject", "name", "ticket", "secret", "seed", "inspector"}
    return found


def told(text: str) -> set[str]:
    return {what for secret, what in secrets().items() if secret in text}


def test_the_card_tells_figures_alone(under_way: Any) -> None:
    text = card(progress(CODE, date(2024, 7, 10)), at(7, 10), ["2024-2-D：…"])
    assert len(text) > 500
    assert told(text) == set()


def test_mails_go_to_the_office_alone_and_those_to_witnesses_name_nobody(under_way: Any) -> None:
    with reading() as session:
        mails = session.scalars(select(Mail)).all()
        subjects = {email for email in session.scalars(select(Subject.email)) if email}
        inspectors = set(session.scalars(select(Inspector.email)))
    assert {mail.email for mail in mails} & subjects == set()
    withheld = [mail for mail in mails if "2024-1-D02" in mail.subject + mail.text]
    assert withheld == []  # not to be told: to nobody
    others = [mail for mail in mails if mail.email not in inspectors]
    assert len(others) > 10
    # A head decides on a recusal, and must learn of whom; nothing else goes to them.
    text = "\n".join(mail.subject + mail.text for mail in others)
    assert told(text) == {"inspector"}
    asked = [mail for mail in others if mail.key.startswith("letter:recusal:")]
    plain = "\n".join(mail.subject + mail.text for mail in others if mail not in asked)
    assert told(plain) == set()


def test_files_for_the_public_hold_only_what_was_inspected(under_way: Any) -> None:
    files = under_way.files()
    publications = {n: c for n, c in files.items() if n.startswith("publications/")}
    assert len(publications) == 2
    assert told("\n".join(content.decode() for content in publications.values())) == set()
    assert told("\n".join(files)) == set()


def test_no_form_asks_for_a_subject_or_for_who_is_on_a_team() -> None:
    named = {
        (form.name, name)
        for form in FORMS
        for name in form.parameters.properties
        if any(part in name for part in ("subject", "certificate", "inspector", "seed", "secret"))
    }
    assert named == set()


@pytest.mark.server
@pytest.mark.parametrize(
    "command",
    [
        ("evidence", CODE, "D"),
        ("draw", CODE, "D"),
        ("audit", "verify"),
        ("verify", "--seed", "0" * 64, "--code", "91410403YL00000001"),
    ],
)
def test_commands_tell_nobody_who_was_drawn(under_way: Any, command: tuple[str, ...]) -> None:
    program = Path(sys.executable).with_name("shuangsuiji")
    done = subprocess.run([program, *command], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert said.strip()
    assert "Traceback" not in said
    assert told(said) == set()
    if command[0] in ("evidence", "draw"):
        assert done.returncode == 2
        assert ("尚未公开" in said) or ("不能再抽" in said)
