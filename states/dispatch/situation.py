"""What the facts of a dispatch say: who asks, who goes on which day, whose report is missing."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from states.places import code_problem
from states.terms import Facts
from states.text import narrow

ON_REQUEST, OWN_INITIATIVE = "municipality_request", "director"


def on_request(facts: Facts) -> bool:
    """Whether the municipality asked; the case knows it even when its request was erased."""
    return bool(facts.registers.get("origin", request_of(facts.form).get("origin")) != OWN_INITIATIVE)


def fixed(form: Mapping[str, Any]) -> Any:
    """Origin and addressed bureau are given when the case is opened."""
    request: Any = form.get("request") or {}
    if not isinstance(request, Mapping) or "erased" in request:
        return None
    return request.get("origin"), request.get("office_code")


def own_initiative(facts: Facts) -> bool:
    return not on_request(facts)


def request_of(form: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = form.get("request") or {}
    return found


def title(form: Mapping[str, Any]) -> str:
    return str(request_of(form).get("title") or "").strip() or "(件名なし)"


def place(form: Mapping[str, Any]) -> str:
    """Code of the municipality that the case is about, once it is a code."""
    code = narrow(str((request_of(form).get("destination") or {}).get("municipality_code") or ""))
    return code if not code_problem(code) else ""


def last_day(form: Mapping[str, Any]) -> date | None:
    """The day on which a dispatch that was cut short actually ended."""
    ended = (form.get("actual") or {}).get("end")
    return date.fromisoformat(ended) if ended else None


def assigned(read: Any) -> Sequence[tuple[int, date]]:
    """Who is where on which day: the named members' days, up to the day on which it actually ended."""
    end = read.actual_end
    return [(m.person, day) for m in read.team.members if m.person for day in m.dates if end is None or day <= end]


def days_of(facts: Facts) -> list[date]:
    return sorted(day for member in facts.read.team.members for day in member.dates)


def first_day(facts: Facts) -> date | None:
    return next(iter(days_of(facts)), None)


def day_after(facts: Facts) -> date | None:
    days = days_of(facts)
    return days[-1] + timedelta(days=1) if days else None


def reporters(facts: Facts) -> list[int]:
    """The persons who owe a 復命: everyone with at least one dispatched day."""
    return sorted({person for person, _ in assigned(facts.read)})


def unreported(facts: Facts) -> list[int]:
    return [person for person in reporters(facts) if not (facts.form.get(f"report:{person}") or {}).get("filed_on")]


def result_filed(facts: Facts) -> bool:
    return bool((facts.form.get("result") or {}).get("filed_on"))


def unnamed(facts: Facts) -> bool:
    return any(not m.person or m.headcount != 1 for m in facts.read.team.members)
