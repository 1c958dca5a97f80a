"""Requests that come in a file: read strictly, turned into the form, and held against the rules without a database.

A record that is not such a record stops the whole file, so that nothing is half taken in; each reason names record,
field and line. What the rules say about a record is an answer, not a refusal (`check`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from states import strict_json
from states.calendar import Calendar
from states.dates import read_date
from states.dispatch import table
from states.dispatch.form import Role, read
from states.dispatch.rules import computed
from states.places import Directory
from states.terms import Facts, Level, Remedy, Verdict
from states.text import narrow, problems, visible

KIND = "dispatch_request"
# What a case of a file may hold beside the record itself; read by people and by tests, never by the rules.
BESIDE = frozenset({"tags", "expected", "grounding", "invented"})
# From weakest to strongest; the strongest that any verdict calls for is the decision.
DECISIONS = (
    "eligible", "eligible_with_warning", Remedy.RECOGNISE.value, Remedy.CONSULT.value, Remedy.CORRECT.value, Remedy.NONE.value,
)  # fmt: skip


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Requester(_Strict):
    """Who asks."""

    municipality_code: str = ""
    municipality_name: str = ""
    department: str = ""
    contact_role: str = ""
    contact_tel: str = ""
    contact_mail: str = ""


class DirectorApproval(_Strict):
    """Whether and when the director recognised the body."""

    approved: bool
    approved_on: str | None = None
    reference: str | None = None


class RecordDestination(_Strict):
    """Where the staff are to go."""

    type: Literal["municipality", "organization"]
    municipality_code: str = ""
    municipality_name: str = ""
    organization_name: str = ""
    director_approval: DirectorApproval | None = None


class Range(_Strict):
    """First and last day, both counted, as typed."""

    from_: str = Field(alias="from")
    to: str


class Staff(_Strict):
    """A place in the team and its days."""

    role: str
    section: str = ""
    headcount: int = Field(1, ge=1, le=1000)
    assignments: list[Range] = []


class ConcurrentAppointment(_Strict):
    """Whether a concurrent appointment is asked for; own affairs null or "unknown" where nobody could say."""

    needed: bool
    municipal_own_affairs: bool | Literal["unknown"] | None
    reason: str = ""


class Links(_Strict):
    """Where the request comes from."""

    previous_request_id: str | None = None
    round_table_id: str | None = None
    consultation_id: str | None = None


class Record(_Strict):
    """One request as it came in, every value as typed."""

    office_code: str
    initiative: Literal["municipality_request", "director"]
    received_on: str
    requester: Requester | None = None
    destination: RecordDestination
    title: str
    work_category: str
    purpose: str
    tasks: list[str]
    task_roles: list[Role] = []
    period: Range
    staff: list[Staff] = []
    concurrent_appointment: ConcurrentAppointment
    links: Links = Links()


@dataclass(frozen=True)
class Problem:
    """Why a file is not taken in: the record it is about, the field as the file names it, the reason, the line."""

    record: str
    field: str
    reason: str
    line: int


class NotTakenInError(ValueError):
    """A file of which nothing was taken in, with every reason."""

    def __init__(self, found: Sequence[Problem]) -> None:
        super().__init__("\n".join(f"{p.line}行目 {p.record} {p.field}: {p.reason}" for p in found))
        self.problems = tuple(found)


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_records(source: str | bytes) -> dict[str, Record]:
    """The records of a JSON file by id: a list, or an object with `cases`, of records or of cases with an `input`.

    A record without an id gets its number in the file, from "1". Raises `NotTakenInError`.
    """
    try:
        document = strict_json.parse(source)
    except strict_json.NotJsonError as error:
        raise NotTakenInError([Problem("", "", error.reason, error.line)]) from None
    found: list[Problem] = []
    records: dict[str, Record] = {}
    at, cases = _cases(document, found)
    for number, case in enumerate(cases, start=1):
        place = (*at, number - 1)
        record_id = str(number)
        if isinstance(case, dict) and "id" in case:
            record_id = _id(case["id"], document.line((*place, "id")), found)
        if record_id in records:
            found.append(Problem(visible(record_id), "id", "同じ id の記録がもうあります。", document.line(place)))
        record = _record(record_id, case, place, document, found)
        if record:
            records[record_id] = record
    if found:
        raise NotTakenInError(found)
    return records


def _cases(document: strict_json.Document, found: list[Problem]) -> tuple[strict_json.Path, Sequence[Any]]:
    """The list of cases and the way to it."""
    whole = document.value
    if isinstance(whole, list):
        return (), whole
    cases = whole.get("cases") if isinstance(whole, dict) else None
    if not isinstance(cases, list):
        found.append(Problem("", "", "記録の並びか、cases に記録の並びを持つものを渡してください。", 1))
        return (), ()
    if whole.get("kind", KIND) != KIND:
        found.append(Problem("", "kind", f"この業務の記録({KIND})ではありません。", document.line(("kind",))))
    if whole.get("count", len(cases)) != len(cases):
        reason = f"count は{whole['count']}ですが、記録は{len(cases)}件です。ファイルが欠けていないか確かめてください。"
        found.append(Problem("", "count", reason, document.line(("count",))))
    return ("cases",), cases


def _id(given: Any, line: int, found: list[Problem]) -> str:
    if not isinstance(given, str) or not given.strip() or problems(given) or len(given) > 100:
        found.append(Problem(visible(str(given))[:100], "id", "id は100字までの文字列で書いてください。", line))
    return str(given)


def _record(
    record_id: str, case: Any, place: strict_json.Path, document: strict_json.Document, found: list[Problem]
) -> Record | None:
    shown = visible(record_id)
    if not isinstance(case, dict):
        found.append(Problem(shown, "", "記録は { } で書いてください。", document.line(place)))
        return None
    if "input" in case:
        strange = [key for key in case if key not in BESIDE | {"id", "input"}]
        found += [Problem(shown, visible(key), "知らない項目です。", document.line((*place, key))) for key in strange]
        case, place = case["input"], (*place, "input")
    given = {key: value for key, value in case.items() if key != "id"} if isinstance(case, dict) else case
    try:
        record = Record.model_validate(given)
    except ValidationError as error:
        told = {(_field(e["loc"]), _reason(e)): document.line((*place, *_loc(given, e["loc"]))) for e in error.errors()}
        found += [Problem(shown, field, reason, line) for (field, reason), line in told.items()]
        return None
    if record.task_roles and len(record.task_roles) != len(record.tasks):
        reason = f"業務は{len(record.tasks)}件、役割は{len(record.task_roles)}件です。同じ数にしてください。"
        found.append(Problem(shown, "task_roles", reason, document.line((*place, "task_roles"))))
    return record


def _loc(given: Any, loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The part of an error's place that the file really has; pydantic adds names of its own for unions."""
    way: list[int | str] = []
    for step in loc:
        try:
            given = given[step]
        except (KeyError, IndexError, TypeError):
            break
        way.append(step)
    return tuple(way)


