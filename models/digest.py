"""The digest: a person's alerts of a day as one mail, in text and in HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from jinja2 import Environment, StrictUndefined

from calendars import WorkingCalendar
from calendars.day import shanghai_day
from models.obligation import Obligation
from models.plan import DUTY_NAMES, Plan
from models.wording import counted, due, named, named_minute, standing, urgency

NOTE = (
    "期限按国务院办公厅公布的节假日和调休安排计算，起算当日不计入；"
    "“暂定”指下一年度放假通知尚未公布，公布后自动重算。"
)

URGENT_NOTE = "本期限按自然日或小时计，休息日照计，到期不因休息日顺延；提醒随到随发，休息日也发。"

# Beyond so many, the rest is told in one line each: mail programs cut long mails off.
WHOLE = 40


@dataclass(frozen=True, slots=True)
class Item:
    """One duty as a digest tells it (事项)."""

    about: str
    duty: str
    level: str
    whose: str
    due: str
    counted: str
    standing: str
    urgency: int  # 0 ahead, 1 today, 2 over
    source: str
    consequence: str
    action: str
    where: str
    number: str
    calendar: str
    why: str

    @property
    def short(self) -> str:
        """The duty in one line."""
        return f"{self.standing}：{self.about}，{self.duty}，{self.due}到期，{self.number}"


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest's content (催办汇总)."""

    subject: str
    text: str
    html: str


def item(
    row: Obligation,
    plan: Plan,
    level: str,
    why: str,
    at: datetime,
    calendar: WorkingCalendar,
    where: str = "",
) -> Item:
    """The obligation as its mail tells it at that time; `level` is the newest one alerted."""
    term = next((term for term in plan.terms if term.duty == row.duty), None)
    office = plan.coordinator
    names = {department.code: department.name for department in plan.departments}
    department = names.get(row.department, row.department)
    reach = "，".join(filter(None, (office.phone and f"电话 {office.phone}", office.email)))
    return Item(
        about=row.about,
        duty=DUTY_NAMES.get(row.duty, row.duty),
        level=level,
        whose=f"{department} {row.person or '（尚无责任人）'}",
        due=due(row),
        counted=counted(row),
        standing=standing(row, at, calendar),
        urgency=urgency(row, at),
        source=row.source,
        consequence=term.consequence if term else "",
        action=term.action if term else "",
        where=where or f"填报或报送{office.name}（{reach}）",
        number=row.object,
        calendar=row.calendar_version,
        why=why,
    )


def render(name: str, at: datetime, issuer: str, items: Sequence[Item], ledger: str = "") -> Digest:
    """The digest of `items`, which come most overdue first; `ledger` says where the ledger ends."""
    today = shanghai_day(at)
    over, now, ahead = (sum(item.urgency == level for item in items) for level in (2, 1, 0))
    parts = ((over, "逾期"), (now, "今日到期"), (ahead, "即将到期"))
    summary = "，".join(f"{label} {number} 项" for number, label in parts if number)
    subject = f"【双随机催办】{summary}（{today.isoformat()}）"
    return _filled(subject, name, named(today), summary, issuer, items, NOTE, ledger)


def render_urgent(name: str, at: datetime, issuer: str, item: Item, ledger: str = "") -> Digest:
    """The mail of one urgent alert; its subject names no company."""
    summary = f"{item.duty}：{item.standing}"
    subject = f"【双随机紧急】{summary}（期限 {item.due}）"
    return _filled(subject, name, named_minute(at), summary, issuer, [item], URGENT_NOTE, ledger)


def _filled(
    subject: str,
    name: str,
    now: str,
    summary: str,
    issuer: str,
    items: Sequence[Item],
    note: str,
    ledger: str,
) -> Digest:
    values = {
        "name": name,
        "now": now,
        "summary": summary,
        "issuer": issuer,
        "items": items,
        "calendars": "、".join(dict.fromkeys(item.calendar for item in items)),
        "note": note,
        "ledger": ledger,
        "whole": WHOLE,
    }
    return Digest(subject, _TEXT.render(values), _HTML.render(values))


