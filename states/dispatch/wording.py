"""The words of a dispatch as a search knows them: which values are keys or marks, what tells cases apart, what reports them."""

from states.dispatch.labels import CHOICES, LABELS
from states.terms import Wording

# Written by acts: persons by their ids, days in ISO, states, codes.
_MARKS = frozenset(
    {
        "by", "asked_by", "entered_by", "filed_by", "answered_by", "on", "asked_on", "replied_on", "received_on", "returned_on",
        "filed_on", "answered_on", "ratified_on", "resumed_on", "review_on", "asked_from", "back", "end", "of", "office_code", "codes",
        "conclusion", "reply", "answer", "covers", "people", "paper", "days", "until", "from", "to",
    }
)  # fmt: skip

WORDING = Wording(LABELS, CHOICES, _MARKS, kind="request.ground", reports=frozenset({"report", "result", "evaluation"}))
