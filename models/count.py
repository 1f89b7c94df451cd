"""How a duty is counted: by the plan's term, from its first day, in the office's calendar."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from calendars import Deadline, Grant, Suspension, Unit, WorkingCalendar
from calendars import Term as CalendarTerm
from models.inspection import Inspection
from models.plan import Duty, Person, Plan
from models.reconciliation import Due, Wanted

# Their objects are draws and rounds, not inspections.
OF_THE_OFFICE: frozenset[Duty] = frozenset({"draw", "public_value", "reveal", "brief"})


class Count:
    """The count (计期) of one plan's duties on one day by one calendar.

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
        self._counted: dict[tuple[date, CalendarTerm, tuple[Grant, ...]], Deadline] = {}

    def _deadline(self, event: date, term: CalendarTerm, grants: Sequence[Grant]) -> Deadline:
        key = (event, term, tuple(grants))
        if key not in self._counted:
            self._counted[key] = self.calendar.due(event, term, grants=grants)
        return self._counted[key]

    def wanted(
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
        started_at: datetime | None = None,
        met_at: datetime | None = None,
    ) -> Wanted:
        """The obligation by the duty's term from its start, or due on a `fixed` day.

        `started_at` and `met_at`: of those that run by the clock. `closed`: when it ended without
        being met, and why.
        """
        term = self.plan.term(duty)
        grants = () if fixed else self.grants.get((duty, object), ())
        length = None if fixed else term.length
        deadline = self._deadline(
            fixed or started_at or started_on,
            length or CalendarTerm(fixed or started_on, Unit.FIXED_DATE),
            grants,
        )
        # One approved too late leaves the duty overdue, and so must not silence it either.
        in_force = [grant for grant in grants if grant not in deadline.without_effect]
        return Wanted(
            duty=duty,
            object=object,
            inspection="" if duty in OF_THE_OFFICE else object.split("/")[0],
            about=about,
            department=department,
            person=person.name,
            email=person.email,
            started_on=started_on,
            started_at=started_at,
            working_days=None if fixed else term.working_days,
            natural_days=term.natural_days,
            hours=term.hours,
            source=term.source,
            due=Due(
                deadline.due_on, deadline.due_at, deadline.provisional, deadline.calendar_version
            ),
            suspended=any(isinstance(g, Suspension) and g.covers(self.as_of) for g in in_force),
            met_on=met_on,
            met_at=met_at,
            closed_on=closed[0] if met_on is None else None,
            closed_why=closed[1] if met_on is None and closed[0] else "",
        )

    def responsible(self, inspection: Inspection, department: str) -> Person:
        """The department's first inspector on the team; its head where nobody is left."""
        members = inspection.members(department)
        head = self.plan.department(department).head
        if not members:
            return head
        return person(members[0].name, members[0].email or head.email)


def person(name: str, email: str) -> Person:
    """Somebody whose duty it is."""
    # Not checked again: one strange address in a register must not stop the whole round.
    return Person.model_construct(name=name, email=email)
