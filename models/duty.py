"""Which obligations the facts of a round call for: who owes what, since when, by when.

One function a duty, each citing the plan's section through its term. Nothing is stored here; see
`models.obligation.reconcile`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from calendars import Deadline, Grant, Suspension, Unit, WorkingCalendar
from calendars import Term as CalendarTerm
from models.draw import Draw
from models.inspection import DepartmentRecord, Inspection
from models.obligation import Due, Wanted
from models.plan import Duty, Person, Plan
from models.referral import NEEDLESS
from models.round import Round

OF_DRAWS: frozenset[Duty] = frozenset({"draw", "public_value"})


class Duties:
    """The duties (职责) of one plan on one day, counted by one calendar.

    `grants`: suspensions and extensions, by duty and object.
    """

    def __init__(
        self,
        plan: Plan,
        calendar: WorkingCalendar,
        as_of: date,
        grants: Mapping[tuple[str, str], Sequence[Grant]] | None = None,
    ) -> None:
        self.plan = plan
        self.calendar = calendar
        self.as_of = as_of
        self.grants = grants or {}
        # Thousands of inspections share few dates; each is counted once.
        self._counted: dict[tuple[date, int | None, tuple[Grant, ...]], Deadline] = {}

    def of(
        self, round: Round, draws: Iterable[Draw], inspections: Iterable[Inspection]
    ) -> Iterator[Wanted]:
        """Every obligation that the round's facts call for, met and closed ones included."""
        for draw in draws:
            yield self._draw(round, draw)
            if draw.frozen_at and draw.public_value_rule:
                yield self._public_value(draw, draw.frozen_at.date())
        for inspection in inspections:
            if not inspection.unannounced:
                yield self._notify(inspection)
            yield self._inspect(round, inspection)
            for record in inspection.records:
                yield from self._of_record(inspection, record)

    def _deadline(self, event: date, working_days: int | None, grants: Sequence[Grant]) -> Deadline:
        key = (event, working_days, tuple(grants))
        if key not in self._counted:
            term = (
                CalendarTerm(event, Unit.FIXED_DATE)
                if working_days is None
                else CalendarTerm(working_days, Unit.WORKING_DAYS)
            )
            self._counted[key] = self.calendar.due(event, term, grants=grants)
        return self._counted[key]

    def _wanted(
        self,
        duty: Duty,
        object: str,
        about: str,
        department: str,
        person: Person,
        started_on: date,
        *,
        fixed: date | None = None,
        met_on: date | None = None,
        closed: tuple[date | None, str] = (None, ""),
    ) -> Wanted:
        term = self.plan.term(duty)
        days = None if fixed else term.working_days
        grants = () if fixed else self.grants.get((duty, object), ())
        deadline = self._deadline(fixed or started_on, days, grants)
        # One approved too late leaves the duty overdue, and so must not silence it either.
        in_force = [grant for grant in grants if grant not in deadline.without_effect]
        return Wanted(
            duty=duty,
            object=object,
            inspection="" if duty in OF_DRAWS else object.split("/")[0],
            about=about,
            department=department,
            person=person.name,
            email=person.email,
            started_on=started_on,
            working_days=days,
            source=term.source,
            due=Due(
                deadline.due_on, deadline.due_at, deadline.provisional, deadline.calendar_version
            ),
            suspended=any(isinstance(g, Suspension) and g.covers(self.as_of) for g in in_force),
            met_on=met_on,
            closed_on=closed[0] if met_on is None else None,
            closed_why=closed[1] if met_on is None and closed[0] else "",
        )

    def _draw(self, round: Round, draw: Draw) -> Wanted:
        """§二、五: on the day the round opens, by the coordinator."""
        return self._wanted(
            "draw",
            draw.code,
            f"{draw.grade} 级检查对象",
            "",
            self.plan.coordinator,
            round.registered_at.date(),
            fixed=self.calendar.first_working_day(round.opens_on),
            met_on=draw.sealed_at.date() if draw.sealed_at else None,
        )

    def _public_value(self, draw: Draw, frozen_on: date) -> Wanted:
        """draw-1, step 3: entered by two people after the freeze; the draw waits for it."""
        return self._wanted(
            "public_value",
            draw.code,
            f"{draw.grade} 级检查对象",
            "",
            self.plan.coordinator,
            frozen_on,
            met_on=draw.public_value_at.date() if draw.public_value_at else None,
        )

    def _notify(self, inspection: Inspection) -> Wanted:
        """§六.2: before the planned visit, by the leader; too late once the visit is over."""
        served_on = inspection.notice.served_on if inspection.notice else None
        over = inspection.ended_on or inspection.dropped_on
        if served_on and over and served_on > over:
            served_on = None
        return self._wanted(
            "notify",
            inspection.code,
            inspection.name,
            self.plan.initiating.code,
            self._responsible(inspection, self.plan.initiating.code),
            inspection.planned_on,
            met_on=served_on,
            closed=(over, "未在检查前送达" if inspection.ended_on else "未实施"),
        )

    def _inspect(self, round: Round, inspection: Inspection) -> Wanted:
        """§二, 六: by the window's end, a fixed date that is never rolled forward."""
        return self._wanted(
            "inspect",
            inspection.code,
            inspection.name,
            self.plan.initiating.code,
            self._responsible(inspection, self.plan.initiating.code),
            inspection.planned_on,
            fixed=round.ends_on,
            met_on=inspection.ended_on,
            closed=(inspection.dropped_on, "未实施"),
        )

    def _of_record(self, inspection: Inspection, record: DepartmentRecord) -> Iterator[Wanted]:
        object = f"{inspection.code}/{record.department}"
        person = self._responsible(inspection, record.department)
        common = (object, inspection.name, record.department, person)
        dropped = (inspection.dropped_on, "未实施")
        # §七.1 names no term, so the clock that nobody would start runs from the planned visit.
        yield self._wanted(
            "record",
            *common,
            inspection.planned_on,
            met_on=record.recorded_on,
            closed=dropped,
        )
        if inspection.ended_on is not None:  # §八: from the day on which the inspection ended
            publication = record.publication
            yield self._wanted(
                "publish",
                *common,
                inspection.ended_on,
                met_on=publication.published_on if publication else None,
            )
            corrected = publication.republications() if publication else []
            for number, (since, public_on) in enumerate(corrected, start=2):
                yield self._wanted(
                    "republish", f"{object}/{number}", *common[1:], since, met_on=public_on
                )
        if record.adverse and record.formed_on is not None:  # §七.2: from the result's day
            yield self._wanted(
                "decide_referral", *common, record.formed_on, met_on=record.referral_decided_on
            )
            if record.referral_needed == "需":
                referral = record.referral
                yield self._wanted(
                    "refer",
                    *common,
                    record.formed_on,
                    met_on=referral.sent_on if referral else None,
                )
        for follow_up in record.follow_ups:  # §八: open until re-checked and closed
            needless = follow_up.outcome == NEEDLESS
            yield self._wanted(
                "follow_up",
                f"{object}/{follow_up.item}",
                inspection.name,
                record.department,
                person,
                follow_up.opened_on,
                fixed=follow_up.order_due_on,
                met_on=None if needless else follow_up.closed_on,
                closed=(follow_up.closed_on if needless else None, NEEDLESS),
            )

    def _responsible(self, inspection: Inspection, department: str) -> Person:
        """The department's first inspector on the team; its head where nobody is left."""
        members = inspection.members(department)
        head = self.plan.department(department).head
        if not members:
            return head
        # Not checked again: one strange address in a register must not stop the whole round.
        return Person.model_construct(name=members[0].name, email=members[0].email or head.email)
