"""Round tables that come in a file: read strictly, turned into the form, and held against the rules without a database."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal

from states import records
from states.calendar import Calendar
from states.places import Directory
from states.records import NotTakenInError, Problem, Reading, Strict
from states.round_table import rules, table
from states.round_table.form import FORM
from states.terms import Facts, Level, Verdict

__all__ = ["BY", "COLUMNS", "NotTakenInError", "Problem", "Record", "check", "read_each", "read_records", "to_form"]

KIND = "round_table"
BY: frozenset[str] = (
    frozenset()
)  # nobody: meetings are planned on the page, files of them are only held against the rules
COLUMNS: tuple[Any, ...] = ()


class Town(Strict):
    """A municipality that the meeting is for."""

    code: str
    name: str = ""


class Host(Strict):
    """Somebody of the bureau's side."""

    role: str
    rank: Literal["director", "deputy", "department_head", "manager", "staff"]


class Guest(Strict):
    """Somebody of the region's side."""

    role: str
    kind: Literal["key_person", "mayor", "deputy_mayor", "manager", "staff"]


class Opinion(Strict):
    """What was said."""

    no: int
    speaker_role: str
    text: str


class FollowUp(Strict):
    """What is to be done, and whether departments of headquarters have to handle it quickly."""

    no: int
    action: str
    owner: str
    needs_hq: bool


class Record(Strict):
    """One meeting as it came in, every value as typed."""

    office_code: str
    name: str
    held_on: str
    place: str
    place_kind: Literal["activity_field", "public_facility", "other"]
    form: Literal["field", "table", "both", "other"]
    target_municipalities: list[Town]
    attendees_prefecture: list[Host]
    attendees_region: list[Guest]
    topics: Sequence[str] = ()
    opinions: Sequence[Opinion] = ()
    follow_ups: Sequence[FollowUp] = ()


def read_records(source: str | bytes) -> Mapping[str, Record]:
    """The records of a JSON file by id. Raises `NotTakenInError` with every reason."""
    return records.all_of(records.read_each(source, Record, KIND))


def read_each(source: str | bytes) -> Reading:
    """Nobody takes meetings in from a file: none of its records counts, and that is said."""
    told = "ラウンドテーブルの記録は取り込めません。画面で計画してください。規則に照らすのは check です。"
    return Reading({}, (Problem("", "", told, 1),), lambda record, field: 1)


def to_form(record: Record) -> dict[str, Any]:
    """The record as the form of a case, by field group; every value as typed."""
    return {
        "plan": {
            "name": record.name, "municipalities": " ".join(town.code for town in record.target_municipalities),
            "theme": "\n".join(record.topics), "form": record.form, "held_on": record.held_on, "place": record.place, "place_kind": record.place_kind,
        },
        "office_side": {"items": [{"role": host.role, "rank": host.rank, "attended": True} for host in record.attendees_prefecture]},
        "region_side": {"items": [{"role": guest.role, "kind": guest.kind, "attended": True} for guest in record.attendees_region]},
        "notes": {"items": [{"summary": said.text, "speaker_class": said.speaker_role} for said in record.opinions]},
        "follow": {"items": [{"action": todo.action, "owner": todo.owner, "headquarters": todo.needs_hq} for todo in record.follow_ups]},
    }  # fmt: skip


_ASKED = (
    *table.PLANNING, rules.followed_up, rules.headquarters_takes_it_up, FORM.letters, rules.characters_are_kept, rules.markup_is_text,
    rules.formulas_are_text,
)  # fmt: skip
# Where the file keeps what the form keeps; the first that fits is taken.
_IN_FILE = (
    ("plan.municipalities", "target_municipalities"),
    ("plan.theme", "topics"),
    ("office_side.items", "attendees_prefecture"),
    ("region_side.items", "attendees_region"),
    ("notes.items", "opinions"),
    ("follow.items", "follow_ups"),
    ("plan.", ""),
)


def check(taken: Mapping[str, Record], directory: Directory, calendar: Calendar) -> dict[str, dict[str, Any]]:
    """What the guards of the deciding action say about each record; nothing is stored.

    By id: decision, the rules that were asked, warnings and blocking as {rule, field, sentence} with the field as the file
    names it, the numbers of the follow-ups that go to headquarters, and the computed figures.
    """
    return {record_id: _judge(record, directory, calendar) for record_id, record in taken.items()}


def _judge(record: Record, directory: Directory, calendar: Calendar) -> dict[str, Any]:
    form = to_form(record)
    facts = Facts("table_deciding", form, FORM.read(form), date.min, directory, calendar, frozenset({"director"}))
    verdicts = [verdict for asked in _ASKED for verdict in asked.verdicts(facts)]
    warnings = [v for v in verdicts if v.level is Level.WARN]
    refusals = [v for v in verdicts if v.refuses]
    named = {number: todo.no for number, todo in enumerate(record.follow_ups, start=1)}
    return {
        "decision": "return_for_correction" if refusals else "ok_with_warning" if warnings else "ok",
        "rules": sorted({v.rule for v in verdicts if v.rule}),
        "warnings": _told(warnings),
        "blocking": _told(refusals),
        "hq_escalation": [named[number] for number in rules.for_headquarters(facts.read)],
        "computed": rules.computed(facts),
    }


def _told(verdicts: Sequence[Verdict]) -> list[dict[str, str | None]]:
    return [{"rule": v.rule, "field": _in_file(v.field), "sentence": v.sentence} for v in verdicts]


def _in_file(path: str) -> str:
    """The name that the file gives to a field of the form."""
    for ours, theirs in _IN_FILE:
        if path.startswith(ours):
            return theirs + path.removeprefix(ours)
    return path
