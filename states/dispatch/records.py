"""What the acts of a dispatch write themselves on its straight road: receipt, drafting, decision, reports."""

from collections.abc import Mapping
from typing import Any

from states.dates import read_date
from states.dispatch import situation
from states.terms import Facts


def receipt(facts: Facts) -> Mapping[str, Any]:
    arrived = read_date(str(facts.inputs.get("arrived_on", ""))).date or facts.today
    number = facts.registers["numbers"]["receipt"]
    return {"receipt": {"arrived_on": arrived.isoformat(), "received_on": facts.today.isoformat(), "number": number}}


def drafting(facts: Facts) -> Mapping[str, Any]:
    drafting = {"by": facts.actor, "on": facts.today.isoformat(), "reasons": dict(facts.inputs.get("reasons") or {})}
    return {"drafting": drafting, "hold": {"review_on": ""}}


def decision(conclusion: str) -> Any:
    def record(facts: Facts) -> Mapping[str, Any]:
        decision = {
            "conclusion": conclusion,
            "number": facts.registers["numbers"]["letter"],
            "on": facts.today.isoformat(),
        }
        return {
            "decision": decision | (situation.decided_days(facts.read, facts.read) if conclusion == "approved" else {})
        }

    return record


def hold(facts: Facts) -> Mapping[str, Any]:
    day = read_date(str(facts.inputs["review_on"])).date
    return {"hold": {"review_on": day.isoformat() if day else ""}}


def report(facts: Facts) -> Mapping[str, Any]:
    filed = {"filed_on": facts.today.isoformat(), "filed_by": facts.actor}
    return dict.fromkeys(facts.registers["edited"], filed)


def result(facts: Facts) -> Mapping[str, Any]:
    return {"result": {"filed_on": facts.today.isoformat()}}


def evaluated(facts: Facts) -> Mapping[str, Any]:
    return {"evaluation": {"on": facts.today.isoformat(), "by": facts.actor}}


def last_report(facts: Facts) -> bool:
    return not set(situation.unreported(facts)) - {
        _person(g) for g in facts.registers.get("edited", ())
    } and situation.result_filed(facts)


def _person(group: str) -> int:
    person = group.removeprefix("report:")
    return int(person) if person.isdecimal() and len(person) < 19 else 0


def all_reports(facts: Facts) -> bool:
    return not situation.unreported(facts)
