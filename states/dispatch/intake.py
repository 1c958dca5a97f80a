"""Requests that come in a file: turned into the form, held against the rules without a database, and taken in as cases.

Reading them is `reading`'s story. What the rules say about a record is an answer, not a refusal (`check`); what has to
be corrected in it stays out when records become cases (`to_mend`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from states.calendar import Calendar
from states.dates import read_date
from states.dispatch import procedure, table
from states.dispatch.form import read
from states.dispatch.reading import (
    NotTakenInError,
    Problem,
    Range,
    Reading,
    Record,
    Requester,
    Staff,
    read_each,
    read_records,
)
from states.dispatch.rules import computed
from states.dispatch.sheet import COLUMNS, read_rows
from states.places import Directory
from states.terms import Facts, Level, Remedy, Verdict, block
from states.text import narrow

__all__ = [
    "BY",
    "COLUMNS",
    "NotTakenInError",
    "Problem",
    "Reading",
    "Record",
    "check",
    "entry",
    "in_order",
    "places",
    "read_each",
    "read_records",
    "read_rows",
    "to_form",
    "to_mend",
]

BY = frozenset({"bureau"})  # who takes files in
# From weakest to strongest; the strongest that any verdict calls for is the decision.
DECISIONS = (
    "eligible", "eligible_with_warning", Remedy.RECOGNISE.value, Remedy.CONSULT.value, Remedy.CORRECT.value, Remedy.NONE.value,
)  # fmt: skip

# ── the form ────────────────────────────────────────────────────────────────────────────────────────────────────────


def to_form(record: Record) -> dict[str, Any]:
    """The record as the form of a case, by field group; every value as typed."""
    destination, approval = record.destination, record.destination.director_approval
    requester, links = record.requester or Requester(), record.links
    appointment = record.concurrent_appointment
    own = {True: "yes", False: "no", "unknown": "unknown", None: "unknown"}[appointment.municipal_own_affairs]
    on_request = record.initiative == "municipality_request"
    roles = record.task_roles or [""] * len(record.tasks)
    return {
        "request": {
            "origin": record.initiative,
            "office_code": record.office_code,
            "title": record.title,
            "purpose": record.purpose,
            "ground": record.work_category,
            "tasks": [{"text": text, "role": role} for text, role in zip(record.tasks, roles, strict=True)],
            "period": {"from": record.period.from_, "to": record.period.to},
            "destination": {
                "type": destination.type,
                "municipality_code": destination.municipality_code,
                "municipality_name": destination.municipality_name,
                "organization_name": destination.organization_name,
                "recognition": {
                    "approved": approval is not None and approval.approved,
                    "approved_on": (approval and approval.approved_on) or "",
                    "reference": (approval and approval.reference) or "",
                },
            },
            "own_affairs": own,
            "concurrent_appointment": "needed" if appointment.needed else "not_needed",
            "concurrent_reason": appointment.reason,
            "previous": links.previous_request_id or "",
            "source": links.round_table_id or links.consultation_id or "",
            "instruction": {"given_on": "" if on_request else record.received_on, "text": ""},
        },
        "contact": {
            "municipality_code": requester.municipality_code,
            "municipality_name": requester.municipality_name,
            "department": requester.department,
            "name": requester.contact_role,
            "tel": requester.contact_tel,
            "mail": requester.contact_mail,
        },
        "receipt": {"arrived_on": record.received_on if on_request else "", "channel": record.channel},
        "team": {"members": [_member(place) for place in record.staff]},
    }


def _member(place: Staff) -> dict[str, Any]:
    days = "、".join([*map(_days, place.assignments), *filter(None, [place.days.strip()])])
    return {"role": place.role, "section": place.section, "headcount": place.headcount, "days": days}


def _days(part: Range) -> str:
    """The range as one text. What separates days in a list may not stand inside an end: an end is one day."""
    ends = [end if read_date(end).date else re.sub(r"[、,;\s・]+", "|", narrow(end)) for end in (part.from_, part.to)]
    return "〜".join(ends)


# ── the case ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Entry:
    """How a record becomes a case: as what it begins, at which office, with which form, and the acts that take it in.

    The act `receives`, with `inputs`, gives the case its number; it is left to a person where the same may have come
    before. Without acts the case stays a draft that its office completes.
    """

    origin: str
    office: str
    form: Mapping[str, Any]
    enters: str = ""
    receives: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)


def entry(record: Record, numbers: Mapping[str, str]) -> Entry:
    """The record as a case to be. An earlier record that it continues is named by its case's number, where it has one."""
    form = to_form(record)
    earlier = form["request"]["previous"].strip()
    form["request"]["previous"] = numbers.get(earlier, form["request"]["previous"])
    if record.initiative == "municipality_request":
        arrived = {"arrived_on": record.received_on}
        return Entry(record.initiative, record.office_code, form, "submit_proxy", "receive", arrived)
    return Entry(record.initiative, record.office_code, form)


def places(record: Record, directory: Directory) -> list[str]:
    """The municipalities that the record is about, by code, as they were on the day on which it came; unclear ones are left out."""
    form = read(to_form(record))
    on = form.judged_on(form.request.period.first or date.min)
    office = directory.office(record.office_code)
    found = []
    for part in (form.contact, form.request.destination):
        known = directory.municipality(part.municipality_code, on)
        named = directory.by_name(part.municipality_name, on, office.prefecture_code if office else "")
        found += [known.code] if known else [named[0].code] if len(named) == 1 else []
    return list(dict.fromkeys(found))


