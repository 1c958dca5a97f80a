"""The records of a file, read strictly: what is no such record is named by record, field and line, never guessed at."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from states import strict_json
from states.text import problems, visible

# What a case of a file may hold beside the record itself; read by people and by tests, never by the rules.
BESIDE = frozenset({"tags", "expected", "grounding", "invented"})
Also = Callable[[Any], tuple[str, str] | None]  # what else is wrong with a record: field and reason


class Strict(BaseModel):
    """A part of a record: no field that nobody knows, no value of another type."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


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


@dataclass(frozen=True)
class Reading:
    """What a file holds: its sound records by id, what is wrong with the others or the whole, and where a field stands."""

    records: Mapping[str, Any]
    problems: tuple[Problem, ...]
    line: Callable[[str, str], int]  # record id, field of a record → line
    named: Callable[[str], str] = str  # field of a record → what the file calls it
    counted: frozenset[str] = frozenset()  # ids that are only a record's place in the file

    @property
    def whole(self) -> tuple[Problem, ...]:
        """The problems of the file itself, beside which no record counts."""
        return tuple(p for p in self.problems if not p.record)


def all_of(reading: Reading) -> Mapping[str, Any]:
    """The records, where all of them are sound. Raises `NotTakenInError`."""
    if reading.problems:
        raise NotTakenInError(reading.problems)
    return reading.records


def read_each(source: str | bytes, model: type[BaseModel], kind: str, also: Also = lambda record: None) -> Reading:
    """The records of a JSON file by id, the sound ones beside the problems of the others: a list, or an object with `cases`,

    of records or of cases with an `input`. One without an id gets its number in the file, from "1"; two of one id are both unsound.
    """
    try:
        document = strict_json.parse(source)
    except strict_json.NotJsonError as error:
        return Reading({}, (Problem("", "", error.reason, error.line),), lambda record, field: 1)
    found: list[Problem] = []
    taken = partial(_record, model, also)
    records: dict[str, Any] = {}
    unsound: set[str] = set()
    counted: set[str] = set()
    places: dict[str, strict_json.Path] = {}
    at, cases = _cases(document, kind, found)
    for number, case in enumerate(cases, start=1):
        place, before = (*at, number - 1), len(found)
        record_id = str(number)
        if not (isinstance(case, dict) and "id" in case):
            counted.add(record_id)
        else:
            record_id = _id(case["id"], document.line((*place, "id")), found)
        if record_id in places:
            found.append(Problem(visible(record_id), "id", "同じ id の記録がもうあります。", document.line(place)))
        record = taken(record_id, case, place, document, found)
        places.setdefault(record_id, (*place, "input") if isinstance(case, dict) and "input" in case else place)
        if record and len(found) == before:
            records[record_id] = record
        else:
            unsound.add(record_id)

    def line(record: str, field: str) -> int:
        way = (int(step) if step.isdecimal() else step for step in field.split("."))
        return document.line((*places.get(record, ()), *way))

    sound = {record_id: record for record_id, record in records.items() if record_id not in unsound}
    return Reading(sound, tuple(found), line, counted=frozenset(counted))


def _cases(document: strict_json.Document, kind: str, found: list[Problem]) -> tuple[strict_json.Path, Sequence[Any]]:
    """The list of cases and the way to it."""
    whole = document.value
    if isinstance(whole, list):
        return (), whole
    cases = whole.get("cases") if isinstance(whole, dict) else None
    if not isinstance(cases, list):
        found.append(Problem("", "", "記録の並びか、cases に記録の並びを持つものを渡してください。", 1))
        return (), ()
    if whole.get("kind", kind) != kind:
        found.append(Problem("", "kind", f"この業務の記録({kind})ではありません。", document.line(("kind",))))
    if whole.get("count", len(cases)) != len(cases):
        reason = f"count は{whole['count']}ですが、記録は{len(cases)}件です。ファイルが欠けていないか確かめてください。"
        found.append(Problem("", "count", reason, document.line(("count",))))
    return ("cases",), cases


def _id(given: Any, line: int, found: list[Problem]) -> str:
    if not isinstance(given, str) or not given.strip() or problems(given) or len(given) > 100:
        found.append(Problem(visible(str(given))[:100], "id", "id は100字までの文字列で書いてください。", line))
    return str(given)


def _record(
    model: type[BaseModel], also: Also, record_id: str, case: Any, place: strict_json.Path,
    document: strict_json.Document, found: list[Problem],
) -> Any:  # fmt: skip
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
        record = model.model_validate(given)
    except ValidationError as error:
        told = {fault(e): document.line((*place, *_loc(given, e["loc"]))) for e in error.errors()}
        found += [Problem(shown, field, reason, line) for (field, reason), line in told.items()]
        return None
    if wrong := also(record):
        found.append(Problem(shown, *wrong, document.line((*place, wrong[0]))))
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


def fault(error: ErrorDetails) -> tuple[str, str]:
    """The field as the file names it, and why its value cannot be taken."""
    return ".".join(visible(str(step)) for step in error["loc"] if step not in _TYPES), _reason(error)


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
