"""A plan's file: read as TOML, its faults told in Chinese."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError


class PlanRefused(ValueError):
    """A plan that does not hold; the message is one Chinese line naming file, place and fault."""


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a plan's file. Raises PlanRefused where it cannot be read as TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanRefused(f"{path.name}：读不到计划文件（{error.strerror}）") from error
    except UnicodeDecodeError as error:
        raise PlanRefused(f"{path.name}：计划文件须为 UTF-8 编码") from error
    except tomllib.TOMLDecodeError as error:
        raise PlanRefused(f"{path.name}：不是有效的 TOML（{error}）") from error


def in_chinese(error: ValidationError) -> str:
    """Every fault that pydantic found, in one line."""
    return "；".join(_chinese(problem) for problem in error.errors())


def _chinese(problem: Any) -> str:
    """One fault of pydantic's in Chinese."""
    place = ".".join(str(step) for step in problem["loc"]) or "全文"
    context = problem.get("ctx", {})
    fixed = {
        "extra_forbidden": "不认识的项，请检查拼写",
        "missing": "缺少这一项",
        "value_error": str(context.get("error", "")),
        "string_pattern_mismatch": "格式不对",
        "literal_error": f"只能是 {context.get('expected', '').replace(' or ', ' 或 ')}",
        "greater_than_equal": f"不能小于 {context.get('ge')}",
        "less_than_equal": f"不能大于 {context.get('le')}",
        "greater_than": f"须大于 {context.get('gt')}",
    }
    return f"{place}：{fixed.get(problem['type'], '类型或格式不对')}"
