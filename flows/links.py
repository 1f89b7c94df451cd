"""Addresses within the UI: the pages that stay, and forms with values already filled in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from models.board import OpenDuty
from models.plan import Duty

BOARD = "deadline-board"
OVERDUE = "deadline-board-overdue"
START = "start"
HEALTH = "期限检查"

# By which form a duty is met, and which fields of it the duty itself fills in.
FORMS: Mapping[Duty, str] = {
    "draw": "轮次推进",
    "public_value": "录入公共值",
    "notify": "登记送达",
    "inspect": "登记检查结果",
    "record": "登记检查结果",
    "report_refusal": "登记拒签报告",
    "reveal": "轮次推进",
    "crime_decide": "登记涉嫌犯罪移送",
    "crime_transfer": "登记涉嫌犯罪移送",
    "decide_referral": "登记移送",
    "refer": "登记移送",
    "publish": "登记公示",
    "republish": "登记公示",
    "follow_up": "登记后续监管",
    "brief": "登记专项简报",
}
# The form asks for the round alone.
_OF_ROUND: frozenset[Duty] = frozenset({"draw", "reveal", "brief"})


def round_card(code: str) -> str:
    """The key of a round's card."""
    return f"round-{code.lower()}"


def round_cards(code: str) -> str:
    """The key under which every card of a round is kept."""
    return f"{round_card(code)}-history"


@dataclass(frozen=True)
class Links:
    """Where things are in the UI at `ui` (such as http://127.0.0.1:4200/v2).

    `deployments`: ids by name; `artifacts`: ids by key. What is not known has no link.
    """

    ui: str
    deployments: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, str] = field(default_factory=dict)

    def runs(self, tag: str) -> str:
        """The runs of one tag."""
        return f"{self.ui}/runs?{urlencode({'tags': tag, 'hide-subflows': 'true'})}"

    def run(self, number: str) -> str:
        """One run."""
        return f"{self.ui}/runs/flow-run/{number}?tab=Artifacts"

    def artifact(self, key: str) -> str:
        """The page that an artifact updated in place keeps for good."""
        number = self.artifacts.get(key)
        return f"{self.ui}/artifacts/artifact/{number}" if number else self.history(key)

    def history(self, key: str) -> str:
        """The page of all versions of an artifact's key."""
        return f"{self.ui}/artifacts/key/{quote(key)}"

    def form(self, name: str, values: Mapping[str, Any] | None = None) -> str:
        """The form of that name, filled in; empty where it is not served."""
        number = self.deployments.get(name)
        if not number:
            return ""
        query = f"?parameters={quote(compact(values))}" if values else ""
        return f"{self.ui}/deployments/deployment/{number}/run{query}"

    def of(self, duty: OpenDuty) -> str:
        """The form by which an open duty is met, with what is known of it filled in."""
        return self.form(FORMS[duty.duty], values(duty))


def values(duty: OpenDuty) -> dict[str, Any]:
    """What a duty fills in of its form."""
    if duty.duty in _OF_ROUND:
        return {"round_code": duty.round}
    if duty.duty == "public_value":
        return {"round_code": duty.round, "grade": duty.object.rsplit("-", 1)[-1]}
    entry = {"检查编号": duty.inspection}
    if duty.duty not in ("notify", "report_refusal"):
        entry["部门"] = duty.department
    return {"entries": [entry]}


def compact(value: Any) -> str:
    """JSON without a needless character."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