_TEXT = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
    """\
{{ name }}：

截至{{ now }}，您有以下期限事项：{{ summary }}。

{% for item in items[:whole] %}
{{ loop.index }}. 【{{ item.standing }}】{{ item.about }} — {{ item.duty }}（{{ item.level }}）
   到期日：{{ item.due }}
   计　算：{{ item.counted }}
   责　任：{{ item.whose }}
   依　据：{{ item.source }}{% if item.consequence %}；{{ item.consequence }}{% endif %}

   怎么办：{{ item.action }}
   在哪办：{{ item.where }}
   编　号：{{ item.number }}
{% if item.why %}
   说　明：{{ item.why }}
{% endif %}

{% endfor %}
{% if items[whole:] %}
另有 {{ items[whole:] | length }} 项：
{% for item in items[whole:] %}
{{ item.short }}
{% endfor %}

{% endif %}
{{ note }}
日历版本：{{ calendars }}
{% if ledger %}
台账末条：{{ ledger }}（请留存本邮件，凭此可查验台账未被删改）
{% endif %}
{{ issuer }}
本邮件由系统自动发出。
"""
)

# Mail clients know no style sheets, so each element carries its own style.
_STYLES = {
    "page": "margin:0;padding:0;background:#f2f4f7;",
    "body": "max-width:640px;color:#1f2937;font-size:15px;line-height:1.6;"
    "font-family:'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;",
    "card": "background:#ffffff;border:1px solid #dde1e7;border-radius:6px;",
    "badge": "display:inline-block;font-weight:bold;padding:1px 10px;border-radius:4px;",
    "level": "color:#6b7280;font-size:13px;white-space:nowrap;",
    "about": "font-size:17px;font-weight:bold;margin:8px 0 2px;",
    "label": "color:#6b7280;padding:1px 12px 1px 0;white-space:nowrap;",
    "value": "padding:1px 0;word-break:break-word;",
    "foot": "padding:4px 8px;color:#6b7280;font-size:12px;",
}
_COLOURS = ("#1d4ed8", "#b45309", "#b91c1c")
_TINTS = ("#eff4ff", "#fff7e6", "#fdeeee")

_HTML_PAGE = Environment(
    autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_HTML_PAGE.globals.update(style=_STYLES, colours=_COLOURS, tints=_TINTS)
_HTML = _HTML_PAGE.from_string(
    """\
{% macro table(style="") %}
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="{{ style }}">
{{ caller() }}</table>
{% endmacro %}
{% macro line(label, value, more="") %}
{% if value %}
<tr><td valign="top" style="{{ style.label }}">{{ label }}</td>
<td width="100%" style="{{ style.value }}{{ more }}">{{ value }}</td></tr>
{% endif %}
{% endmacro %}
<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>双随机催办</title>
</head>
<body style="{{ style.page }}">
{% call table(style.page) %}
<tr><td align="center" style="padding:16px 8px;">
{% call table(style.body) %}
<tr><td style="padding:4px 8px 12px;">
<div style="font-size:20px;font-weight:bold;">{{ summary }}</div>
<div style="color:#4b5563;">{{ name }}，截至{{ now }}，您有以下期限事项。</div>
</td></tr>
{% for item in items[:whole] %}
<tr><td style="padding:0 0 12px;">
{% set colour, tint = colours[item.urgency], tints[item.urgency] %}
{% call table(style.card ~ "border-left:5px solid " ~ colour ~ ";") %}
<tr><td style="padding:14px 16px;">
<span style="{{ style.badge }}background:{{ tint }};color:{{ colour }};">{{ item.standing }}</span>
<span style="{{ style.level }}">&ensp;{{ item.level }}</span>
<div style="{{ style.about }}">{{ item.about }}</div>
<div style="margin:0 0 8px;"><b>{{ item.duty }}</b>：{{ item.action }}</div>
{% call table("font-size:14px;") %}
{{ line("到期", item.due, "font-weight:bold;") }}
{{- line("计算", item.counted) }}
{{- line("责任", item.whose) }}
{{- line("依据", item.source) }}
{{- line("后果", item.consequence) }}
{{- line("办理", item.where) }}
{{- line("编号", item.number) }}
{{- line("说明", item.why) -}}
{% endcall %}
</td></tr>
{% endcall %}
</td></tr>
{% endfor %}
{% if items[whole:] %}
<tr><td style="padding:0 8px 12px;"><b>另有 {{ items[whole:] | length }} 项</b>
{% for item in items[whole:] %}
<div style="font-size:13px;">{{ item.short }}</div>
{% endfor %}
</td></tr>
{% endif %}
<tr><td style="{{ style.foot }}">
{{ note }}<br>
日历版本：<span style="word-break:break-all;">{{ calendars }}</span><br>
{% if ledger %}
台账末条：<span style="word-break:break-all;">{{ ledger }}</span>
（请留存本邮件，凭此可查验台账未被删改）<br>
{% endif %}
{{ issuer }}<br>本邮件由系统自动发出。
</td></tr>
{% endcall %}
</td></tr>
{% endcall %}
</body>
</html>
"""
)
