"""What headquarters answers, what its answer was about, and the conditions that go on as cases of their own."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from states.dates import read_date, wareki
from states.dispatch import situation
from states.dispatch.change import as_proposed
from states.dispatch.form import Form
from states.dispatch.labels import OWNERS, STEPS_THAT_WAIT
from states.terms import Child, Facts, Guard, Verdict, block, guard
from states.text import visible

CONDITION = "condition"  # the process of its child cases


def about(facts: Facts) -> str:
    """The group that holds the question: a change has one of its own, so that the earlier answer stands meanwhile."""
    return "change_consultation" if facts.state in situation.CHANGING else "consultation"


def asked(facts: Facts) -> Mapping[str, Any]:
    """A new question; conditions of an earlier answer go on as the cases that they became."""
    blank = {"reply": "", "replied_on": "", "conditions": "", "reason": "", "covers": {}}
    earlier: dict[str, Any] = {"conditions": {"items": []}} if facts.read.conditions.items else {}
    return {about(facts): {"asked_from": facts.state, **blank}, **earlier}


def asked_from(state: str) -> Any:
    """Whether headquarters answers to that state; where the question was erased, to where the case's origin begins."""

    def returns(facts: Facts) -> bool:
        if facts.state in situation.CHANGING:
            return state == "change_judgement"
        kept = (facts.form.get("consultation") or {}).get("asked_from")
        return bool(state == (kept or ("municipal_request" if situation.on_request(facts) else "director_judgement")))

    return returns


def replied(reply: str) -> Any:
    """The answer, with the period and the persons that it was about."""

    def record(facts: Facts) -> Mapping[str, Any]:
        form: Form = (as_proposed(facts) if facts.state in situation.CHANGING else facts).read
        span = form.request.period.span
        covers = {
            "period": [day.isoformat() for day in span or ()],
            "people": sorted({m.person for m in form.team.members if m.person}),
        }
        return {about(facts): {"reply": reply, "replied_on": facts.today.isoformat(), "covers": covers}}

    return record


@guard(None)
def conditions_written(facts: Facts) -> Iterator[Verdict]:
    """A condition says what, of whom, by when, and what waits for it."""
    if "conditions" not in facts.registers.get("edited", ()):
        return
    items = facts.read.conditions.items
    if not any(item.text.strip() for item in items):
        yield block("条件を1つ以上書いてください。条件がなければ「異議なしと回答する」を選びます。", "conditions.items")
    for row, item in enumerate(items):
        path = f"conditions.items.{row}"
        if not item.text.strip():
            yield block(f"{row + 1}行目の条件の内容を書いてください。", f"{path}.text")
        if not item.owner:
            yield block(f"{row + 1}行目の条件を満たす担当を選んでください。", f"{path}.owner")
        if not item.stops:
            yield block(f"{row + 1}行目の条件を満たすまで止める段階を選んでください。", f"{path}.stops")
        if item.on.date is None:
            yield block(f"{row + 1}行目の期限: {item.on.problem}", f"{path}.due")
        elif item.on.date < facts.today:
            yield block(f"{row + 1}行目の期限が今日より前です。日を確かめてください。", f"{path}.due")


def opened(facts: Facts) -> Sequence[Child]:
    """One case for each condition, held by its owner."""
    return [
        Child(
            CONDITION,
            item.owner,
            {
                "condition": {
                    "text": item.text,
                    "owner": item.owner,
                    "due": item.on.date.isoformat() if item.on.date else "",
                    "stops": item.stops,
                }
            },
            "set",
        )
        for item in facts.read.conditions.items
    ]


def conditions_met(step: str) -> Guard:
    """Headquarters' conditions that stop this step are met or formally waived."""

    def ask(facts: Facts) -> Iterator[Verdict]:
        for child in facts.registers.get("children", ()):
            told = (child.get("form") or {}).get("condition") or {}
            if child["process"] != CONDITION or child["final"] or told.get("stops") != step:
                continue
            due = f"、期限 {wareki(day)}" if (day := _day(told)) else ""
            yield block(
                f"本庁の条件「{visible(str(told.get('text') or '').strip())}」が済んでいません"
                f"(担当 {OWNERS.get(str(told.get('owner')), '—')}{due})。済むか免除されるまで、{STEPS_THAT_WAIT[step]}はできません。",
                "conditions.items",
            )

    return Guard(None, f"conditions_met_{step}", ask)


def _day(told: Mapping[str, Any]) -> Any:
    return read_date(str(told.get("due") or "")).date if told.get("due") else None


MET_TO_APPROVE, MET_TO_BEGIN, MET_TO_FINISH = (conditions_met(step) for step in ("approve", "begin", "finish"))
