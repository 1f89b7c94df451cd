"""What changes around an office: leave, time granted, registers, its plan, holiday notices."""

from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from chance import Chance
from people import Act, People
from seen import Row, Seen, is_open
from sqlalchemy import select

from calendars import Extension, Suspension
from models.database import writing
from models.leave import LeaveEntry, ReturnEntry
from models.plan import Plan
from models.subject import Inspector, Subject
from tasks import grant, holiday, leave, plan, registers

ARTICLE = "《行政处罚法》第六十条"


class Changes(Chance):
    """What an office learns, or has to live with."""

    chances: ClassVar[dict[str, float]] = {
        "leave": 0.05,
        "back": 0.03,
        "grant": 0.04,
        "subject": 0.06,
        "closed_subject": 0.02,
        "inspector": 0.06,
        "new_head": 0.015,
        "closure": 0.01,
        "terms": 0.008,
        "wrong_grant": 0.02,
        "notice": 0.1,
        "amendment": 0.06,
    }

    def __init__(self, seen: Seen, people: People) -> None:
        super().__init__(seen, people)
        self._extra = self.random.randint(1, 3)
        # So many days after the notice came out, the office hears of it.
        self._heard = timedelta(self.random.choice((0, 3, 10, 30, 50, 70)))

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
        last_on = first_on + timedelta(self.random.randint(0, 25))
        entry = LeaveEntry(
            department=row["department"],
            person=person,
            first_on=first_on,
            last_on=last_on,
            delegate=delegate,
            delegate_email=email,
            reason="事假",
            entered_by="经办人",
        )
        # By the office's clock, which may be a day behind.
        wrong = last_on < today - timedelta(1) or (bool(delegate) and "@" not in email)
        return Act(f"leave {person}", lambda at: leave.enter_leave(entry, at), wrong)

    def _back(self, today: date) -> Act | None:
        away = self._any(
            "SELECT * FROM leave WHERE delegate != person AND id IN "
            "(SELECT max(id) FROM leave GROUP BY department, person)"
        )
        if not away or away["last_on"] < str(today):
            return None
        back_on = max(today, date.fromisoformat(away["first_on"]))
        entry = ReturnEntry(
            department=away["department"],
            person=away["person"],
            back_on=back_on,
            entered_by="经办人",
        )
        return Act(f"back {entry.person}", lambda at: leave.end_leave(entry, at))

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

    def _subject(self, today: date) -> Act | None:
        row = self._any("SELECT code FROM subject")
        if not row:
            return None
        change = self.random.choice(
            ({"status": "注销"}, {"status": "停业"}, {"status": "在营"}, {"grade": "D"})
        )
        return Act(f"subject {row['code']}", lambda at: self._save(Subject, row, change, at))

    def _closed_subject(self, today: date) -> Act | None:
        """One that is to be inspected is no more."""
        if not (row := self._running()):
            return None
        one = {"code": row["subject_code"]}
        change = {"status": "注销"}
        name = f"subject {one['code']} closed"
        return Act(name, lambda at: self._save(Subject, one, change, at))

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
