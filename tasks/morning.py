"""What each morning looks after before the deadlines are swept, in this order."""

from collections.abc import Callable, Mapping
from datetime import datetime

from tasks.duty import update_all_duties
from tasks.grant import remind_approvers
from tasks.holiday import ask_for_notice

MORNING: Mapping[str, Callable[[datetime], object]] = {
    "期限": update_all_duties,
    "索取放假通知": ask_for_notice,
    "提醒批准人": remind_approvers,
}
