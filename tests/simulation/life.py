"""The life of one office, day by day: its mornings, its people, its mails, and what goes wrong."""

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import date, time, timedelta
from itertools import chain
from random import Random
from typing import Any

import drawn
import invariants
import published
from faults import Crash
from incidents import Incidents
from invariants import Violation, hold
from people import Act, People
from seen import Seen, is_open
from world import LENGTH, World

import flows.obligation
import flows.round
from flows.entry import REFUSALS
from models.plan import PlanRefused

ROUNDS = ("SELECT code FROM round ORDER BY code",)


class Life:
    """One office from its founding on. `log` has a line for everything that happened."""

    def __init__(self, world: World, trace: Callable[[str], None] | None = None) -> None:
        self.world = world
        self.random = Random(f"life {world.seed}")
        self.log: list[str] = []
        self.counts: Counter[str] = Counter()
        self._trace = trace
        self._digest = hashlib.sha256()
        self._down_until = world.first
        self._post_down_until = world.first
        self._sweeps = 0
        # Some offices switch their machine off on many days.
        self._rests = self.random.choice((0.0, 0.5, 0.7, 0.8))

    # ---- days ------------------------------------------------------------------------------------

    def live(self, length: int = LENGTH) -> None:
        """That many days, and then quiet days and the last look. Raises Violation."""
        with self.world.lived_in():
            self.world.found()
            self.seen = Seen(self.world)
            self.people = People(self.seen)
            self.incidents = Incidents(self.seen, self.people)
            self.seen.look()
            with self.world.crashes.watching():
                for ahead in range(length):
                    self.day(self.world.first + timedelta(ahead))
                self._quiet_days(length)
            self.seen.book.close()

    def day(self, today: date) -> None:
        """One day of it."""
        if not self._up(today):
            return
        self._run("sweep", flows.obligation.sweep_deadlines.fn)
        touched = self._asked_for(0.15)
        if self.world.days.works(today):
            self._working_day(touched)
        elif self.random.random() < 0.1:
            self._deliver(time(12))
        self._around_the_clock()
        if self.world.clock.wrong == timedelta():  # by the right clock, that is
            hold(self.seen, invariants.DAY)
        if today.day == 1:
            hold(self.seen, (drawn.sealed_draws_stay,))

    def _up(self, today: date) -> bool:
        """Whether anything runs today."""
        if today < self._down_until or self.random.random() < self._rests:
            return False
        if self.random.random() < 0.006:
            self._down_until = today + timedelta(self.random.choice((1, 1, 2, 3, 5, 10, 40)))
            self._note(f"down until {self._down_until}")
            return False
        self._weather(today)
        # Where nobody owes anything, nobody notices that nothing runs.
        owed = any(is_open(row) for row in self.seen.owed.values())
        return owed or self.random.random() < 0.1

    def _working_day(self, touched: set[str]) -> None:
        world = self.world
        if self.random.random() < 0.02 and world.days.works(world.clock.now().date()):
            self._run("late sweep", lambda: flows.obligation.sweep_deadlines.fn(_eve(world)))
        world.clock.to(time(9, 30))
        today = world.clock.now().date()
        for act in chain(list(self.people.acts(today)), self.incidents.acts(today)):
            touched |= self._act(act)
            if self.random.random() < 0.05:
                touched = self._pass(touched)
        world.clock.to(time(14))
        self._pass(touched)
        if self.random.random() < 0.25:
            self._deliver(time(16))

    def _around_the_clock(self) -> None:
        """Suspected crimes are dealt with on any day; while there are any, mails go out hourly."""
        for hour in (11, 18, 23):
            if not any(row["started_at"] and is_open(row) for row in self.seen.owed.values()):
                return
            self.world.clock.to(time(hour, 40))
            for act in list(self.incidents.crimes.dealt_with(self.world.clock.now())):
                self._act(act)
            self._deliver(time(hour, 50))

    def _weather(self, today: date) -> None:
        """The faults of the day."""
        world, random = self.world, self.random
        chance = random.random()
        wrong = timedelta(days=-1) if chance < 0.006 else timedelta(hours=-1) * (chance < 0.015)
        world.clock.begin(today, wrong)
        if wrong:
            self._note(f"the clock is wrong by {wrong}")
        if random.random() < 0.012:
            self._post_down_until = today + timedelta(random.randint(1, 6))
        world.post.down = today < self._post_down_until
        if random.random() < 0.09:
            world.crashes.arm(random.randint(1, 40), random.random() < 0.5)
        else:
            world.crashes.disarm()

    def _asked_for(self, chance: float) -> set[str]:
        """The rounds for which the sweep asked for a pass; of each request many get lost."""
        asked = sorted(set(self.world.requests))
        self.world.requests.clear()
        open_today = {
            row["code"] for row in self.seen.rows("SELECT code FROM round WHERE opened_on IS NULL")
        }
        self._pass({code for code in asked if code in open_today})
        return {code for code in asked if self.random.random() < chance} - open_today

    # ---- steps -----------------------------------------------------------------------------------

    def _pass(self, codes: set[str]) -> set[str]:
        for code in sorted(codes):
            late = self.random.random() < 0.01 and self.world.days.works(self.world.clock.day)
            given = (code, _eve(self.world)) if late else (code,)
            self._run(f"pass {code}", lambda given=given: flows.round.run_round.fn(*given))
        return set()

    def _deliver(self, at: time) -> None:
        self.world.clock.to(at)
        self._run("deliver", flows.obligation.deliver_outbox.fn)
        self._pass(set(self.world.requests))
        self.world.requests.clear()

    def _act(self, act: Act) -> set[str]:
        """One entry; the rounds that are concerned."""
        before = self._kept() if act.wrong else None
        done = self._run(act.name, lambda: act.do(self.world.clock.now()))
        if act.wrong and before is not None and not isinstance(done, (BaseException, Crashed)):
            raise Violation("An entry that cannot stand is refused.", [act.name])
        if act.wrong and before != self._kept():
            raise Violation("An entry that is refused leaves nothing behind.", [act.name])
        if isinstance(done, str) and done in self._codes():
            return {done}
        return set(done) if isinstance(done, set) else set()

    def _codes(self) -> set[str]:
        return {row["code"] for row in self.seen.rows("SELECT code FROM round")}

    def _kept(self) -> Any:
        """Everything but the ledger, which keeps refusals too, and the passes and their mails."""
        tables = self.seen.tables()
        del tables["ledger"]
        return tables

    def _run(self, name: str, do: Callable[[], Any]) -> Any:
        """One step to its end, its refusal or its death; then what must hold is looked at."""
        self.counts["events"] += 1
        done: Any = None
        said = "done"
        try:
            done = do()
        except Crash:
            said = "dies"
        except (*REFUSALS, PlanRefused) as refused:
            done, said = refused, f"refused: {refused}"
        if self.world.crashes.buried():
            done, said = Crashed(), "dies"
        self._note(f"{name}: {said}{self._told(done)}")
        self.seen.look()
        hold(self.seen, invariants.STEP)
        [(sweeps,)] = self.seen.book.execute("SELECT count(*) FROM sweep").fetchall()
        if sweeps > self._sweeps:
            self._sweeps = sweeps
            hold(self.seen, invariants.SWEPT)
        if name in ("sweep", "deliver") and said == "done":
            hold(self.seen, invariants.DELIVERED)
        return done

    @staticmethod
    def _told(done: Any) -> str:
        return f" ({done.name}: {done.message})" if hasattr(done, "message") else ""

    def _note(self, line: str) -> None:
        line = f"{self.world.clock.now():%Y-%m-%d %H:%M} {line}"
        self._digest.update(f"{line}\n".encode())
        self.log.append(line)
        if self._trace:
            self._trace(line)

    # ---- the end ---------------------------------------------------------------------------------

    def _quiet_days(self, length: int) -> None:
        """A week in which everything works and nobody acts: then nothing is left to be done."""
        world = self.world
        world.crashes.disarm()
        world.post.down, world.post.trouble = False, 0.0
        for ahead in range(length, length + 7):
            world.clock.begin(world.first + timedelta(ahead), timedelta())
            self._run("sweep", flows.obligation.sweep_deadlines.fn)
            if ahead % 3 == 0:
                self._pass(set(world.requests))
            world.requests.clear()
            self._deliver(time(20))
            hold(self.seen, invariants.DAY)
        hold(self.seen, (published.corrections_reach_the_public,))
        for hour in (21, 22, 22):  # what a pass leads to, the next sweep may tell
            before = self._settled()
            world.clock.to(time(hour))
            self._run("sweep", flows.obligation.sweep_deadlines.fn)
            self._pass({row["code"] for row in self.seen.rows(*ROUNDS)})
            self._deliver(time(hour, 30))
        after = self._settled()
        changed = [
            f"{table} {row}" for table in before for row in set(after[table]) - set(before[table])
        ]
        if changed:
            raise Violation("A sweep and a pass repeated change nothing.", changed)
        hold(self.seen, invariants.END)
        for table, rows in after.items():
            self._digest.update(f"{table} {rows!r}\n".encode())
        self.counts["alerts"] = len(after["alert"])
        self.counts["mails"] = len(world.post.accepted)
        self.counts["crashes"] = world.crashes.count

    def _settled(self) -> Any:
        tables = self.seen.tables()
        for counted in ("pass", "sweep", "alembic_version"):
            tables.pop(counted)
        # A draw that cannot be frozen says so at each try.
        tables["ledger"] = [row for row in tables["ledger"] if "抽取受阻" not in row]
        rounds = "SELECT id, code, opens_on, opened_on, closed_on, outcome, version FROM round"
        tables["round"] = [tuple(row) for row in self.seen.book.execute(rounds)]
        return tables

    @property
    def digest(self) -> str:
        """Of everything that happened, and of every row that there is at the end."""
        return self._digest.hexdigest()


class Crashed:
    """What a step gives that died."""


def _eve(world: World) -> date:
    return world.clock.now().date() - timedelta(1)
