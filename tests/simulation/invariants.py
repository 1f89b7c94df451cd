"""What must hold of an office at any time, each a function that yields what does not hold.

The docstring is the statement. Nothing there calls a rule of the office: what is due is recomputed
in the simplest way, from the tables and tests/data alone. Here they stand by when they must hold.
"""

import clocked
import drawn
import mailed
import owed
import published
import told
from holding import Invariant, Violation, hold

__all__ = ["DAY", "DELIVERED", "END", "STEP", "SWEPT", "Violation", "hold"]

# After every step.
STEP: tuple[Invariant, ...] = (
    owed.due_days_move_with_an_entry,
    owed.duties_end_with_an_entry,
    owed.nothing_missed_is_forgotten,
    told.alerts_come_on_their_day,
    clocked.urgent_alerts_come_at_their_minute,
    told.alerts_reach_somebody,
    told.who_is_away_is_told_nothing,
    told.no_level_is_told_twice,
    mailed.digests_tell_what_is_open,
    drawn.draws_are_sealed_once,
    mailed.mails_go_out_on_working_days,
    clocked.crimes_have_their_duties,
)
# After every finished sweep of a working day.
SWEPT: tuple[Invariant, ...] = (
    told.every_level_is_accounted_for,
    told.what_is_skipped_was_overtaken,
    owed.nothing_rests_longer_than_granted,
    published.corrections_of_what_is_public_are_owed,
)
# After every finished delivery, also on days off.
DELIVERED: tuple[Invariant, ...] = (
    clocked.every_urgent_level_is_accounted_for,
    mailed.urgent_mails_wait_for_no_working_day,
)
# At the end of every day.
DAY: tuple[Invariant, ...] = (
    owed.every_duty_has_an_owner,
    owed.every_duty_is_looked_at_again,
    published.closed_rounds_are_done,
    owed.due_days_are_counted_right,
    clocked.due_minutes_are_counted_right,
    mailed.what_is_still_owed_was_told,
    mailed.one_digest_a_day,
    mailed.repeats_are_the_same_mail,
    published.what_was_public_stays,
    published.refusals_are_to_be_reported,
)
# At the end of everything.
END: tuple[Invariant, ...] = (
    drawn.sealed_draws_stay,
    drawn.the_ledger_is_one_chain,
    mailed.every_mail_arrived_or_shows_why,
    mailed.one_mail_a_key,
    mailed.what_is_told_has_a_mail,
    drawn.draws_can_be_recomputed,
    owed.the_board_shows_what_is_over,
    drawn.nobody_is_warned,
    drawn.alternates_stand_in_for_the_closed,
    published.closed_rounds_are_whole,
    published.corrections_reach_the_public,
)
