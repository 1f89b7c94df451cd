"""Passes over a round on a real Prefect server."""

import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from calendars import WorkingCalendar
from deployments.people import People
from deployments.rehearsal import PACE_SECONDS
from models.base import SHANGHAI
from models.database import reading, writing
from models.draw import Draw
from models.inspection import Inspection
from models.plan import Plan
from models.subject import Subject
from tasks.ledger import verify
from tasks.mail import deliver

pytestmark = pytest.mark.server

OPENING, NEXT_DAY = date(2024, 6, 25), date(2024, 6, 26)
Run = Callable[..., Any]


@pytest.fixture
def run(prefect: Any) -> Run:
    """Run a flow to its end, and read what the server knows of it."""

    def run(flow: Any, *arguments: Any, as_of: date) -> Any:
        time.sleep(PACE_SECONDS)
        state = flow(*arguments, as_of=as_of, return_state=True)
        return prefect.read_flow_run(state.state_details.flow_run_id)

    return run


@pytest.fixture
def advance(run: Run) -> Run:
    """Make a pass over the first round."""
    from flows.round import run_round

    return lambda as_of, code="2024-1": run(run_round, code, as_of=as_of)


def moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=SHANGHAI)


def shown(prefect: Any) -> dict[str, str]:
    """Everything that the server shows to anybody, by list."""
    doors = ("flow_runs", "task_runs", "artifacts", "logs", "events")
    answers = {door: prefect._client.post(f"/{door}/filter", json={}) for door in doors}
    return {door: answer.raise_for_status().text for door, answer in answers.items()}


def current(prefect: Any) -> set[Any]:
    return {run.id for run in prefect.read_flow_runs() if "当前" in run.tags}


def test_a_pass_is_named_and_tagged_after_its_stage(office: Any, advance: Run) -> None:
    drawn = advance(OPENING)
    assert drawn.name == "2024-1 · 告知 0/17"
    assert drawn.state.name == "告知"
    assert drawn.state.message == "告知 0/17，逾期 0 项"
    assert set(drawn.tags) == {"2024-1", "当前"}


def test_the_tags_say_whether_anything_is_due_soon_or_overdue(office: Any, advance: Run) -> None:
    # Of visits on 8 July the notice is to be served by 5 July.
    days = {OPENING: None, date(2024, 6, 28): "临期", date(2024, 7, 5): "临期"}
    for day, tag in (days | {date(2024, 7, 8): "逾期"}).items():
        assert set(advance(day).tags) - {"2024-1", "当前"} == ({tag} if tag else set()), day


def test_a_refused_freeze_ends_the_pass_as_failed_and_says_what_to_do(
    office: Any, advance: Run
) -> None:
    with writing() as session:
        session.execute(update(Subject).where(Subject.id == 1).values(grade=None, status="在营"))
    refused = advance(OPENING)
    assert (refused.state.type.value, refused.state.name) == ("FAILED", "抽取受阻")
    assert "有 1 户没有风险等级" in refused.state.message
    assert refused.name == "2024-1 · 抽取 0/4"


def test_only_the_newest_pass_carries_the_tag_even_where_an_older_one_was_killed(
    office: Any, advance: Run, prefect: Any
) -> None:
    first = advance(OPENING)
    second = advance(OPENING)
    assert current(prefect) == {second.id}
    # A pass that was killed between taking the tag and giving its own away: both keep it.
    prefect.update_flow_run(first.id, tags={"2024-1", "当前", "逾期"})
    third = advance(NEXT_DAY)
    assert current(prefect) == {third.id}
    assert set(prefect.read_flow_run(first.id).tags) == {"2024-1", "逾期"}


def test_the_tag_of_another_round_is_left_alone(office: Any, advance: Run, prefect: Any) -> None:
    other = advance(OPENING, "2024-2")
    one = advance(OPENING)
    assert current(prefect) == {one.id, other.id}
    assert other.name == "2024-2 · 抽取 0/4"


