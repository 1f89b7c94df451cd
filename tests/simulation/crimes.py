"""Suspected crimes: reported, decided and handed over at any hour of any day, or not in time."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from chance import Chance
from holding import moment
from people import Act, People
from seen import Row, Seen, is_open

from models.base import SHANGHAI
from models.crime import CrimeEntry
from tasks import crime, urgent

MINUTES = "%Y-%m-%d %H:%M"
CRIMES = (
    "SELECT c.*, i.code, r.department FROM crime_report c JOIN department_record r "
    "ON r.id = record_id JOIN inspection i ON i.id = inspection_id"
)


class Crimes(Chance):
    """A few a year. What they lead to is dealt with on days off as well, see `dealt_with`."""

    chances: ClassVar[dict[str, float]] = {
        "report": 0.03,
        "correct": 0.01,
        "wrong": 0.02,
    }

    def __init__(self, seen: Seen, people: People) -> None:
        super().__init__(seen, people)
        self._when: dict[tuple[str, str], datetime] = {}

    def dealt_with(self, now: datetime) -> Iterator[Act]:
        """What is decided or handed over about now: early, late, at night, on days off."""
        for row in list(self.seen.owed.values()):
            if row["started_at"] is None or not is_open(row):
                continue
            started_at, due_at = moment(row["started_at"]), moment(row["due_at"])
            key = row["duty"], row["started_at"] + row["object"]
            if key not in self._when:
                chance = self.random.random()
                early, late = (0.1, 0.95) if chance < 0.6 else (1.0, 4.0)
                share = self.random.uniform(early, late) if chance < 0.9 else 12.0
                self._when[key] = started_at + (due_at - started_at) * share
            if self._when[key] <= now and (act := self._dealt(row, self._when[key])):
                self._when[key] = now + timedelta(hours=self.random.randint(1, 40))  # if it fails
                yield act

    def _dealt(self, row: Row, on: datetime) -> Act | None:
        known = self._known(row["object"])
        if known is None:
            return None
        entry = self._as_entered(known)
        at = f"{on:{MINUTES}}"
        if row["duty"] == "crime_transfer":
            entry |= {"transferred_at": at, "receiving": "公安分局", "document": "移〔9〕号"}
        else:
            entry |= {
                "decision": self.random.choice(("批准", "批准", "不批准")),
                "decided_at": at,
                "reason": "有关情况",
                "decided_by": "主持工作的人",
                "in_charge_by": "授权〔1〕号",
            }
        return self._entered(f"{row['duty']} {row['object']}", entry)

    def _known(self, object: str) -> Row | None:
        found = self.seen.rows(f"{CRIMES} WHERE i.code || '/' || r.department = ?", object)
        return found[0] if found else None

    @staticmethod
    def _as_entered(known: Row) -> dict[str, Any]:
        """What is filled in again, as it stands."""
        fields = ("department", "decision", "reason", "decided_by", "in_charge_by", "receiving")
        times = ("reported_at", "decided_at", "transferred_at")
        return {
            "inspection": known["code"],
            "handlers": ["经办甲", "经办乙"],
            "document": known["document"],
            "entered_by": "经办甲",
            **{field: known[field] for field in fields},
            **{
                field: f"{moment(known[field]):{MINUTES}}" if known[field] else ""
                for field in times
            },
        }

    @staticmethod
    def _entered(name: str, fields: dict[str, Any], wrong: bool = False) -> Act:
        """As the form does it: entered, and what is due at once is told at once."""
        entry = CrimeEntry(**fields)

        def enter(at: datetime) -> set[str]:
            rounds = crime.enter_crimes([entry], at)
            urgent.sweep_urgent(at)
            return rounds

        return Act(name, enter, wrong)

    def _report(self, today: date) -> Act | None:
        row = self._recorded()
        if not row or self._known(f"{row['code']}/{row['department']}"):
            return None
        reported_at = self.world.clock.now() - timedelta(hours=self.random.choice((1, 5, 30, 90)))
        entry = {
            "inspection": row["code"],
            "department": row["department"],
            "reported_at": f"{reported_at:{MINUTES}}",
            "handlers": ["经办甲", "经办乙"],
            "entered_by": "经办甲",
        }
        return self._entered(f"crime {row['code']}/{row['department']}", entry)

    def _correct(self, today: date) -> Act | None:
        """The report came at another hour, or what was decided is taken back."""
        known = self._any(CRIMES)
        if not known:
            return None
        entry = self._as_entered(known) | {"correction": "原登记有误"}
        if known["decision"] and not known["transferred_at"] and self.random.random() < 0.5:
            entry |= {"decision": "", "reason": "", "decided_by": "", "decided_at": ""}
        else:
            reported_at = moment(known["reported_at"]) + timedelta(hours=self.random.randint(-9, 9))
            entry |= {"reported_at": f"{reported_at:{MINUTES}}"}
        return self._entered(f"correct crime {known['code']}", entry)

    def _wrong(self, today: date) -> Act | None:
        known = self._any(CRIMES)
        if not known:
            return None
        entry = self._as_entered(known) | {"correction": "更正"}
        later = datetime.combine(today + timedelta(2), datetime.min.time(), tzinfo=SHANGHAI)
        entry |= self.random.choice(
            (
                {"reported_at": f"{later:{MINUTES}}"},
                {"department": "不存在的局"},
                {"decision": "", "reason": "理由"},
                {"decision": "不批准", "reason": "", "decided_by": "经办甲"},
                {"handlers": ["经办甲", "经办甲"]},
                {"decision": "", "transferred_at": entry["reported_at"]},
            )
        )
        return self._entered(f"wrong crime {known['code']}", entry, wrong=True)
