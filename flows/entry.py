"""What all forms share: an entry stands and a pass follows, or it is sent back with the reason."""

import inspect
import re
from collections.abc import Callable, Collection, Iterable
from functools import wraps
from typing import Any, ParamSpec

from prefect import Flow, flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.runtime import flow_run
from prefect.settings import PREFECT_UI_URL
from prefect.states import Completed, Failed
from prefect.utilities.callables import parameter_docstrings
from pydantic import ValidationError, validate_call

from flows.board_page import text
from flows.links import Links
from flows.stage import ask_for_pass
from models.entry import EntryRefused, in_chinese
from models.freeze import DrawRefused
from models.registers import RegisterError
from tasks.round import UnknownRound

P = ParamSpec("P")

SENT_BACK = "退回补正"
# What a person can put right; anything else is a fault of ours and crashes the run.
REFUSALS = (EntryRefused, DrawRefused, RegisterError, UnknownRound)
# Stands for a field that nobody filled in.
BLANK = None


def form(
    name: str, run_name: str = "", private: Collection[str] = ()
) -> Callable[[Callable[P, State[Any]]], Flow[P, State[Any]]]:
    """A flow that people fill in. What does not fit its fields is sent back in Chinese as well.

    `private`: fields, by name and label, that Prefect is not to keep: whoever sees the UI would.

    Prefect's own check would end the run with an English message, so the check is made within it.
    In the docstring's `Args:`, the words before the first ， or ； are a field's label.
    """

    def made(function: Callable[P, State[Any]]) -> Flow[P, State[Any]]:
        checked: Callable[..., State[Any]] = validate_call(function)
        signature = inspect.signature(function)
        labels = {name: label for name, (label, _) in field_labels(function).items()}

        @wraps(function)
        def entry(*given: P.args, **named: P.kwargs) -> State[Any]:
            filled = signature.bind_partial(*given, **named).arguments
            if private:
                _forget(private)
            try:
                return checked(
                    **{name: value for name, value in filled.items() if value is not BLANK}
                )
            except ValidationError as error:
                return sent_back(in_chinese(error, labels))
            except REFUSALS as refused:
                return sent_back(str(refused))

        # Prefect is not to refuse what is left blank, which it would do in English.
        blanks = [
            field.replace(default=BLANK) if field.default is field.empty else field
            for field in signature.parameters.values()
        ]
        entry.__signature__ = signature.replace(parameters=blanks)  # type: ignore[attr-defined]
        decorated: Flow[P, State[Any]] = flow(
            name=name,
            flow_run_name=run_name or name,
            persist_result=False,
            validate_parameters=False,
        )(entry)
        return decorated

    return made


def _forget(private: Collection[str]) -> None:
    """Take the values of those fields out of what Prefect keeps of the current run."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    with get_client(sync_client=True) as client:
        kept = client.read_flow_run(context.flow_run.id).parameters
        context.flow_run.parameters = _without(kept, private)
        client.update_flow_run(context.flow_run.id, parameters=context.flow_run.parameters)


def _without(value: Any, private: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(one, private) for key, one in value.items() if key not in private}
    return [_without(one, private) for one in value] if isinstance(value, list) else value


def field_labels(function: Callable[..., Any]) -> dict[str, tuple[str, str]]:
    """The label and the help of each field, from the docstring's `Args:`."""
    found = {}
    for name, said in parameter_docstrings(inspect.getdoc(function)).items():
        label, *help = re.split("[，；]", " ".join(said.split()), maxsplit=1)
        found[name] = label, "".join(help)
    return found


def required_fields(function: Callable[..., Any]) -> list[str]:
    """The fields that must be filled in."""
    fields = inspect.signature(inspect.unwrap(function)).parameters
    return [name for name, field in fields.items() if field.default is field.empty]


def entered(rounds: Iterable[str]) -> State[Any]:
    """End as 已登记, after asking for a pass over each of the rounds concerned."""
    codes = sorted(rounds)
    for code in codes:
        ask_for_pass(code, f"entry:{flow_run.id}")
    return Completed(name="已登记", message="、".join(codes))


def sent_back(reason: str) -> State[Any]:
    """End as 退回补正 with the reason, and link to the form filled in as it was."""
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if context and context.flow and run and run.deployment_id:
        name = context.flow.name
        links = Links(str(PREFECT_UI_URL.value()).rstrip("/"), {name: str(run.deployment_id)})
        create_markdown_artifact(
            f"# {SENT_BACK} · {name}\n\n**{text(reason)}**\n\n没有登记任何内容。"
            f"[打开已填好的表单，改正后重新提交]({links.form(name, run.parameters)})",
            description=f"{SENT_BACK}：点开，回到已填好的表单",
        )
        reason += "。改正：打开本次运行的 Artifacts 页，从那里回到已填好的表单"
    return Failed(name=SENT_BACK, message=reason)
