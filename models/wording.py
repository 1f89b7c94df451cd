"""How due days and minutes are told to people: in mails, on the board, in explanations."""

from datetime import date, datetime, timedelta

from calendars import SHANGHAI, WorkingCalendar
from calendars.day import shanghai_day, weekday_of
from models.obligation import Obligation

MINUTE = timedelta(minutes=1)


def named(day: date) -> str:
    """2024年7月1日（周一）."""
    return f"{day.year}年{day.month}月{day.day}日（{weekday_of(day)}）"


def named_minute(at: datetime) -> str:
    """2024年7月1日（周一）16时30分; midnight is 24时 of the day that it ends."""
    at = at.astimezone(SHANGHAI)
    if (at.hour, at.minute) == (0, 0):
        return f"{named((at - MINUTE).date())}24时"
    return f"{named(at.date())}{at.hour}时{at.minute:02}分"


def span(length: timedelta) -> str:
    """26 小时 5 分."""
    hours, minutes = divmod(length // MINUTE, 60)
    return " ".join([*([f"{hours} 小时"] if hours else []), f"{minutes} 分"])


def due(row: Obligation) -> str:
    """The day or the minute by which it is due."""
    if row.started_at is not None:
        return named_minute(row.due_at)
    return named(row.due_on) + ("（暂定）" if row.provisional else "")


def counted(row: Obligation) -> str:
    """How the due day was counted."""
    if row.hours is not None and row.started_at is not None:
        return f"{named_minute(row.started_at)}起算，{row.hours} 小时，休息日照计"
    if row.natural_days is not None:
        return (
            f"{named(row.started_on)}起算（当日不计），第 {row.natural_days} 日，"
            "休息日照计，末日不顺延"
        )
    if row.working_days is None:
        return "固定日期，不因休息日顺延"
    if row.working_days < 0:
        return f"{named(row.started_on)}之前第 {-row.working_days} 个工作日"
    return f"{named(row.started_on)}起算（当日不计），第 {row.working_days} 个工作日"


def days_over(due_on: date, on: date, calendar: WorkingCalendar) -> int:
    """Working days from the due day to a day after it; on a make-up day or not, the first is 1."""
    return max(1, calendar.provisional.count_working_days(due_on, on))


def lateness(row: Obligation, on: date, at: datetime, calendar: WorkingCalendar) -> str:
    """How late a duty is on that day or, by the clock, at that minute; empty where it is not."""
    if row.started_at is not None:
        over = at.replace(second=0, microsecond=0) - row.due_at
        return f"逾期 {span(over)}" if over > timedelta() else ""
    return f"逾期 {days_over(row.due_on, on, calendar)} 个工作日" if on > row.due_on else ""


def standing(row: Obligation, at: datetime, calendar: WorkingCalendar) -> str:
    """How many working days or, by the clock, hours and minutes are left or over."""
    today = shanghai_day(at)
    if late := lateness(row, today, at, calendar):
        return f"已{late}"
    if row.started_at is not None:
        return f"还剩 {span(row.due_at - at.replace(second=0, microsecond=0))}"
    if today == row.due_on:
        return "今天到期"
    left = calendar.provisional.count_working_days(today, row.due_on)
    return f"还剩 {left} 个工作日" if left else "今天是到期前最后一个工作日"


def urgency(row: Obligation, at: datetime) -> int:
    """0 ahead, 1 due today or, by the clock, within 24 hours, 2 over."""
    if row.started_at is not None:
        left = row.due_at - at.replace(second=0, microsecond=0)
        return 2 if left < timedelta() else 1 if left <= timedelta(hours=24) else 0
    today = shanghai_day(at)
    return 2 if today > row.due_on else 1 if today == row.due_on else 0
