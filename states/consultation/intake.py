"""Consultations that come in a file: held against what a program may decide alone, and taken in.

That is whether the record can be kept and which municipality is meant. How a consultation is handled is never guessed from its text.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from states import records as files
from states.calendar import Calendar
from states.consultation import table
from states.consultation.form import ASKERS, CHANNELS, FORM
from states.consultation.places import found
from states.dates import read_date
from states.places import Directory
from states.records import Problem, Reading
from states.terms import Facts, Level, Verdict, block

KIND = "consultation"
BY = frozenset({"bureau"})
COLUMNS: tuple[Any, ...] = ()  # there is no workbook to fill in: consultations come as JSON
_WAYS = {label: key for key, label in CHANNELS}


class Record(files.Strict):
    """One consultation as it came in, every value as typed."""

    office_code: str
    received_on: str
    channel: str
    requester_kind: str
    municipality_code: str | None = None
    municipality_name: str
    subject: str
    body: str

    @property
    def title(self) -> str:
        return self.subject


@dataclass(frozen=True)
class Entry:
    """How a record becomes a case: the act `enters` gives it its number."""

    origin: str
    office: str
    form: Mapping[str, Any]
    enters: str = "receive"
    receives: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)


def _known(record: Record) -> tuple[str, str] | None:
    if record.channel not in _WAYS:
        return "channel", f"{'、'.join(_WAYS)} のどれかで書いてください。"
    if record.requester_kind not in dict(ASKERS):
        return "requester_kind", f"{'、'.join(dict(ASKERS))} のどれかで書いてください。"
    return None


def read_each(source: str | bytes) -> Reading:
    """The sound records of a JSON file, beside the problems of the others."""
    return files.read_each(source, Record, KIND, _known)


def read_records(source: str | bytes) -> Mapping[str, Record]:
    """The records of a JSON file by id. Raises `NotTakenInError`."""
    return files.all_of(read_each(source))


def read_rows(rows: Any, letters: Any, problems: Any, office: str) -> Reading:
    """A workbook is refused with what to do."""
    return Reading(
        {},
        (Problem("", "", "相談は表計算の様式では取り込めません。JSON のファイルを渡してください。", 1),),
        lambda record, name: 1,
    )


def to_form(record: Record) -> dict[str, Any]:
    """The record as the form of a case; every value as typed."""
    return {
        "matter": {"subject": record.subject, "body": record.body, "municipality_name": record.municipality_name},
        "receipt": {
            "on": record.received_on, "channel": _WAYS[record.channel], "asker": record.requester_kind,
            "municipality_code": record.municipality_code or "",
        },
    }  # fmt: skip


def entry(record: Record, numbers: Mapping[str, str]) -> Entry:
    """The record as a case to be."""
    return Entry("desk", record.office_code, to_form(record))


def places(record: Record, directory: Directory) -> list[str]:
    """The municipality that the record is about, where it is plain."""
    on = read_date(record.received_on).date or date.min
    place = found(
        directory, on, record.municipality_name, record.municipality_code or "", record.office_code
    ).municipality
    return [place.code] if place else []


def in_order(records: Mapping[str, Record]) -> list[str]:
    """As they stand in the file."""
    return list(records)


_IN_FILE = {
    "matter.subject": "subject", "matter.body": "body", "matter.municipality_name": "municipality_name",
    "receipt.municipality_code": "municipality_code", "receipt.on": "received_on",
}  # fmt: skip


def check(records: Mapping[str, Record], directory: Directory, calendar: Calendar) -> dict[str, dict[str, Any]]:
    """By id: whether it is taken in (`accept`) or goes back, the rules that were asked, warnings, blocking, the municipality meant."""
    answers = {}
    for record_id, record in records.items():
        verdicts = _verdicts(record, directory, calendar)
        refusals = [v for v in verdicts if v.refuses]
        place = next(iter(places(record, directory)), None)
        town = directory.municipality(place, read_date(record.received_on).date or date.min) if place else None
        answers[record_id] = {
            "decision": "return_for_correction" if refusals else "accept", "rules": sorted({v.rule for v in verdicts if v.rule}),
            "warnings": _told(v for v in verdicts if v.level is Level.WARN), "blocking": _told(refusals),
            "municipality_code": place, "municipality_name": town.name if town else None,
        }  # fmt: skip
    return answers


def to_mend(
    records: Mapping[str, Record], directory: Directory, calendar: Calendar, today: date
) -> dict[str, list[dict[str, str | None]]]:
    """What has to be corrected before a record may become a case, by id; the others are not named."""
    mend = {}
    for record_id, record in records.items():
        told = [v for v in _verdicts(record, directory, calendar) if v.refuses]
        came = read_date(record.received_on).date
        if came and came > today:
            told.append(block("受けた日が今日より後になっています。", "receipt.on"))
        if told:
            mend[record_id] = _told(told)
    return mend


def _verdicts(record: Record, directory: Directory, calendar: Calendar) -> Sequence[Verdict]:
    """What the act that receives it says, on the day on which it came."""
    form = to_form(record)
    today = read_date(record.received_on).date or date.min
    facts = Facts(
        "cs_draft", form, FORM.read(form), today, directory, calendar, BY, registers={"lead": record.office_code}
    )  # fmt: skip
    return next(row for row in table.ACTIONS if row.name == "receive").verdicts(facts)


def _told(verdicts: Iterable[Verdict]) -> list[dict[str, str | None]]:
    return [{"rule": v.rule, "field": _IN_FILE.get(v.field, v.field), "sentence": v.sentence} for v in verdicts]
