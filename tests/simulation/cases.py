"""What befalls inspections: corrections, replacements, recusals, alternates; draws and rounds."""

from datetime import date, timedelta
from typing import Any, ClassVar

from chance import Chance
from people import Act, inspected
from seen import Row

from tasks import alternate, inspection, notice, opening, replacement, reveal


class Cases(Chance):
    """What is decided about one inspection, one draw, one round."""

    chances: ClassVar[dict[str, float]] = {
        "correct_record": 0.05,
        "replace": 0.03,
        "ask_recusal": 0.03,
        "decide_recusal": 0.06,
        "drop": 0.015,
        "withhold": 0.02,
        "open_early": 0.01,
        "reveal": 0.02,
        "alternate": 0.05,
    }

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

    def _alternate(self, today: date) -> Act | None:
        row = self._any(
            "SELECT i.code FROM inspection i JOIN subject s ON s.code = subject_code "
            "WHERE s.status = '注销' AND ended_on IS NULL AND dropped_on IS NULL"
        )
        if not row:
            return None
        given = (row["code"], "已注销", "局长")
        return Act(
            f"alternate for {row['code']}",
            lambda at: alternate.take_alternate(*given, at),
            wrong=not self.seen.plan["replace_closed_subjects"],
        )
