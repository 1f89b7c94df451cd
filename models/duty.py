"""Which obligations the facts of a round call for: who owes what, since when, by when.

One function a duty, each citing the plan's section through its term. Nothing is stored here; see
`models.reconciliation`.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from models.brief import Brief
from models.count import Count, person
from models.crime import CrimeReport
from models.draw import Draw
from models.inspection import DepartmentRecord, Inspection
from models.plan import Duty, Person
from models.reconciliation import Wanted
from models.referral import NEEDLESS
from models.refusal import REFUSED
from models.round import Round
from models.wording import MINUTE


class Duties(Count):
    """The duties (职责) of one plan on one day, counted by one calendar."""

    def of(
        self, round: Round, draws: Iterable[Draw], inspections: Iterable[Inspection]
    ) -> Iterator[Wanted]:
        """Every obligation that the facts of these draws and inspections call for.

        Met and closed ones are included. What the round as a whole calls for: see `of_round`.
        """
        for draw in draws:
            yield self._draw(round, draw)
            if draw.frozen_at and draw.public_value_rule:
                yield self._public_value(draw, draw.frozen_at.date())
        for inspection in inspections:
            if not inspection.unannounced:
                yield self._notify(inspection)
            yield self._inspect(round, inspection)
            if inspection.attestation == REFUSED and inspection.ended_on is not None:
                yield self._report_refusal(inspection, inspection.ended_on)
            for record in inspection.records:
                yield from self._of_record(inspection, record)

    def of_round(
        self,
        round: Round,
        draws: Iterable[Draw],
        inspections: Sequence[Inspection],
        brief: Brief | None,
    ) -> Iterator[Wanted]:
        """The obligations that need all of the round's inspections to be known: reveals, brief."""
        for draw in draws:
            if draw.sealed_at and draw.proven:
                own = [one for one in inspections if one.draw_id == draw.id]
                recorded = [_recorded_on(one) for one in own]
                known = [day for day in recorded if day is not None]
                if len(known) == len(own):
                    yield self._reveal(draw, max(known, default=draw.sealed_at.date()))
        if inspections:
            yield self._brief(round, brief)

    def _draw(self, round: Round, draw: Draw) -> Wanted:
        """§二、五: on the day the round opens, by the coordinator."""
        return self.wanted(
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
        return self.wanted(
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
        return self.wanted(
            "notify",
            inspection.code,
            inspection.name,
            self.plan.initiating.code,
            self.responsible(inspection, self.plan.initiating.code),
            inspection.planned_on,
            met_on=served_on,
            closed=(over, "未在检查前送达" if inspection.ended_on else "未实施"),
        )

    def _inspect(self, round: Round, inspection: Inspection) -> Wanted:
        """§二, 六: by the window's end, a fixed date that is never rolled forward."""
        return self.wanted(
            "inspect",
            inspection.code,
            inspection.name,
            self.plan.initiating.code,
            self.responsible(inspection, self.plan.initiating.code),
            inspection.planned_on,
            fixed=round.ends_on,
            met_on=inspection.ended_on,
            closed=(inspection.dropped_on, "未实施"),
        )

    def _report_refusal(self, inspection: Inspection, refused_on: date) -> Wanted:
        """安全生产法 68: the refusal to sign is reported to the department that supervises.

        By the leader, once for the inspection: §六.5 has one sheet, signed or refused as a whole.
        """
        return self.wanted(
            "report_refusal",
            inspection.code,
            inspection.name,
            self.plan.initiating.code,
            self.responsible(inspection, self.plan.initiating.code),
            refused_on,
            met_on=inspection.refusal.reported_on if inspection.refusal else None,
        )

    def _reveal(self, draw: Draw, recorded_on: date) -> Wanted:
        """draw-1, step 9: once the last record is in, nobody can be warned by it any more."""
        return self.wanted(
            "reveal",
            draw.code,
            f"{draw.grade} 级检查对象",
            "",
            self.plan.coordinator,
            recorded_on,
            met_on=draw.revealed_at.date() if draw.revealed_at else None,
        )

    def _brief(self, round: Round, brief: Brief | None) -> Wanted:
        """§九.3 names no event, so it runs from the window's end: a day that nobody has to start.

        The last publication would be another, which a department that is late could put off.
        """
        return self.wanted(
            "brief",
            round.code,
            f"第 {round.number} 轮",
            "",
            self.plan.coordinator,
            round.ends_on,
            met_on=brief.sent_on if brief else None,
        )

    def _of_crime(
        self,
        inspection: Inspection,
        crime: CrimeReport,
        object: str,
        department: str,
    ) -> Iterator[Wanted]:
        """国务院令第310号 第五条: the head decides; what is approved goes to the police."""
        head = self.plan.department(department).head
        members = {member.name: member for member in inspection.members(department)}
        handler = next((members[name] for name in crime.handlers if name in members), None)
        steps: list[tuple[Duty, Person, datetime, datetime | None]] = [
            ("crime_decide", head, crime.reported_at, crime.decided_at)
        ]
        if crime.decision == "批准" and crime.decided_at is not None:
            by = person(handler.name, handler.email or head.email) if handler else head
            steps.append(("crime_transfer", by, crime.decided_at, crime.transferred_at))
        for duty, whose, started_at, met_at in steps:
            yield self.wanted(
                duty,
                object,
                inspection.name,
                department,
                whose,
                started_at.date(),
                started_at=started_at,
                met_on=(met_at - MINUTE).date() if met_at else None,  # 24:00 ends its day
                met_at=met_at,
            )

    def _of_record(self, inspection: Inspection, record: DepartmentRecord) -> Iterator[Wanted]:
        object = f"{inspection.code}/{record.department}"
        person = self.responsible(inspection, record.department)
        common = (object, inspection.name, record.department, person)
        dropped = (inspection.dropped_on, "未实施")
        # §七.1 names no term, so the clock that nobody would start runs from the planned visit.
        yield self.wanted(
            "record",
            *common,
            inspection.planned_on,
            met_on=record.recorded_on,
            closed=dropped,
        )
        if inspection.ended_on is not None:  # §八: from the day on which the inspection ended
            publication = record.publication
            yield self.wanted(
                "publish",
                *common,
                inspection.ended_on,
                met_on=publication.published_on if publication else None,
            )
            corrected = publication.republications() if publication else []
            for number, (since, public_on) in enumerate(corrected, start=2):
                yield self.wanted(
                    "republish", f"{object}/{number}", *common[1:], since, met_on=public_on
                )
        if record.adverse and record.formed_on is not None:  # §七.2: from the result's day
            yield self.wanted(
                "decide_referral", *common, record.formed_on, met_on=record.referral_decided_on
            )
            if record.referral_needed == "需":
                referral = record.referral
                yield self.wanted(
                    "refer",
                    *common,
                    record.formed_on,
                    met_on=referral.sent_on if referral else None,
                )
        if record.crime is not None:
            yield from self._of_crime(inspection, record.crime, object, record.department)
        for follow_up in record.follow_ups:  # §八: open until re-checked and closed
            needless = follow_up.outcome == NEEDLESS
            yield self.wanted(
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


def _recorded_on(inspection: Inspection) -> date | None:
    """The day from which nobody can be warned of the inspection any more; None: not yet."""
    if inspection.dropped_on is not None:
        return inspection.dropped_on
    days = [record.recorded_on for record in inspection.records]
    return max((day for day in days if day), default=None) if all(days) else None