def test_a_pass_older_than_the_newest_does_nothing(office: Any, advance: Run, prefect: Any) -> None:
    newest = advance(NEXT_DAY)
    before = office.rows(), office.files()
    stale = advance(OPENING)
    assert stale.state.name == "已过时"
    assert (office.rows(), office.files()) == before
    assert current(prefect) == {newest.id}


def test_passes_killed_one_after_another_end_in_one_draw(
    office: Any, passes: Any, advance: Run, prefect: Any
) -> None:
    sealed: dict[int, Any] = {}
    for kill in (["before", 1], ["after", 3], ["before", 5], ["rename", 3], ["after", 6]):
        assert passes.run(passes.job(office, moment(OPENING), "flow", kill)) == [-9]
        rows = office.rows()["draw"]
        assert all(sealed.get(row["id"], row) == row for row in rows), kill
        sealed |= {row["id"]: row for row in rows if row["sealed_at"]}
        # A draw waits for its digest to go out, and so for the claim of a sender that was killed.
        deliver(moment(NEXT_DAY))
    last = advance(OPENING)
    assert last.name == "2024-1 · 告知 0/17"
    assert current(prefect) == {last.id}
    rows = office.rows()
    assert sealed
    assert all(sealed.get(row["id"], row) == row for row in rows["draw"])
    subjects = [row["subject_code"] for row in rows["inspection"]]
    assert len(set(subjects)) == len(subjects) == 17
    assert sum(row["inspection"] != "" for row in rows["obligation"]) == 17 * 4
    assert len(list((office.home / "papers" / "2024-1" / "检查情况记录表").iterdir())) == 17
    assert verify()[1] is None


def test_an_unknown_round_ends_as_failed(office: Any, advance: Run) -> None:
    unknown = advance(OPENING, "2023-1")
    assert unknown.state.is_failed()
    assert "没有轮次“2023-1”；已登记的轮次：2024-1、2024-2" in unknown.state.message


def test_nothing_public_names_a_subject_before_the_reveal(
    office: Any, run: Run, advance: Run, prefect: Any, drill: Plan, all_sent: Run
) -> None:
    from flows.inspection import record_inspection
    from flows.notice import confirm_service

    people = People(drill, WorkingCalendar.china(), seed=2024)
    advance(OPENING)
    advance(NEXT_DAY)
    day = date(2024, 7, 9)
    run(confirm_service, people.services(people.acts(), day), "演练", as_of=day)
    visited = [act for act in people.acts() if act.on <= day]
    assert run(record_inspection, people.records(visited, day), as_of=day).state.name == "已登记"
    advance(day)
    with reading() as session:
        draws = list(session.scalars(select(Draw).where(Draw.revealed_at.is_(None))))
        ids = [draw.id for draw in draws]
        drawn = list(session.scalars(select(Inspection).where(Inspection.draw_id.in_(ids))))
    hidden = [secret for draw in draws for secret in (draw.secret, draw.seed) if secret]
    hidden += [text for one in drawn for text in (one.subject_code, one.name)]
    all_sent()
    everything = shown(prefect) | {"files": "\n".join(map(str, office.home.rglob("*")))}
    for what, text in everything.items():
        assert len(text) > 500, f"nothing to be seen in {what}"
        assert [secret for secret in hidden if secret in text] == [], what
    assert sum(one.ended_on is not None for one in drawn) == 8


def test_the_card_is_one_artifact_that_tells_the_round_in_figures(
    office: Any, advance: Run, prefect: Any
) -> None:
    advance(OPENING)
    advance(NEXT_DAY)
    cards = prefect._client.post("/artifacts/latest/filter", json={}).json()
    (card,) = [card for card in cards if card["key"] == "round-2024-1"]
    assert card["description"].startswith("2024-1 轮次卡片（2024-06-26 ")
    assert "# 2024-1 · 告知 0/17" in card["data"]
    assert "**应检查 17 户，已检查 0 户，未实施 0 户；" in card["data"]
    assert "| D（高风险） | 29 | 6 | 20% | 已封存 |" in card["data"]  # one of 30 is closed
