"""The forms as they are served: their labels, their help, and what the plans offer to choose."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prefect import Flow
from prefect.deployments.runner import RunnerDeployment

from flows.entry import field_labels, required_fields
from models.leave import OFFICE
from models.plan import Plan

# For rehearsals, commands and tests; nobody fills it in.
HIDDEN = "as_of"


def offered(plans: Sequence[Plan]) -> dict[str, list[str]]:
    """What a field of that label is chosen from, by the plans; `models.record` knows the code."""
    departments = _each(one.name for plan in plans for one in plan.departments)
    return {
        "轮次代码": [plan.round_code(planned.number) for plan in plans for planned in plan.rounds],
        "部门": departments,
        "所在部门": [*departments, OFFICE] if departments else [],
        "抽查事项": _each(f"{one.code} {one.name}" for plan in plans for one in plan.items),
        "检查结果": _each(f"({one.code}) {one.text}" for plan in plans for one in plan.results),
    }


def _each(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def label(
    made: RunnerDeployment, flow: Flow[Any, Any], choices: Mapping[str, Sequence[str]]
) -> None:
    """Give the form Chinese labels and choices, and leave out what nobody fills in.

    Prefect titles each field by its parameter's name, after any title of ours.
    """
    schema = made._parameter_openapi_schema
    fields = schema.properties
    fields.pop(HIDDEN, None)
    schema.required = required_fields(flow.fn)
    for name in schema.required:
        fields[name].pop("default", None)
    for name, (title, help) in field_labels(flow.fn).items():
        if name in fields:
            fields[name] |= {"title": title, "description": help}
    parts = [fields, *(model.get("properties", {}) for model in schema.definitions.values())]
    for part in parts:
        for field in part.values():
            if choices.get(field.get("title", "")):
                _choose(field, choices[field["title"]])


def _choose(field: dict[str, Any], choices: Sequence[str]) -> None:
    for bound in ("minimum", "maximum", "minLength"):
        field.pop(bound, None)
    field |= {"type": "string", "enum": list(choices)}
