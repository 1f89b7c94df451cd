"""Makes passes in processes of their own, which may be told to die in the middle. Not a test.

Reads batches of jobs from standard input, one JSON list a line, and answers each with a list of
exit statuses (-9 where the job killed itself). All jobs of a batch run at the same time. A job:

    home, database   the office's folder and the URL of its database
    code, at         the round, and the moment of the pass (ISO 8601, with its zone)
    kind             `pass`: as run_round makes it, but outside Prefect; `sweep`: the same of
                     sweep_deadlines, `deliver` of deliver_outbox; `flow`: run_round itself, on the
                     server of the environment; `warm`: a pass in the process that all others are
                     forked from
    kill             null, or where to die: [event, n]: SIGKILL at the n-th `before` a commit,
                     `after` one, or `rename` of a finished file into its place

The flows are imported once, and forked: an import would cost more than a pass.
"""

import gc
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from prefect.tasks import Task
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

import flows.obligation
import flows.round
from models.database import engine_for


def main() -> None:
    for line in sys.stdin:
        start, go = os.pipe()
        jobs = json.loads(line)
        if jobs and jobs[0]["kind"] == "warm":
            _warm(jobs[0])
            jobs = []
        children = [_fork(job, start, go) for job in jobs]
        os.close(start)
        os.close(go)  # every child reads the end of this pipe at the same instant
        statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        sys.stdout.write(json.dumps(statuses) + "\n")
        sys.stdout.flush()


def _warm(job: dict[str, Any]) -> None:
    """Fill the caches that hold no data: compiled templates and queries."""
    _settle_in(job)
    _run(job)
    engine_for(os.environ["SHUANGSUIJI_DATABASE_URL"]).dispose()
    gc.collect()
    gc.freeze()  # or every child would copy all of the memory that it only looks at


def _settle_in(job: dict[str, Any]) -> None:
    os.environ["SHUANGSUIJI_HOME"] = job["home"]
    os.environ["SHUANGSUIJI_DATABASE_URL"] = job["database"]
    if job["database"].startswith("sqlite"):
        # By one name for all, whose engine was forked together with its compiled queries.
        os.chdir(job["home"])
        os.environ["SHUANGSUIJI_DATABASE_URL"] = "sqlite:///file:shuangsuiji.db?uri=true"


def _fork(job: dict[str, Any], start: int, go: int) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.close(go)
        _settle_in(job)
        counted = _count(job.get("kill"), Path(job["home"]) / "counted.json")
        os.read(start, 1)
        _run(job)
        counted()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _count(kill: Any, file: Path) -> Any:
    """Count the events at which a job can die, and die at the one asked for."""
    counts = {"before": 0, "after": 0, "rename": 0}

    def reached(what: str) -> None:
        counts[what] += 1
        if kill == [what, counts[what]]:
            os.kill(os.getpid(), signal.SIGKILL)

    def audited(name: str, arguments: Any) -> None:
        if name == "os.rename" and "prefect" not in str(arguments[1]):
            reached("rename")

    event.listen(Engine, "commit", lambda _: reached("before"))
    event.listen(Session, "after_commit", lambda _: reached("after"))
    sys.addaudithook(audited)
    return lambda: file.write_text(json.dumps(counts))


def _run(job: dict[str, Any]) -> None:
    at = datetime.fromisoformat(job["at"])
    if job["kind"] == "flow":
        _on_the_server(job["code"], at)
        return
    with outside_prefect(lambda *_: at):
        if job["kind"] == "sweep":
            flows.obligation.sweep_deadlines.fn(at.date())
        elif job["kind"] == "deliver":
            flows.obligation.deliver_outbox.fn()
        else:
            flows.round.run_round.fn(job["code"], at.date())


@contextmanager
def outside_prefect(moment: Callable[..., datetime]) -> Iterator[None]:
    """The flows' own steps in their own order, as plain functions, at moments of our choice."""
    with ExitStack() as patches:
        for module in (flows.round, flows.obligation):
            for name, value in list(vars(module).items()):
                if isinstance(value, Task):
                    patches.enter_context(patch.object(module, name, value.fn))
                elif isinstance(value, list):
                    plain = [each.fn for each in value if isinstance(each, Task)]
                    patches.enter_context(patch.object(module, name, plain))
                elif name.startswith("show"):
                    patches.enter_context(patch.object(module, name))
            patches.enter_context(patch.object(module, "moment", moment))
        yield


def _on_the_server(code: str, at: datetime) -> None:
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        flows.round.run_round(code, at.date(), return_state=True)


if __name__ == "__main__":
    main()
