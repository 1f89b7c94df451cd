"""The board's strip: rounds by stages, as an SVG picture inside Markdown.

Prefect's pages drop HTML and styles but show an image, which knows nothing of the page's light or
dark theme: so every colour holds on both, and none says anything that the words do not.
"""

from base64 import b64encode
from collections.abc import Sequence
from html import escape

from models.board import Board, Cell, CellState, RoundLine
from models.plan import DUTY_NAMES, Duty

# Not in the course of every round: a column only where some round has one.
EXCEPTIONAL: frozenset[Duty] = frozenset(
    {"public_value", "report_refusal", "crime_decide", "crime_transfer", "republish"}
)
LABEL, CELL, ROW, HEAD, GAP = 80, 74, 46, 24, 4
# Fill, and the sign beside the words. White text has a contrast of 4.5 and more on each fill; each
# fill has 3 and more on white and on near black.
LOOKS: dict[CellState, tuple[str, str]] = {
    "none": ("#6e7781", "·"),
    "done": ("#1f7a3d", "✓"),
    "open": ("#2f6fbd", "●"),
    "soon": ("#96690a", "◷"),
    "overdue": ("#c4302b", "▲"),
}
NAMES: dict[CellState, str] = {
    "none": "未到",
    "done": "已完成",
    "open": "进行中",
    "soon": "临期",
    "overdue": "逾期",
}
_GREY = "#7a828e"  # legible on white and on black
_FONT = "'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',system-ui,sans-serif"


def image(board: Board) -> str:
    """The strip as a Markdown image; its alternative text says the same in words."""
    picture = b64encode(svg(board.rounds).encode()).decode()
    return f"![{described(board.rounds)}](data:image/svg+xml;base64,{picture})"


def described(rounds: Sequence[RoundLine]) -> str:
    """The strip in words: every stage that has begun."""
    return "；".join(
        f"{one.code}：" + "，".join(_words(cell) for cell in one.cells if cell.state != "none")
        for one in rounds
    )


def _words(cell: Cell) -> str:
    return f"{DUTY_NAMES[cell.duty]} {cell.done}/{cell.total} {cell.note}"


def svg(rounds: Sequence[RoundLine]) -> str:
    """The strip itself."""
    duties = _columns(rounds)
    width = LABEL + CELL * len(duties)
    height = HEAD + ROW * len(rounds) + 26
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="{_FONT}" font-size="12">',
        "<defs>",
        # Patterns for those who do not see the colours, and for black-and-white print.
        '<pattern id="overdue" width="8" height="8" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="3" height="8" fill="#fff" opacity=".16"/>'
        "</pattern>",
        '<pattern id="soon" width="8" height="8" patternUnits="userSpaceOnUse">'
        '<circle cx="2" cy="2" r="1.3" fill="#fff" opacity=".28"/></pattern>',
        "</defs>",
    ]
    for at, duty in enumerate(duties):
        parts.append(_text(LABEL + at * CELL + CELL / 2, 16, DUTY_NAMES[duty], _GREY, "middle"))
    for at, one in enumerate(rounds):
        parts += _row(one, HEAD + at * ROW, duties)
    parts += _legend(height - 8, width)
    return "".join([*parts, "</svg>"])


def _columns(rounds: Sequence[RoundLine]) -> list[Duty]:
    begun = {cell.duty for one in rounds for cell in one.cells if cell.total}
    return [duty for duty in DUTY_NAMES if duty in begun or duty not in EXCEPTIONAL]


def _row(one: RoundLine, top: int, duties: Sequence[Duty]) -> list[str]:
    state = f"{one.outcome} {one.closed_on:%m-%d}" if one.closed_on else "进行中"
    if all(cell.state in ("none", "open") and not cell.done for cell in one.cells):
        state = "未开始"
    parts = [
        _text(2, top + 20, one.code, _GREY, "start", 13, bold=True),
        _text(2, top + 37, state, _GREY, "start", 11),
    ]
    for at, cell in enumerate(cell for cell in one.cells if cell.duty in duties):
        left = LABEL + at * CELL
        fill, sign = LOOKS[cell.state]
        box = f'x="{left + GAP / 2}" y="{top + GAP / 2}" width="{CELL - GAP}" height="{ROW - GAP}"'
        parts.append(f'<rect {box} rx="6" fill="{fill}"/>')
        if cell.state in ("overdue", "soon"):
            parts.append(f'<rect {box} rx="6" fill="url(#{cell.state})"/>')
        middle = left + CELL / 2
        count = f"{sign} {cell.done}/{cell.total}" if cell.total else sign
        parts.append(_text(middle, top + 20, count, "#fff", "middle", 13, bold=True))
        parts.append(_text(middle, top + 37, cell.note, "#fff", "middle", 11))
    return parts


def _legend(top: int, width: int) -> list[str]:
    parts = []
    for at, (state, name) in enumerate(NAMES.items()):
        fill, sign = LOOKS[state]
        left = LABEL + at * 84
        parts.append(
            f'<rect x="{left + 2}" y="{top - 11}" width="14" height="14" rx="3" fill="{fill}"/>'
        )
        parts.append(_text(left + 20, top, f"{sign} {name}", _GREY, "start", 11))
    parts.append(_text(width - 2, top, "已办/应办；日指工作日", _GREY, "end", 11))
    return parts


def _text(
    x: float, y: float, text: str, fill: str, anchor: str, size: int = 12, bold: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{fill}" text-anchor="{anchor}" '
        f'font-size="{size}"{weight}>{escape(text)}</text>'
    )
