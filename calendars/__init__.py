"""Working days, holiday notices, terms and deadlines: pure functions of plain dates."""

from calendars.calendar import LocalClosure, NotCovered, WorkingCalendar
from calendars.day import SHANGHAI, DayNote, shanghai_day, weekday_of
from calendars.deadline import Deadline, Grant, explain
from calendars.notice import HolidayNotice, check_notice, may_import, parse_notice
from calendars.reminder import alert_base, notice_reminder
from calendars.term import Extension, Suspension, Term, Unit, refusal

__all__ = [
    "SHANGHAI",
    "DayNote",
    "Deadline",
    "Extension",
    "Grant",
    "HolidayNotice",
    "LocalClosure",
    "NotCovered",
    "Suspension",
    "Term",
    "Unit",
    "WorkingCalendar",
    "alert_base",
    "check_notice",
    "explain",
    "may_import",
    "notice_reminder",
    "parse_notice",
    "refusal",
    "shanghai_day",
    "weekday_of",
]
