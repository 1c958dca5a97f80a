"""What a dispatch tells to who is about to visit the place: what was asked, what was promised, what was said of it; and what goes on from it."""

from collections.abc import Mapping, Sequence
from typing import Any

from states.dates import month_day
from states.dispatch import derived, situation
from states.dispatch.form import Form
from states.dispatch.labels import GRADES
from states.terms import Brief, Derive, Facts, Promise

_ENDED_BEFORE = situation.NEVER_WENT


def _voice(read: Form) -> str:
    return read.request.purpose.strip() if read.request.on_request else ""


def _promises(read: Form, state: str) -> Sequence[Promise]:
    """That staff go on the decided days."""
    if read.decision.conclusion != "approved":
        return ()
    span = read.request.period.span
    days = f"({month_day(span[0])}から{month_day(span[1])}まで)" if span else ""
    return [
        Promise(
            f"職員を派遣する{days}: {read.request.title.strip()}", "bureau", span[1] if span else None,
            kept=state in ("awaiting_report", "reported"), dropped=state in _ENDED_BEFORE,
        )
    ]  # fmt: skip


def _heard(read: Form) -> str:
    """The municipality's own words, else what was left to do."""
    said = read.evaluation.text.strip()
    if not said and read.evaluation.grade not in ("", "none"):
        return GRADES[read.evaluation.grade]
    return said or read.result.follow_up.strip()


BRIEF = Brief(_voice, _promises, _heard)


def _goes_on(facts: Facts) -> Mapping[str, Any]:
    """The director's own dispatch for what a finished one left to do; its ground is for people to choose."""
    read: Form = facts.read
    left = "\n".join(filter(None, (read.result.issues.strip(), read.result.follow_up.strip())))
    return derived.draft(
        facts, "", title=read.request.title, purpose=left, place=situation.place(facts.form), source=f"前の派遣 {facts.number}",
    )  # fmt: skip


DERIVES = (
    Derive(
        "next", "残った課題から次の派遣を起こす", frozenset({"bureau", "director"}), ("reported",), "dispatch", "director", _goes_on,
        effect="局長の判断による派遣の下書きができます。町、件名、残った課題を書き入れます",
    ),
)  # fmt: skip
