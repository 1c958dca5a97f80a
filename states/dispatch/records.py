"""What the acts of a dispatch write themselves: receipt, drafting, decision, reports; and which organisations join."""

from collections.abc import Mapping, Sequence
from typing import Any

from states.dates import read_date
from states.dispatch import situation
from states.dispatch.procedure import places_of
from states.terms import Facts


def receipt(facts: Facts) -> Mapping[str, Any]:
    arrived = read_date(str(facts.inputs.get("arrived_on", ""))).date or facts.today
    number = facts.registers["numbers"]["receipt"]
    return {"receipt": {"arrived_on": arrived.isoformat(), "received_on": facts.today.isoformat(), "number": number}}


def drafting(facts: Facts) -> Mapping[str, Any]:
    drafting = {"by": facts.actor, "on": facts.today.isoformat(), "reasons": dict(facts.inputs.get("reasons") or {})}
    return {"drafting": drafting, "hold": {"review_on": ""}}


def consultation(facts: Facts) -> Mapping[str, Any]:
    return {"consultation": {"asked_from": facts.state, "reply": "", "conditions": ""}}


def decision(conclusion: str) -> Any:
    def record(facts: Facts) -> Mapping[str, Any]:
        decision = {
            "conclusion": conclusion,
            "number": facts.registers["numbers"]["letter"],
            "on": facts.today.isoformat(),
        }
        return {"decision": decision | ({"days": places_of(facts)} if conclusion == "approved" else {})}

    return record


def hold(facts: Facts) -> Mapping[str, Any]:
    day = read_date(str(facts.inputs["review_on"])).date
    return {"hold": {"review_on": day.isoformat() if day else ""}}


def actual_end(facts: Facts) -> Mapping[str, Any]:
    day = read_date(str(facts.inputs["last_day"])).date
    return {"actual": {"end": day.isoformat() if day else ""}}


def report(facts: Facts) -> Mapping[str, Any]:
    filed = {"filed_on": facts.today.isoformat(), "filed_by": facts.actor}
    return dict.fromkeys(facts.registers["edited"], filed)


def result(facts: Facts) -> Mapping[str, Any]:
    return {"result": {"filed_on": facts.today.isoformat()}}


def reply(reply: str) -> Any:
    return lambda facts: {"consultation": {"reply": reply, "replied_on": facts.today.isoformat()}}


def asked_from(state: str) -> Any:
    """Whether headquarters answers to that state; where the question was erased, to where the case's origin begins."""

    def asked(facts: Facts) -> bool:
        kept = (facts.form.get("consultation") or {}).get("asked_from")
        return state == (kept or ("municipal_request" if situation.on_request(facts) else "director_judgement"))

    return asked


def lead(facts: Facts) -> Sequence[tuple[str, str]]:
    return [("lead", facts.registers["lead"])]


def destination(facts: Facts) -> Sequence[tuple[str, str]]:
    going = facts.read.request.destination
    code = _meant(facts, going.municipality_code, going.municipality_name)
    return [("destination", code)] if situation.own_initiative(facts) and code else []


def requester(facts: Facts) -> Sequence[tuple[str, str]]:
    asking, going = facts.read.contact, facts.read.request.destination
    code = _meant(facts, asking.municipality_code, asking.municipality_name)
    code = code or _meant(facts, going.municipality_code, going.municipality_name)
    return [("requester", code)] if code else []


def _meant(facts: Facts, code: str, name: str) -> str:
    """Code of the municipality that was written, in any width, or by a name that only one has; nothing where it is unclear."""
    on = facts.read.judged_on(facts.today)
    if code.strip():
        found = facts.directory.municipality(code, on)
        return found.code if found else ""
    office = facts.directory.office(facts.read.request.office_code)
    named = facts.directory.by_name(name, on, office.prefecture_code if office else "") if name.strip() else ()
    return named[0].code if len(named) == 1 else ""


def last_report(facts: Facts) -> bool:
    return not set(situation.unreported(facts)) - {
        _person(g) for g in facts.registers.get("edited", ())
    } and situation.result_filed(facts)


def _person(group: str) -> int:
    return int(group.removeprefix("report:")) if group.removeprefix("report:").isdigit() else 0


def all_reports(facts: Facts) -> bool:
    return not situation.unreported(facts)
