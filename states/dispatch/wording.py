"""The words of a dispatch as a search knows them: which values are keys or marks, what tells cases apart, what reports them."""

from states.dispatch.labels import CHOICES, LABELS
from states.terms import Wording

# Written by acts: persons by their ids, days in ISO, states, codes.
_MARKS = frozenset(
    {
        "by", "asked_by", "entered_by", "filed_by", "answered_by", "on", "asked_on", "replied_on", "received_on", "returned_on",
        "filed_on", "answered_on", "ratified_on", "resumed_on", "review_on", "asked_from", "back", "end", "of", "office_code", "codes",
        "conclusion", "reply", "answer", "covers", "people", "paper", "days", "until", "from", "to", "marks",
    }
)  # fmt: skip

# What `rules.computed` counts.
_FIGURES = {
    "total_days": ("派遣の期間", "日間"), "business_days": ("そのうち営業日", "日"), "one_month_last_day": ("1か月以内に終わる最後の日", ""),
    "within_one_month": ("1か月以内に終わるか", ""), "holidays_in_period": ("期間中の休日", ""), "fiscal_years": ("かかる年度", "年度"),
    "crosses_fiscal_year": ("年度をまたぐか", ""), "staff": ("派遣職員", ""), "staff.#.role": ("職", ""), "staff.#.calendar_days": ("派遣する日", "日"),
    "staff.#.business_days": ("そのうち営業日", "日"), "staff.#.over_one_week": ("1週間を超えるか", ""), "staff.#.outside_period": ("期間の外の日があるか", ""),
}  # fmt: skip

WORDING = Wording(
    LABELS, CHOICES, _MARKS, kind="request.ground", reports=frozenset({"report", "result", "evaluation"}), figures=_FIGURES
)  # fmt: skip