# Names that pydantic adds to the place of an error for the one field with several types.
_TYPES = frozenset({"bool", "literal['unknown']"})


def _field(loc: tuple[int | str, ...]) -> str:
    return ".".join(visible(str(step)) for step in loc if step not in _TYPES)


def _reason(error: ErrorDetails) -> str:
    if _TYPES & set(error["loc"]):
        return 'true、false、"unknown" のどれかで書いてください。'
    choices = [choice for choice in re.findall("'([^']*)'", error.get("ctx", {}).get("expected", "")) if choice]
    reasons = {
        "missing": "この項目がありません。",
        "extra_forbidden": "知らない項目です。",
        "string_type": '文字列(" で囲んだ値)で書いてください。',
        "int_type": "整数で書いてください。true と false は数ではありません。",
        "bool_type": "true か false で書いてください。",
        "list_type": "[ ] の並びで書いてください。",
        "model_type": "{ } で書いてください。",
        "greater_than_equal": "1以上の整数で書いてください。",
        "less_than_equal": "1000以下の整数で書いてください。",
        "literal_error": f"{'、'.join(choices)} のどれかで書いてください。",
    }
    return reasons.get(error["type"], "この値は受け取れません。")


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
        "receipt": {"arrived_on": record.received_on if on_request else "", "channel": "paper"},
        "team": {"members": [_member(place) for place in record.staff]},
    }


def _member(place: Staff) -> dict[str, Any]:
    days = "、".join(_days(part) for part in place.assignments)
    return {"role": place.role, "section": place.section, "headcount": place.headcount, "days": days}


def _days(part: Range) -> str:
    """The range as one text. What separates days in a list may not stand inside an end: an end is one day."""
    ends = [end if read_date(end).date else re.sub(r"[、,;\s・]+", "|", narrow(end)) for end in (part.from_, part.to)]
    return "〜".join(ends)


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


def _judge(facts: Facts) -> dict[str, Any]:
    deciding = next(row for row in table.ACTIONS if row.name == "approve")
    verdicts = deciding.verdicts(facts)
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