def in_order(records: Mapping[str, Record]) -> list[str]:
    """The ids so that a record comes after the one that it continues; a circle is entered where it begins in the file."""
    ordered: dict[str, None] = {}
    for first in records:
        way = [first]
        while (earlier := (records[way[-1]].links.previous_request_id or "").strip()) in records and earlier not in way:
            way.append(earlier)
        ordered |= dict.fromkeys(reversed(way))
    return list(ordered)


# ── the check ───────────────────────────────────────────────────────────────────────────────────────────────────────

# Where the file keeps what the form keeps; the first that fits is taken.
_IN_FILE = (
    ("request.tasks.#.role", "task_roles.#"),
    ("request.tasks.#.text", "tasks.#"),
    ("request.tasks", "tasks"),
    ("request.destination.recognition", "destination.director_approval"),
    ("request.own_affairs", "concurrent_appointment.municipal_own_affairs"),
    ("request.concurrent_appointment", "concurrent_appointment.needed"),
    ("request.concurrent_reason", "concurrent_appointment.reason"),
    ("request.ground", "work_category"),
    ("request.origin", "initiative"),
    ("request.previous", "links.previous_request_id"),
    ("request.source", "links"),
    ("request.instruction.given_on", "received_on"),
    ("request.", ""),
    ("contact.name", "requester.contact_role"),
    ("contact.tel", "requester.contact_tel"),
    ("contact.mail", "requester.contact_mail"),
    ("contact.", "requester."),
    ("receipt.arrived_on", "received_on"),
    ("team.members.#.days", "staff.#.assignments"),
    ("team.members", "staff"),
)


def check(records: Mapping[str, Record], directory: Directory, calendar: Calendar) -> dict[str, dict[str, Any]]:
    """What the guards of the deciding action say about each record; nothing is stored.

    By id: decision, the rules that were asked, warnings and blocking as {rule, field, sentence} with the field as the
    file names it, and the computed figures (None while dates cannot be read).
    """
    forms = {record_id: to_form(record) for record_id, record in records.items()}
    return {record_id: _judge(_facts(record_id, forms, directory, calendar)) for record_id in records}


def to_mend(
    records: Mapping[str, Record], directory: Directory, calendar: Calendar, today: date
) -> dict[str, list[dict[str, str | None]]]:
    """What has to be corrected before a record may become a case, by id and as {rule, field, sentence}; the others are not named.

    Beside what the rules send back: a request is entered with the day on which it arrived.
    """
    forms = {record_id: to_form(record) for record_id, record in records.items()}
    found = {}
    for record_id, record in records.items():
        verdicts = _verdicts(_facts(record_id, forms, directory, calendar))
        told = [v for v in verdicts if v.refuses and v.remedy is Remedy.CORRECT] + [*_arrival(record, today)]
        if told:
            found[record_id] = _told(told)
    return found


def _arrival(record: Record, today: date) -> Iterator[Verdict]:
    path = "receipt.arrived_on"
    arrived = read_date(record.received_on).date
    if record.initiative == "municipality_request" and not record.received_on.strip():
        yield block("届いた日が書かれていません。実際に届いた日を書いてください。", path)
    elif arrived and arrived > today:
        yield block("届いた日が今日より後になっています。実際に届いた日を書いてください。", path)


def _verdicts(facts: Facts) -> Sequence[Verdict]:
    """A record names posts, not persons: whether every place has a name is asked of the case that it becomes."""
    row = next(row for row in table.ACTIONS if row.name == "approve")
    return replace(row, guards=tuple(asked for asked in row.guards if asked is not procedure.named)).verdicts(facts)


def _judge(facts: Facts) -> dict[str, Any]:
    verdicts = _verdicts(facts)
    warnings = [v for v in verdicts if v.level is Level.WARN]
    refusals = [v for v in verdicts if v.refuses]
    calls = [v.remedy.value for v in refusals] or (["eligible_with_warning"] if warnings else ["eligible"])
    return {
        "decision": max(calls, key=DECISIONS.index),
        "rules": sorted({v.rule for v in verdicts if v.rule}),
        "warnings": _told(warnings),
        "blocking": _told(refusals),
        "computed": computed(facts),
    }


def _facts(record_id: str, forms: Mapping[str, dict[str, Any]], directory: Directory, calendar: Calendar) -> Facts:
    """The record as a case in front of the director, on the day on which it came in."""
    form = forms[record_id]
    reading = read(form)
    today = reading.judged_on(reading.request.period.first or date.min)
    registers = {"predecessor": _predecessor(record_id, forms, {record_id})}
    return Facts(
        "director_judgement",
        form,
        reading,
        today,
        directory,
        calendar,
        frozenset({"director"}),
        number=record_id,
        registers=registers,
    )


def _predecessor(record_id: str, forms: Mapping[str, dict[str, Any]], seen: set[str]) -> dict[str, Any] | None:
    """The earlier record of the same file that this one continues, with those before it; a circle ends where it closes."""
    earlier = forms[record_id]["request"]["previous"].strip()
    if earlier not in forms or earlier in seen:
        return None
    return {"number": earlier, "form": forms[earlier], "predecessor": _predecessor(earlier, forms, seen | {earlier})}


def _told(verdicts: Iterable[Verdict]) -> list[dict[str, str | None]]:
    return [{"rule": v.rule, "field": _in_file(v.field), "sentence": v.sentence} for v in verdicts]


def _in_file(path: str) -> str:
    """The name that the file gives to a field of the form."""
    rows = [step for step in path.split(".") if step.isdigit()]
    plain = ".".join("#" if step.isdigit() else step for step in path.split("."))
    for ours, theirs in _IN_FILE:
        if plain.startswith(ours):
            named: Iterator[str] = iter(rows)
            return "".join(next(named, "#") if part == "#" else part for part in theirs + plain.removeprefix(ours))
    return path
