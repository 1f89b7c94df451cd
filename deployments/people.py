"""The people of a rehearsal: who does what on which day, early, late, or not until escalated.

What they do follows from the codes of things alone, never from who was drawn, so that every
rehearsal of a plan takes the same course.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from sqlalchemy import select

from calendars import WorkingCalendar
from models.database import reading
from models.draw import Draw
from models.inspection import Inspection
from models.notice import ServiceEntry
from models.obligation import Obligation
from models.plan import Plan
from models.publication import PublicationEntry
from models.record import ItemEntry, MeasureEntry, RecordEntry
from models.referral import FollowUpEntry, ReferralEntry
from models.refusal import RefusalEntry
from models.round import Round

# Working days from the due day on which each temper acts; the coordinator hears on the 5th.
LATE, ESCALATED = 2, 6
# Chances of a duty being done late, and only once it was escalated.
LATE_CHANCE, ESCALATED_CHANCE = 0.07, 0.04
# Working days from the start on which the prompt act.
PROMPT = {
    "record": 1,
    "report_refusal": 1,
    "publish": 12,
    "republish": 3,
    "decide_referral": 3,
    "refer": 4,
    "brief": 21,
}
# What is nobody's to enter, or has a day of its own.
NOT_ENTERED = ("draw", "public_value", "inspect", "reveal", "crime_decide", "crime_transfer")


@dataclass(frozen=True)
class Act:
    """Something that a person does about an obligation on a day."""

    on: date
    duty: str
    object: str


@dataclass(frozen=True)
class Course:
    """How an inspection goes: its results by kind of item, its signature."""

    results: tuple[int, ...]  # of the initiating department first
    attestation: str = "签字"
    note: str = ""
    witness: str = ""
    referred: bool = False


CLEAN = Course((1, 1))
COURSES = {
    1: CLEAN,
    2: Course((5, 1)),
    3: CLEAN,
    4: Course((10, 1), referred=True),
    5: Course((9, 2)),
    6: Course((8, 1), referred=True),
}
# The special ones, by the end of their codes.
REFUSED_TO_SIGN = (
    "1-D01",
    Course((10, 1), "拒签", "被检查单位负责人拒绝签字，执法人员当场说明", referred=True),
)
CLOSED_SUBJECT = ("1-C02", Course((7, 4), "无人可签", "经营场所已关闭，现场无人", "社区工作人员"))
UNANNOUNCED = "1-D02"


def course(code: str) -> Course:
    """How the inspection of that code goes."""
    for end, special in (REFUSED_TO_SIGN, CLOSED_SUBJECT):
        if code.endswith(end):
            return special
    return COURSES.get(int(code.rsplit("-", 1)[1][1:]) % 7, CLEAN)


class People:
    """Everybody in the departments of one plan."""

    def __init__(self, plan: Plan, calendar: WorkingCalendar, seed: int) -> None:
        self.plan = plan
        self.calendar = calendar.provisional
        self.seed = seed

    def acts(self) -> list[Act]:
        """What will be done about everything that is open now, soonest first."""
        with reading() as session:
            rows = session.scalars(select(Obligation).where(Obligation.open))
            acts = [
                Act(self._day(row), row.duty, row.object)
                for row in rows
                if row.duty not in NOT_ENTERED
            ]
        return sorted(acts, key=lambda act: (act.on, act.duty, act.object))

    def _day(self, row: Obligation) -> date:
        chance = Random(f"{self.seed}:{row.duty}:{row.object}").random()
        if row.duty == "notify":
            return self.calendar.add_working_days(row.started_on, -3)
        if chance < ESCALATED_CHANCE:
            return self.calendar.add_working_days(row.due_on, ESCALATED)
        if chance < ESCALATED_CHANCE + LATE_CHANCE:
            return self.calendar.add_working_days(row.due_on, LATE)
        if row.duty == "follow_up":  # the order gives time to put things right
            return self.calendar.add_working_days(row.due_on, -3)
        return self.calendar.add_working_days(row.started_on, PROMPT[row.duty])

    def services(self, acts: list[Act], day: date) -> list[ServiceEntry]:
        """Notices served that day; the leader brings them, or calls."""
        found = []
        for inspection, _ in self._inspections(acts, "notify"):
            by_phone = inspection.code.endswith("3")
            found.append(
                ServiceEntry(
                    inspection=inspection.code,
                    manner="电话" if by_phone else "书面",
                    served_on=day,
                    served_by=inspection.members()[0].name,
                    received_by=inspection.subject_row.contact or inspection.name,
                    place="" if by_phone else inspection.subject_row.address,
                )
            )
        return found

    def records(self, acts: list[Act], day: date) -> list[RecordEntry]:
        """Record sheets entered that day, of visits on their planned days."""
        found = []
        for inspection, department in self._inspections(acts, "record"):
            goes = course(inspection.code)
            leads = department == self.plan.initiating.code
            result = goes.results[0 if leads else 1]
            meaning = self.plan.result(result)
            adverse = meaning.adverse
            items = self.plan.items_of(department)
            plain = next(r.code for r in self.plan.results if r.clean)
            results = [
                ItemEntry(
                    item=item.code,
                    result=result if number == 0 or goes is CLOSED_SUBJECT[1] else plain,
                    problem=f"演练所设问题：{meaning.text}"
                    if adverse and (number == 0 or goes is CLOSED_SUBJECT[1])
                    else "",
                )
                for number, item in enumerate(items)
            ]
            ordered = meaning.needs_order
            undecided = adverse and leads and goes.referred
            found.append(
                RecordEntry(
                    inspection=inspection.code,
                    department=department,
                    ended_on=inspection.planned_on,
                    attestation=goes.attestation,
                    attestation_note=goes.note,
                    witness=goes.witness,
                    results=results,
                    measures=[MeasureEntry(measure="现场笔录")] if adverse else [],
                    order_text="演练所设责令改正事项，限期改正" if ordered else "",
                    order_form="书面" if ordered else "",
                    order_due_on=str(inspection.planned_on + timedelta(days=40)) if ordered else "",
                    referral_needed="不需" if adverse and not undecided else "",
                    referral_why="由本部门依法处理" if adverse and not undecided else "",
                    recorded_on=day,
                    entered_by=inspection.members(department)[0].name,
                )
            )
        return found

    def referrals(self, acts: list[Act], day: date) -> list[ReferralEntry]:
        """Findings referred that day, decided and sent at once."""
        wanted = [act for act in acts if act.duty in ("decide_referral", "refer")]
        found = {}
        for inspection, department in self._inspections(wanted, "decide_referral", "refer"):
            found[inspection.code, department] = ReferralEntry(
                inspection=inspection.code,
                department=department,
                needed="需",
                reason="涉嫌违法，属其他部门管辖",
                decided_on=day,
                receiving="平顶山市公安局卫东分局（演练）",
                case_name=f"{inspection.code} 涉嫌违法案（演练）",
                document=f"演练移〔{day.year}〕{inspection.code}号",
                sent_on=str(day),
                entered_by=inspection.members(department)[0].name,
            )
        return list(found.values())

    def publications(self, acts: list[Act], day: date) -> list[PublicationEntry]:
        """Results entered and published that day, those that were corrected once more."""
        return [
            PublicationEntry(
                inspection=inspection.code,
                department=department,
                entered_on=day,
                published_on=str(day),
                entered_by=inspection.members(department)[0].name,
            )
            for inspection, department in self._inspections(acts, "publish", "republish")
        ]

    def follow_ups(self, acts: list[Act], day: date) -> list[FollowUpEntry]:
        """Problems re-checked and closed that day."""
        found = {}
        for inspection, department in self._inspections(acts, "follow_up"):
            found[inspection.code, department] = FollowUpEntry(
                inspection=inspection.code,
                department=department,
                closed_on=day,
                outcome="经复查，已整改到位（演练）",
                entered_by=inspection.members(department)[0].name,
            )
        return list(found.values())

    def refusals(self, acts: list[Act], day: date) -> list[RefusalEntry]:
        """Refusals to sign reported that day."""
        return [
            RefusalEntry(
                inspection=inspection.code,
                reported_on=day,
                receiving=self.plan.department(department).name,
                document=f"演练拒签〔{day.year}〕{inspection.code}号",
                entered_by=inspection.members(department)[0].name,
            )
            for inspection, department in self._inspections(acts, "report_refusal")
        ]

    def briefs(self, acts: list[Act]) -> list[str]:
        """The rounds whose brief is sent that day."""
        return [act.object for act in acts if act.duty == "brief"]

    def public_values(self, round_code: str) -> list[tuple[str, str, list[str]]]:
        """Grade, value and its two witnesses for each draw that waits for a public value."""
        with reading() as session:
            draws = session.scalars(
                select(Draw).join(Round).where(Round.code == round_code).order_by(Draw.grade)
            )
            waiting = [draw.grade for draw in draws if draw.waits_for_public_value]
        names = [department.head.name for department in self.plan.departments][:1]
        return [
            (grade, self._dice(f"{round_code}-{grade}"), [*names, self.plan.coordinator.name])
            for grade in waiting
        ]

    def _dice(self, code: str) -> str:
        random = Random(f"{self.seed}:dice:{code}")
        return "".join(str(random.randint(1, 6)) for _ in range(6))

    def _inspections(self, acts: list[Act], *duties: str) -> list[tuple[Inspection, str]]:
        """The inspection and department that each act of those duties is about."""
        objects = sorted({act.object for act in acts if act.duty in duties})
        codes = {object.split("/")[0] for object in objects}
        with reading() as session:
            known = {
                inspection.code: inspection
                for inspection in session.scalars(
                    select(Inspection).where(Inspection.code.in_(codes))
                )
            }
            session.expunge_all()
        return [
            (known[parts[0]], parts[1] if len(parts) > 1 else self.plan.initiating.code)
            for parts in (object.split("/") for object in objects)
        ]


def drawn_to_withhold(round_code: str) -> str | None:
    """The inspection of that round that is ordered not to be announced, if it is the one."""
    with reading() as session:
        codes = session.scalars(
            select(Inspection.code).where(
                Inspection.code.startswith(round_code, autoescape=True),
                Inspection.unannounced.is_(False),
            )
        )
        return next((code for code in codes if code.endswith(UNANNOUNCED)), None)
