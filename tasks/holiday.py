"""Holiday notices: imported with their checks, every open due day counted anew; and asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from calendars import check_notice, may_import, notice_reminder, parse_notice
from models import ledger
from models.database import writing
from models.entry import EntryRefused
from models.holiday import ImportedNotice
from models.ledger import Event
from models.mail import letter
from models.plan import DUTY_NAMES, PlanVersion
from models.reconciliation import Move
from models.round import Round
from tasks.calendar import office_calendar
from tasks.duty import settle
from tasks.round import lock

_OPEN_ROUNDS = select(Round.code).where(Round.closed_on.is_(None)).order_by(Round.id)
# In which an office may have saved the notice's text.
_ENCODINGS = ("utf-8-sig", "gb18030")


class NoticeRefused(EntryRefused):
    """A notice whose checksums do not hold; `reasons` are all of them, in Chinese."""

    def __init__(self, number: str, reasons: Sequence[str]) -> None:
        self.reasons = list(reasons)
        super().__init__(
            f"{number} 未导入，{len(reasons)} 处不符：{'；'.join(reasons)}。"
            "请核对原文；确属通知原文如此的，由两人用 --confirm 确认"
        )


@dataclass
class Imported:
    """What an import did: its calendar's version, and the due days that moved."""

    number: str
    year: int
    version: str
    moved: list[str] = field(default_factory=list)
    mails: int = 0


def read_text(path: Path) -> str:
    """The text of a notice's file. EntryRefused with one Chinese line."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EntryRefused(f"{path.name}：读不到文件（{error.strerror}）") from error
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise EntryRefused(f"{path.name}：既不是 UTF-8 也不是 GB18030 文本")


def import_notice(
    text: str,
    number: str,
    issued_on: date,
    confirmed_by: Sequence[str],
    at: datetime,
    actor: str,
) -> Imported:
    """Import a holiday notice, or an amendment, and count every open obligation anew.

    One transaction: the notice, the obligations with old day, new day and reason in the ledger,
    and one mail to each person concerned. NoticeRefused with every reason where a check fails and
    two different people have not confirmed it.
    """
    try:
        notice = parse_notice(text, number=number, issued_on=issued_on)
    except ValueError as error:
        raise EntryRefused(f"{number}：{error}") from error
    reasons = check_notice(notice)
    if not may_import(reasons, confirmed_by):
        raise NoticeRefused(number, reasons)
    with writing() as session:
        if session.scalar(select(ImportedNotice.id).where(ImportedNotice.number == notice.number)):
            raise EntryRefused(f"{notice.number} 已经导入过")
        row = ImportedNotice.of(notice)
        row.reasons, row.confirmed_by = reasons, list(confirmed_by)
        row.imported_by, row.imported_at = actor, at
        try:
            office_calendar(session).with_notices([notice])
        except ValueError as error:
            raise EntryRefused(str(error)) from error
        session.add(row)
        session.flush()
        # All at once and first: whoever holds a round may be waiting for the ledger.
        rounds = [lock(session, code) for code in session.scalars(_OPEN_ROUNDS).all()]
        found = Imported(notice.number, notice.year, office_calendar(session).version)
        detail = {
            "year": notice.year,
            "issued_on": issued_on,
            "off": row.off,
            "work": row.work,
            "reasons": reasons,
            "confirmed_by": list(confirmed_by),
        }
        ledger.append(session, at, actor, [Event("导入节假日安排通知", notice.number, detail)])
        moves = [
            move
            for round in rounds
            for move in settle(session, round, at, actor=actor, why=f"导入 {found.number}")
        ]
        found.moved = [_said(move) for move in moves]
        found.mails = _tell(session, found, moves, at)
    return found


def _tell(session: Session, found: Imported, moves: Sequence[Move], at: datetime) -> int:
    """One mail to each address, also where it stands for several people; how many."""
    told: dict[str, list[Move]] = {}
    for move in moves:
        told.setdefault(move.row.email.lower(), []).append(move)
    for address, theirs in told.items():
        lines = "\n".join(_said(move) for move in theirs)
        letter(
            session,
            key=f"calendar:{found.number}:{address}",
            name="、".join(dict.fromkeys(move.row.person for move in theirs)),
            email=theirs[0].row.email,
            day=at.date(),
            subject=f"{found.year} 年节假日安排已公布，您有 {len(theirs)} 项期限重新计算",
            text=f"依据 {found.number}，以下期限已重新计算：\n\n{lines}",
        )
    return len(told)


def _said(move: Move) -> str:
    row = move.row
    before = f"{move.before}{'（暂定）' if move.was_provisional else ''}"
    after = f"{row.due_on}{'（暂定）' if row.provisional else ''}"
    # By its code alone: whom a draw took is not to be read in a mail before it is revealed.
    return f"{DUTY_NAMES[row.duty]} {row.object}：{before} → {after}"


def ask_for_notice(at: datetime) -> str | None:
    """From 25 October on, ask each plan's coordinator daily for next year's notice; None before.

    More strongly from 1 December. The same day asks once.
    """
    with writing() as session:
        through = office_calendar(session).covered_through
        tone = notice_reminder(at.date(), through)
        if tone is None:
            return None
        year = through.year + 1
        for row in session.scalars(select(PlanVersion)):
            person = row.plan.coordinator
            letter(
                session,
                key=f"ask-notice:{year}:{at.date()}:{person.email}",
                name=person.name,
                email=person.email,
                day=at.date(),
                subject=f"〔{tone}〕请导入 {year} 年节假日安排通知",
                text=(
                    f"工作日历只到 {through}。{year} 年的节假日安排通知尚未导入，"
                    f"落在 {year} 年的期限都是暂定的，提醒按提前 7 日计算。\n\n"
                    "请在中国政府网查到国务院办公厅的通知，把全文存为文本文件后运行：\n"
                    f"shuangsuiji calendar import 文件 --number 国办发明电〔{year - 1}〕…号 "
                    "--issued 发文日期"
                ),
            )
        return tone
