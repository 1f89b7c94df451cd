"""What people enter wrongly: all of it is to be refused, and to leave nothing behind."""

from datetime import date, timedelta
from typing import ClassVar

from chance import Chance
from people import Act, inspected

from models.record import RecordEntry
from tasks import draw, inspection, publication


class Mistakes(Chance):
    """Entries that cannot stand."""

    chances: ClassVar[dict[str, float]] = {
        "draw_again": 0.02,
        "wrong_record": 0.05,
        "wrong_publication": 0.03,
        "wrong_drop": 0.02,
    }

    def _draw_again(self, today: date) -> Act | None:
        row = self._draw("sealed_at IS NOT NULL")
        if not row:
            return None
        return Act(
            f"draw {row['code']}-{row['grade']} again",
            lambda at: draw.draw_grade(row["code"], row["grade"], "某人", at),
            wrong=True,
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
