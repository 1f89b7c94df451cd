"""The people of an office: who does what about which duty, promptly, late, or long after."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from seen import Row, Seen, is_open
from sqlalchemy import select

from models.database import reading
from models.inspection import Inspection
from models.notice import ServiceEntry
from models.publication import PublicationEntry
from models.record import ItemEntry, RecordEntry
from models.referral import FollowUpEntry, ReferralEntry
from models.refusal import RefusalEntry
from tasks import brief, draw, inspection, notice, publication, referral, refusal


@dataclass(frozen=True)
class Act:
    """Something that somebody does; `wrong`: it must be refused, and leave nothing behind."""

    name: str
    do: Callable[[datetime], Any]
    wrong: bool = False


class People:
    """What follows from the duties. Each has a day on which somebody gets round to it."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.random = Random(f"people {seen.world.seed}")
        self._when: dict[str, date] = {}
        self._deal: dict[str, Callable[[Row, date], Act | None]] = {
            "public_value": self._public_value,
            "notify": self._notify,
            "record": self._record,
            "decide_referral": self._refer,
            "refer": self._refer,
            "publish": self._publish,
            "follow_up": self._follow_up,
            "republish": self._publish,
            "report_refusal": self._report_refusal,
            "brief": self._brief,
        }

    def acts(self, today: date) -> Iterator[Act]:
        """What is done today about open duties of the kinds that anybody deals with."""
        for row in list(self.seen.owed.values()):
            name = f"{row['duty']} {row['object']}"
            if not is_open(row) or row["duty"] not in self._deal:
                continue
            if name not in self._when:
                self._when[name] = self._day(row, today)
            if self._when[name] <= today and (act := self._deal[row["duty"]](row, today)):
                self._when[name] = today + timedelta(self.random.randint(1, 4))  # if it fails
                yield act

    def _day(self, row: Row, today: date) -> date:
        """Two of three in time, most of the others some days late, a few very late."""
        left = max(0, (row["due_on"] - today).days)
        chance = self.random.random()
        if chance < 0.66:
            return today + timedelta(self.random.randint(0, left))
        if chance < 0.95:
            return row["due_on"] + timedelta(self.random.randint(1, 16))
        return row["due_on"] + timedelta(self.random.randint(17, 45))

    def _earlier(self, today: date, earliest: date) -> date:
        """Today, or a day before it for what is entered late."""
        if self.random.random() < 0.75 or earliest >= today:
            return today
        return today - timedelta(self.random.randint(0, min(5, (today - earliest).days)))

    def _public_value(self, row: Row, today: date) -> Act:
        code, _, grade = row["object"].rpartition("-")
        value = "".join(str(self.random.randint(0, 9)) for _ in range(3))
        people = ["公证员", self.seen.plan["coordinator"]["name"]]
        return Act(
            f"public value {row['object']}",
            lambda at: draw.enter_public_value(code, grade, value, people, at) or code,
        )

    def _notify(self, row: Row, today: date) -> Act | None:
        served = self.seen.rows(
            "SELECT issued_on FROM notice JOIN inspection i ON i.id = inspection_id WHERE code = ?",
            row["object"],
        )
        if not served:
            return None
        issued_on = date.fromisoformat(served[0]["issued_on"])
        entry = ServiceEntry(
            inspection=row["object"],
            manner=self.random.choice(("书面", "电话", "传真", "电子")),
            served_on=self._earlier(today, issued_on),
            served_by=row["person"],
            received_by="门卫",
        )
        return Act(
            f"serve {row['object']}", lambda at: notice.confirm_service([entry], row["person"], at)
        )

    def _record(self, row: Row, today: date) -> Act | None:
        code, department = row["object"].split("/")
        found = inspected(code)
        if found is None or found.dropped_on:
            return None
        if found.planned_on > today and self.random.random() < 0.9:
            return None  # nobody visits before the day, or hardly anybody
        entry = self.sheet(found, department, today)
        return Act(f"record {row['object']}", lambda at: inspection.record_inspections([entry], at))

    def sheet(
        self, found: Inspection, department: str, today: date, correction: str = ""
    ) -> RecordEntry:
        """A record sheet of one department, with any of the ten results; as others have it."""
        random = self.random
        assert found.draw.sealed_at
        sealed_on = found.draw.sealed_at.date()
        ended_on = found.ended_on or max(
            sealed_on, min(today, max(found.planned_on, self._earlier(today, found.planned_on)))
        )
        attestation = found.attestation or random.choice(
            ("签字", "签字", "签字", "盖章", "拒签", "无人可签")
        )
        if correction and random.random() < 0.7:
            moved = ended_on + timedelta(random.randint(-4, 4))
            ended_on = max(sealed_on, min(today, moved))
        results = [self._result(item) for item in self._items(department)]
        ordered = any(one.result == 5 for one in results)
        adverse = any(one.result in (2, 3, 4, 5, 6, 8, 10) for one in results)
        need = random.choice(("", "", "不需", "需")) if adverse else ""
        if found.record(department).referral is not None and need == "不需":
            need = "需"
        late = random.random() < 0.12  # a test report came after the visit
        formed_on = min(today, ended_on + timedelta(random.randint(1, 9))) if late else ended_on
        return RecordEntry(
            inspection=found.code,
            department=department,
            ended_on=ended_on,
            attestation=attestation,
            attestation_note="当场说明" if attestation in ("拒签", "无人可签") else "",
            witness="社区人员" if attestation == "无人可签" else "",
            results=results,
            order_text="限期改正" if ordered else "",
            order_form="口头" if ordered else "",
            order_due_on=str(ended_on + timedelta(random.randint(0, 60)))
            if ordered and random.random() < 0.6
            else "",
            formed_on=str(formed_on),
            test_report="检〔1〕号" if formed_on > ended_on else "",
            referral_needed=need,
            referral_why="理由" if need else "",
            recorded_on=self._earlier(today, ended_on) if ended_on < today else today,
            entered_by="经办人",
            proxy=random.random() < 0.1,
            correction=correction,
        )

    def _items(self, department: str) -> list[str]:
        items = self.seen.plan["items"]
        return [item["code"] for item in items if item["department"] == department]

    def _result(self, item: str) -> ItemEntry:
        code = self.random.choice((1, 9, 1, 9, 1, 2, 3, 4, 5, 6, 7, 8, 10))
        return ItemEntry(item=item, result=code, problem="" if code in (1, 7, 9) else "所设问题")

    def _refer(self, row: Row, today: date) -> Act | None:
        code, department = row["object"].split("/")
        random = self.random
        sent = row["duty"] == "refer" or random.random() < 0.3
        on = self._earlier(today, row["started_on"])
        if on < row["started_on"]:
            return None
        given = {"receiving": "公安分局", "document": "移〔1〕号", "sent_on": str(on)}
        needed = "需" if sent or random.random() < 0.5 else "不需"
        entry = ReferralEntry(
            inspection=code,
            department=department,
            needed=needed,
            reason="有关情况",
            decided_on=on,
            entered_by="经办人",
            **(given if sent else {}),
        )
        return Act(f"refer {row['object']}", lambda at: referral.confirm_referrals([entry], at))

    def _publish(self, row: Row, today: date) -> Act | None:
        """Once more after what was public was corrected."""
        code, department = row["object"].split("/")[:2]
        on = self._earlier(today, row["started_on"])
        if on < row["started_on"]:
            return None
        entry = PublicationEntry(
            inspection=code,
            department=department,
            entered_on=on,
            published_on=str(on) if self.random.random() < 0.8 else "",
            entered_by="经办人",
            correction="原记录有误" if row["duty"] == "republish" else "",
        )
        return Act(
            f"publish {row['object']}", lambda at: publication.confirm_publications([entry], at)
        )

    def _follow_up(self, row: Row, today: date) -> Act | None:
        code, department, _ = row["object"].split("/")
        entry = FollowUpEntry(
            inspection=code,
            department=department,
            closed_on=self._earlier(today, row["started_on"]),
            outcome="已整改",
            entered_by="经办人",
        )
        return Act(f"follow up {row['object']}", lambda at: referral.close_follow_ups([entry], at))

    def _report_refusal(self, row: Row, today: date) -> Act:
        entry = RefusalEntry(
            inspection=row["object"],
            reported_on=self._earlier(today, row["started_on"]),
            receiving="区应急管理局",
            document="报〔1〕号",
            entered_by=row["person"],
        )
        return Act(
            f"report refusal {row['object']}", lambda at: refusal.report_refusals([entry], at)
        )

    def _brief(self, row: Row, today: date) -> Act | None:
        if today <= row["started_on"] and self.random.random() < 0.9:
            return None  # hardly anybody sends it before the window is over
        on = self._earlier(today, row["started_on"])
        given = (row["object"], on, "区政府", "简报第 1 期", row["person"])
        return Act(f"brief {row['object']}", lambda at: brief.send_brief(*given, at))


def inspected(code: str) -> Inspection | None:
    """An inspection with everything that hangs on it."""
    with reading() as session:
        found = session.scalar(select(Inspection).where(Inspection.code == code))
        if found is not None:
            session.refresh(found, ["draw"])
            session.expunge_all()
        return found
