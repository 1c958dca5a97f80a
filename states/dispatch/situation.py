"""What the facts of a dispatch say: who asks, where it stands, who goes on which half-day, whose report is missing."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from states.dispatch.form import Form
from states.places import code_problem
from states.terms import Facts
from states.text import narrow

ON_REQUEST, OWN_INITIATIVE = "municipality_request", "director"
# Ends in which nobody went: whoever was assigned is free again.
NEVER_WENT = frozenset({"withdrawn", "not_submitted", "not_accepted", "declined", "cancelled"})
CHANGING = frozenset({"change_judgement", "change_consultation"})  # decided, and a change of it is under way
BEGUN = frozenset({"dispatched", "stopped", "awaiting_report", "reported"})


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


def standing(facts: Facts) -> str:
    """The state in which the case stands; while a change is judged, the one that goes on meanwhile."""
    if facts.state not in CHANGING:
        return facts.state
    back: str = facts.read.change.back
    if back:
        return back
    first = first_day(facts)  # the proposal was erased: the days themselves say it
    return "dispatched" if first and first <= facts.today else "preparing"


def stands_in(*states: str) -> Any:
    """A condition of a row: the case stands in one of these states, whether or not a change is under way."""
    return lambda facts: standing(facts) in states


def assigned(facts: Facts) -> Sequence[tuple[int, date, int]]:
    """Who is where on which half-day; nobody in a case that ended before anybody went."""
    return [] if facts.state in NEVER_WENT else half_days(facts.read)


def half_days(read: Form) -> list[tuple[int, date, int]]:
    """The half-days of the persons of the team: those reported, else those planned up to the day on which it really ended."""
    end, reported = read.actual_end, {key for key, report in read.reports.items() if report.counts}
    found = [
        (member.person, day, half)
        for member in read.team.members
        if member.person and str(member.person) not in reported
        for day, half in member.half_days
        if end is None or day <= end
    ]
    for person in dict.fromkeys(m.person for m in read.team.members if m.person and str(m.person) in reported):
        found += [(person, day, half) for day, half in read.reports[str(person)].reading.half_days]
    return found


def places_of(read: Form) -> list[list[Any]]:
    """Person, head count and half-days of each place, as decided."""
    places = [
        [m.person, m.headcount, [[day.isoformat(), half] for day, half in m.half_days]] for m in read.team.members
    ]
    return sorted(places, key=str)


def decided_days(before: Form, after: Form) -> dict[str, Any]:
    """What a decision keeps of the days: the places, and the last day that was ever decided for each person."""
    until = dict(before.decision.until)
    for member in after.team.members:
        if member.person and member.dates:
            key = str(member.person)
            until[key] = max(until.get(key, ""), member.dates[-1].isoformat())
    return {"days": places_of(after), "until": until}


def anybody_went(facts: Facts, until: date) -> bool:
    """Whether a dispatch that began has a day up to that one."""
    return standing(facts) in BEGUN and any(day <= until for _, day, _ in half_days(facts.read))


def days_of(facts: Facts) -> list[date]:
    return sorted(day for member in facts.read.team.members for day in member.dates)


def first_day(facts: Facts) -> date | None:
    return next(iter(days_of(facts)), None)


def day_after(facts: Facts) -> date | None:
    days = days_of(facts)
    return days[-1] + timedelta(days=1) if days else None


def reporters(facts: Facts) -> list[int]:
    """The persons who owe a 復命: everyone with at least one dispatched half-day."""
    return sorted({person for person, *_ in assigned(facts)})


def unreported(facts: Facts) -> list[int]:
    return [person for person in reporters(facts) if not (facts.form.get(f"report:{person}") or {}).get("filed_on")]


def result_filed(facts: Facts) -> bool:
    return bool((facts.form.get("result") or {}).get("filed_on"))


def to_evaluate(facts: Facts) -> bool:
    """Whether the municipality that asked has still to say what it thinks of the result."""
    return result_filed(facts) and asked_to_evaluate(facts)


def asked_to_evaluate(facts: Facts) -> bool:
    """Whether the municipality asked for the dispatch and has not said yet what it thinks of it."""
    return on_request(facts) and not facts.read.evaluation.on


# ── the fiscal year ─────────────────────────────────────────────────────────────────────────────────────────────────


def march_work(facts: Facts) -> date | None:
    """The first day of the coming March (or of this one) on which work is asked for; None where none is."""
    span: tuple[date, date] | None = facts.read.request.period.span
    if span is None or not on_request(facts):
        return None
    for year in (facts.today.year, facts.today.year + 1):
        first, last = max(span[0], date(year, 3, 1)), min(span[1], date(year, 3, 31))
        if first <= last and facts.today <= last:
            return first
    return None


def year_of_march_work(facts: Facts) -> date | None:
    """The first day of the fiscal year in which the March work lies."""
    day = march_work(facts)
    return date(day.year - 1, 4, 1) if day else None


def after_the_old_year(facts: Facts) -> date | None:
    """When the old fiscal year is closed (31 May), for work of the new year's first months: its report belongs to the next closing."""
    days = sorted(day for _, day, _ in half_days(facts.read))
    return date(days[0].year, 6, 1) if days and days[0].month in (4, 5) and days[0].year == facts.today.year else None


def unnamed(facts: Facts) -> bool:
    return any(not m.person or m.headcount != 1 for m in facts.read.team.members)


def called(read: Form, person: int) -> str:
    """How a sentence names a person: as the team, or the proposed one, has it."""
    rows = (*read.team.members, *read.change.members)
    return next((m.called for m in rows if m.person == person), "") or f"職員(番号{person})"
