"""What befalls an office beside its duties: corrections, leave, notices, wrong entries."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from people import Act, People, inspected
from seen import Row, Seen, is_open
from sqlalchemy import select

from calendars import Extension, Suspension
from models.database import writing
from models.leave import Leave
from models.plan import Plan
from models.record import RecordEntry
from models.subject import Inspector, Subject
from tasks import (
    draw,
    grant,
    holiday,
    inspection,
    notice,
    opening,
    plan,
    publication,
    registers,
    replacement,
    reveal,
)

ARTICLE = "《行政处罚法》第六十条"


class Incidents:
    """Each kind with its chance a working day; most need something to happen to."""

    def __init__(self, seen: Seen, people: People) -> None:
        self.seen, self.people, self.world = seen, people, seen.world
        self.random = Random(f"incidents {seen.world.seed}")
        self._extra = self.random.randint(1, 3)
        # So many days after the notice came out, the office hears of it.
        self._heard = timedelta(self.random.choice((0, 3, 10, 30, 50, 70)))
        self._chances: tuple[tuple[float, Callable[[date], Act | None]], ...] = (
            (0.05, self._correct_record),
            (0.03, self._replace),
            (0.03, self._ask_recusal),
            (0.06, self._decide_recusal),
            (0.05, self._leave),
            (0.04, self._grant),
            (0.015, self._drop),
            (0.02, self._withhold),
            (0.06, self._subject),
            (0.06, self._inspector),
            (0.015, self._new_head),
            (0.01, self._closure),
            (0.008, self._terms),
            (0.01, self._open_early),
            (0.02, self._reveal),
            (0.02, self._draw_again),
            (0.05, self._wrong_record),
            (0.03, self._wrong_publication),
            (0.02, self._wrong_grant),
            (0.02, self._wrong_drop),
            (0.1, self._notice),
            (0.06, self._amendment),
        )

    def acts(self, today: date) -> Iterator[Act]:
        """What happens today."""
        for chance, make in self._chances:
            if self.random.random() < chance and (act := make(today)):
                yield act

    def _any(self, query: str, *given: Any) -> Row | None:
        rows = self.seen.rows(query, *given)
        return self.random.choice(rows) if rows else None

    def _running(self) -> Row | None:
        """An inspection that is neither over nor given up."""
        return self._any("SELECT * FROM inspection WHERE ended_on IS NULL AND dropped_on IS NULL")

    def _recorded(self) -> Row | None:
        return self._any(
            "SELECT code, department FROM department_record r JOIN inspection i "
            "ON i.id = inspection_id JOIN round ON round.id = round_id "
            "WHERE r.version > 0".replace("SELECT code", "SELECT i.code AS code")
        )

    def _correct_record(self, today: date) -> Act | None:
        row = self._recorded()
        found = row and inspected(row["code"])
        if not row or not found:
            return None
        entry = self.people.sheet(found, row["department"], today, "原记录有误")
        name = f"correct {row['code']}/{row['department']}"
        return Act(name, lambda at: inspection.record_inspections([entry], at))

    def _seat(self) -> tuple[Row, Row, str] | None:
        """An inspection that goes on, one who is on its team, and that department's head."""
        row = self._running()
        member = row and self._any(
            "SELECT * FROM team_member WHERE inspection_id = ? AND left_at IS NULL", row["id"]
        )
        if not row or not member:
            return None
        heads = {one["code"]: one["head"]["name"] for one in self.seen.plan["departments"]}
        return row, member, heads[member["department"]]

    def _appointed(self, row: Row, member: Row) -> str:
        """Now and then the head names somebody, rightly or not."""
        if self.random.random() < 0.7:
            return ""
        found = self._any("SELECT * FROM inspector WHERE department = ?", member["department"])
        return found["certificate"] if found else ""

    def _replace(self, today: date) -> Act | None:
        if not (seat := self._seat()):
            return None
        row, member, head = seat
        appointed = self._appointed(row, member)
        given = (row["code"], member["department"], member["position"], "不能到场", "出差", head)
        return Act(
            f"replace {row['code']} {member['certificate']}",
            lambda at: replacement.replace_inspector(*given, appointed, at),
        )

    def _ask_recusal(self, today: date) -> Act | None:
        if not (seat := self._seat()):
            return None
        row, member, _ = seat
        given = (row["code"], member["department"], member["position"], "亲属", "法定代表人", today)
        return Act(f"ask recusal {row['code']}", lambda at: replacement.request_recusal(*given, at))

    def _decide_recusal(self, today: date) -> Act | None:
        asked = self._any(
            "SELECT i.code, i.id, q.department, m.position, m.certificate FROM recusal_request q "
            "JOIN inspection i ON i.id = q.inspection_id JOIN team_member m "
            "ON m.inspection_id = i.id AND m.certificate = q.certificate "
            "WHERE decision = '' AND left_at IS NULL"
        )
        if not asked:
            return None
        heads = {one["code"]: one["head"]["name"] for one in self.seen.plan["departments"]}
        decision: Any = self.random.choice(("准许", "驳回"))
        appointed = self._appointed(asked, asked) if decision == "准许" else ""
        given = (asked["code"], asked["department"], asked["position"], decision, "审查", heads)
        return Act(
            f"decide recusal {asked['code']} {decision}",
            lambda at: replacement.decide_recusal(
                *given[:5], heads[asked["department"]], appointed, at
            ),
        )

    def _leave(self, today: date) -> Act | None:
        owed = [row for row in self.seen.owed.values() if is_open(row) and row["department"]]
        if not owed:
            return None
        row = self.random.choice(owed)
        heads = {one["code"]: one["head"] for one in self.seen.plan["departments"]}
        person = row["person"]
        if self.random.random() < 0.4:
            person = heads[row["department"]]["name"]
        delegate = self.random.choice(("", "", "代办人"))
        email = self.random.choice(("delegate@agent.example", "", "坏地址")) if delegate else ""
        first_on = today + timedelta(self.random.randint(-2, 3))
        given = {
            "department": row["department"],
            "person": person,
            "first_on": first_on,
            "last_on": first_on + timedelta(self.random.randint(0, 25)),
            "delegate": delegate,
            "delegate_email": email,
        }

        def enter(at: datetime) -> None:
            with writing() as session:
                session.add(Leave(**given, entered_at=at))

        return Act(f"leave {person}", enter)

    def _grant(self, today: date, wrong: bool = False) -> Act | None:
        owed = [row for row in self.seen.owed.values() if is_open(row) and row["inspection"]]
        if not owed:
            return None
        row = self.random.choice(owed)
        fixed = row["working_days"] is None or row["working_days"] < 0
        if fixed != wrong:
            return None
        approved_on = today - timedelta(self.random.randint(0, 2))
        grounds = (f"批〔{self.random.randint(1, 99)}〕号", ARTICLE, "局长", approved_on)
        if self.random.random() < 0.5:
            one: Any = Extension(self.random.randint(1, 15), *grounds)
        else:
            from_ = today + timedelta(self.random.randint(-4, 6))
            one = Suspension(from_, from_ + timedelta(self.random.randint(0, 30)), *grounds)
        return Act(
            f"grant {row['duty']} {row['object']}",
            lambda at: grant.grant_time(row["duty"], row["object"], one, "经办人", at),
            wrong,
        )

    def _wrong_grant(self, today: date) -> Act | None:
        return self._grant(today, wrong=True)

    def _drop(self, today: date) -> Act | None:
        if not (row := self._running()):
            return None
        on = today - timedelta(self.random.randint(0, 3))
        given = (row["code"], "停业", "局长", "批〔2〕号", on)
        return Act(f"drop {row['code']}", lambda at: inspection.drop_inspection(*given, at))

    def _withhold(self, today: date) -> Act | None:
        if not (row := self._running()):
            return None
        return Act(
            f"withhold {row['code']}",
            lambda at: notice.withhold_notice(row["code"], "线索核查", "局长", at),
        )

    def _subject(self, today: date) -> Act | None:
        row = self._any("SELECT code FROM subject")
        if not row:
            return None
        change = self.random.choice(
            ({"status": "注销"}, {"status": "停业"}, {"status": "在营"}, {"grade": "D"})
        )
        return Act(f"subject {row['code']}", lambda at: self._save(Subject, row, change, at))

    def _inspector(self, today: date) -> Act | None:
        row = self._any("SELECT certificate AS code FROM inspector")
        if not row:
            return None
        change = self.random.choice(
            (
                {"status": "离岗"},
                {"status": "在岗"},
                {"status": "在岗"},
                {"email": ""},
                {"email": "new@inspector.example"},
                {"certificate_expires_on": today},
            )
        )
        return Act(f"inspector {row['code']}", lambda at: self._save(Inspector, row, change, at))

    @staticmethod
    def _save(table: Any, row: Row, change: dict[str, Any], at: datetime) -> None:
        key = table.code if table is Subject else table.certificate
        save: Any = registers.save_subjects if table is Subject else registers.save_inspectors
        with writing() as session:
            known = session.scalars(select(table).where(key == row["code"])).one()
            save(session, [known.row.model_copy(update=change)], "名录.xlsx", at, "经办人")

    def _load(self, content: dict[str, Any], what: str) -> Act:
        changed = Plan.model_validate(self.seen.plan | content)
        return Act(f"plan: {what}", lambda at: plan.load_plan(changed, at))

    def _new_head(self, today: date) -> Act:
        departments = [dict(one) for one in self.seen.plan["departments"]]
        one = self.random.choice(departments)
        number = self.random.randint(1, 9)
        email = f"head{number}@{one['code']}.example"
        one["head"] = {"name": f"新负责人{number}", "email": email, "phone": ""}
        return self._load({"departments": departments}, f"head of {one['code']}")

    def _closure(self, today: date) -> Act:
        from_on = today + timedelta(self.random.randint(-2, 8))
        one = {
            "from_on": str(from_on),
            "through_on": str(from_on + timedelta(self.random.randint(0, 6))),
            "name": "暴雪停办公",
            "order": f"令〔{from_on}〕号",
        }
        return self._load({"closures": [*self.seen.plan["closures"], one]}, f"closed {from_on}")

    def _terms(self, today: date) -> Act:
        terms = [dict(one) for one in self.seen.plan["terms"]]
        counted = [one for one in terms if (one["working_days"] or 0) > 0]
        one = self.random.choice(counted)
        one["working_days"] += self.random.choice((-1, 1, 3))
        one["working_days"] = max(1, one["working_days"])
        return self._load({"terms": terms}, f"{one['duty']} {one['working_days']}")

    def _open_early(self, today: date) -> Act | None:
        row = self._any("SELECT code FROM round WHERE opened_on IS NULL")
        if not row:
            return None
        return Act(
            f"open {row['code']}", lambda at: opening.open_early(row["code"], "急", "主任", at)
        )

    def _reveal(self, today: date) -> Act | None:
        row = self._draw("sealed_at IS NOT NULL AND revealed_at IS NULL")
        if not row:
            return None
        return Act(
            f"reveal {row['code']}-{row['grade']}",
            lambda at: reveal.order_reveal(row["code"], row["grade"], "舆情", "主任", at),
        )

    def _draw_again(self, today: date) -> Act | None:
        row = self._draw("sealed_at IS NOT NULL")
        if not row:
            return None
        return Act(
            f"draw {row['code']}-{row['grade']} again",
            lambda at: draw.draw_grade(row["code"], row["grade"], "某人", at),
            wrong=True,
        )

    def _draw(self, where: str) -> Row | None:
        return self._any(
            f"SELECT code, grade FROM draw JOIN round ON round.id = round_id WHERE {where}"
        )

    def _wrong_record(self, today: date) -> Act | None:
        """A sheet that cannot stand: a day to come, an item too many, no correction's reason."""
        row = self._recorded() or self._any(
            "SELECT code, department FROM inspection i JOIN department_record "
            "ON inspection_id = i.id"
        )
        found = row and inspected(row["code"])
        if not row or not found:
            return None
        sheet = self.people.sheet(found, row["department"], today, "更正")
        tomorrow = today + timedelta(2)
        entry: RecordEntry = self.random.choice(
            (
                sheet.model_copy(update={"ended_on": tomorrow, "recorded_on": tomorrow}),
                sheet.model_copy(update={"results": [*sheet.results, sheet.results[0]]}),
                sheet.model_copy(update={"department": "不存在的局"}),
                sheet.model_copy(update={"inspection": "2000-1-D01"}),
                sheet.model_copy(update={"attestation": "拒签", "attestation_note": ""}),
                sheet.model_copy(update={"order_text": "限期", "order_form": ""}),
            )
        )
        good = self.people.sheet(found, row["department"], today, "更正")
        return Act(
            f"wrong sheet {row['code']}",
            lambda at: inspection.record_inspections([good, entry], at),
            wrong=True,
        )

    def _wrong_publication(self, today: date) -> Act | None:
        published = [row for row in self.seen.owed.values() if row["duty"] == "publish"]
        if not published:
            return None
        row = self.random.choice(published)
        code, department = row["object"].split("/")
        entry = publication.PublicationEntry(
            inspection=code,
            department=department,
            entered_on=row["started_on"] - timedelta(1),
            published_on=str(today),
            entered_by="经办人",
        )
        return Act(
            f"wrong publication {row['object']}",
            lambda at: publication.confirm_publications([entry], at),
            wrong=True,
        )

    def _wrong_drop(self, today: date) -> Act | None:
        row = self._any("SELECT code FROM inspection WHERE ended_on IS NOT NULL")
        if not row:
            return None
        given = (row["code"], "停业", "局长", "批〔3〕号", today)
        return Act(f"drop {row['code']}", lambda at: inspection.drop_inspection(*given, at), True)

    def _notice(self, today: date) -> Act | None:
        text, number, issued_on = self.world.notice()
        if today < issued_on + self._heard or self.seen.rows("SELECT 1 FROM holiday_notice"):
            return None
        return Act(
            f"import {number}",
            lambda at: holiday.import_notice(text, number, issued_on, [], at, "经办人") and None,
        )

    def _amendment(self, today: date) -> Act | None:
        text, number, issued_on, added = self.world.amendment(self._extra)
        known = {row["number"] for row in self.seen.rows("SELECT number FROM holiday_notice")}
        if today < issued_on or number in known:
            return None
        self.world.amendments[number] = added
        people = ["甲", "乙"]
        return Act(
            f"amend {number}",
            lambda at: (
                holiday.import_notice(text, number, issued_on, people, at, "经办人") and None
            ),
            wrong=not known,
        )
