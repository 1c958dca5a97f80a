"""Requests as rows of a workbook: its columns, and how the cells of a row become a record.

A cell comes as the text that stands in it. What is chosen is written in the words of the pages or by its code; dates and
days are read as everywhere, days of a person in one cell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from states.dispatch.labels import CHANNELS, CONCURRENT, DESTINATIONS, GROUNDS, ORIGINS, OWN_AFFAIRS, ROLES
from states.dispatch.reading import Problem, Reading, Record, Requester, fault
from states.places import Directory
from states.text import narrow, problems, visible

TASKS, STAFF = 5, 6  # how many of each fit into a row


@dataclass(frozen=True)
class Column:
    """A column: its heading, the path of the record's field, the codes by the words to choose from, how it is filled in."""

    heading: str
    path: str
    hint: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    need: bool = False
    width: int = 16
    code: bool = False  # digits with leading zeros, which a spreadsheet likes to take away


def _by_word(labels: Mapping[str, str]) -> dict[str, str]:
    return {label: code for code, label in labels.items()}


_GROUNDS = {
    f"{ORIGINS[origin]}: {label}": code for origin, grounds in GROUNDS.items() for code, label in grounds.items()
}
_RECOGNISED = {"認めている": "yes", "認めていない": "no"}
_CHANNELS = {label: code for code, label in CHANNELS.items() if code != "screen"}

COLUMNS: tuple[Column, ...] = (
    Column("記録番号", "id", "この様式の中で重ならない番号。空けると行の番号になります", width=12),
    Column("宛先の振興局", "office_code", "「上川総合振興局」のように書きます。空けると、取り込む人の局になります", width=18),
    Column("契機", "initiative", "空けると「市町村の要請」", _by_word(ORIGINS), width=18),
    Column("届いた日", "received_on", "実際に届いた日。局長の判断によるときは、指示のあった日", need=True, width=14),
    Column("届いた方法", "channel", "空けると「紙」", _CHANNELS, width=12),
    Column("要請した市町村のコード", "requester.municipality_code", "6けた。名称だけでもよい", code=True),
    Column("要請した市町村名", "requester.municipality_name"),
    Column("担当課", "requester.department"),
    Column("担当者", "requester.contact_role"),
    Column("電話", "requester.contact_tel"),
    Column("メール", "requester.contact_mail", width=24),
    Column("派遣先の種類", "destination.type", "空けると「市町村」", _by_word(DESTINATIONS), width=22),
    Column("派遣先の市町村コード", "destination.municipality_code", "6けた。名称だけでもよい", code=True),
    Column("派遣先の市町村名", "destination.municipality_name"),
    Column("派遣先の団体名", "destination.organization_name", "団体のときだけ書きます", width=24),
    Column("団体の認定", "destination.director_approval.approved", "団体のときだけ選びます", _RECOGNISED),
    Column("認めた日", "destination.director_approval.approved_on", "団体のときだけ書きます", width=14),
    Column("認定の文書番号", "destination.director_approval.reference"),
    Column("件名", "title", need=True, width=36),
    Column("対象業務の区分", "work_category", "契機に合うものを選びます", _GROUNDS, need=True, width=36),
    Column("困っていること", "purpose", need=True, width=48),
    *(
        column
        for number in range(TASKS)
        for column in (
            Column(f"業務{number + 1}", f"tasks.{number}", "してほしいこと", need=not number, width=30),
            Column(f"業務{number + 1}の役割", f"task_roles.{number}", "", _by_word(ROLES), need=not number, width=12),
        )
    ),
    Column("派遣の初めの日", "period.from", "西暦でも和暦でも書けます", need=True, width=16),
    Column("派遣の終わりの日", "period.to", "西暦でも和暦でも書けます", need=True, width=16),
    *(
        column
        for number in range(STAFF)
        for column in (
            Column(f"職員{number + 1}の職", f"staff.{number}.role", "例: 主査", need=not number),
            Column(f"職員{number + 1}の課", f"staff.{number}.section", "例: 地域政策課"),
            Column(f"職員{number + 1}の人数", f"staff.{number}.headcount", "空けると1人", width=12),
            Column(f"職員{number + 1}の日", f"staff.{number}.assignments", "例: 11/9-11、11/24", need=not number, width=24),
        )
    ),
    Column("市町村だけの事務", "concurrent_appointment.municipal_own_affairs", "", _by_word(OWN_AFFAIRS), need=True, width=14),
    Column("併任発令", "concurrent_appointment.needed", "空けると「要しない」", _by_word(CONCURRENT), width=14),
    Column("併任が要る理由", "concurrent_appointment.reason", width=30),
    Column("前の案件の番号", "links.previous_request_id", "続きの要請のとき。この様式の記録番号でもよい"),
    Column("きっかけ", "links.round_table_id", "ラウンドテーブル、総合相談窓口など"),
)  # fmt: skip

_DEFAULTS = {"initiative": "municipality_request", "channel": "paper", "destination.type": "municipality"}


def read_rows(
    rows: Sequence[tuple[int, Mapping[str, str]]], letters: Mapping[str, str], beside: Sequence[tuple[int, str, str]] = (),
    office: str = "",
) -> Reading:  # fmt: skip
    """The records of a workbook: `rows` are number and text by heading, `letters` the column of each heading.

    `beside` names cells without a value of their own (row, heading, reason), `office` the bureau that a row without one
    is addressed to.
    """
    records: dict[str, Record] = {}
    found: list[Problem] = []
    lines: dict[str, int] = {}
    unsound: set[str] = set()
    counted: set[str] = set()
    named = _names(letters)
    for line, cells in rows:
        texts = {column.path: cells.get(column.heading, "").strip() for column in COLUMNS}
        record_id = texts["id"] or str(line)
        counted |= set() if texts["id"] else {record_id}
        shown = visible(record_id)[:100]
        told = _refused_id(record_id)
        told += [(c.path, reason) for at, head, reason in beside for c in COLUMNS if (at, head) == (line, c.heading)]
        if record_id in lines:
            told.append(("id", f"同じ記録番号が{lines[record_id]}行目にもあります。"))
        raw = _record(texts, office, told)
        if not told:
            try:
                records[record_id] = Record.model_validate(raw)
            except ValidationError as error:
                told = list(dict.fromkeys(fault(e) for e in error.errors()))
        lines.setdefault(record_id, line)
        if told:
            unsound.add(record_id)
            found += [Problem(shown, path, reason, line) for path, reason in told]
    sound = {record_id: record for record_id, record in records.items() if record_id not in unsound}
    return Reading(sound, tuple(found), lambda record, path: lines.get(record, 1), named, frozenset(counted))


def _names(letters: Mapping[str, str]) -> Any:
    """What the workbook calls a field: column and heading of the field itself, of a part of it, or of what it belongs to."""

    def named(path: str) -> str:
        ways = (lambda own: own == path, lambda own: own.startswith(f"{path}."), lambda own: path.startswith(f"{own}."))
        column = next((c for fits in ways for c in COLUMNS if fits(c.path)), None)
        if column is None:
            return path
        letter = letters.get(column.heading, "")
        return f"{letter}列「{column.heading}」" if letter else f"「{column.heading}」"

    return named


def _refused_id(record_id: str) -> list[tuple[str, str]]:
    if problems(record_id) or len(record_id) > 100:
        return [("id", "記録番号は100字までの文字で書いてください。")]
    return []


def _record(texts: Mapping[str, str], office: str, told: list[tuple[str, str]]) -> dict[str, Any]:
    """The record as a file of JSON would hold it; what cannot be chosen or counted is added to `told`."""
    chosen = {column.path: _choice(column, texts, told) for column in COLUMNS if column.choices}
    body = chosen["destination.type"] == "organization"
    own_affairs = "concurrent_appointment.municipal_own_affairs"
    told += [(c.path, _asked(c)) for c in COLUMNS if c.need and not texts[c.path]]
    tasks = _filled("tasks.{}", "task_roles.{}", TASKS, texts, told)
    staff = _filled("staff.{}.role", "staff.{}.assignments", STAFF, texts, told)
    requester = {name: texts[f"requester.{name}"] for name in Requester.model_fields}
    return {
        "office_code": _office(texts["office_code"]) or office,
        "initiative": chosen["initiative"],
        "received_on": texts["received_on"],
        "channel": chosen["channel"],
        "requester": requester if any(requester.values()) else None,
        "destination": {
            "type": chosen["destination.type"],
            "municipality_code": texts["destination.municipality_code"],
            "municipality_name": texts["destination.municipality_name"],
            "organization_name": texts["destination.organization_name"],
            "director_approval": {
                "approved": chosen["destination.director_approval.approved"] == "yes",
                "approved_on": texts["destination.director_approval.approved_on"] or None,
                "reference": texts["destination.director_approval.reference"] or None,
            } if body else None,
        },
        "title": texts["title"],
        "work_category": chosen["work_category"],
        "purpose": texts["purpose"],
        "tasks": [texts[f"tasks.{n}"] for n in tasks],
        "task_roles": [chosen[f"task_roles.{n}"] for n in tasks],
        "period": {"from": texts["period.from"], "to": texts["period.to"]},
        "staff": [
            {
                "role": texts[f"staff.{n}.role"], "section": texts[f"staff.{n}.section"],
                "headcount": _count(texts, f"staff.{n}.headcount", told), "days": texts[f"staff.{n}.assignments"],
            }
            for n in staff
        ],
        "concurrent_appointment": {
            "needed": chosen["concurrent_appointment.needed"] == "needed",
            "municipal_own_affairs": {"yes": True, "no": False}.get(chosen[own_affairs], "unknown"),
            "reason": texts["concurrent_appointment.reason"],
        },
        "links": {
            "previous_request_id": texts["links.previous_request_id"] or None,
            "round_table_id": texts["links.round_table_id"] or None,
        },
    }  # fmt: skip


def _asked(column: Column) -> str:
    """What is said of a cell that was left blank and has to be filled in."""
    words = "、".join(column.choices)
    return f"選んでください。{words} のどれかです。" if words else "書いてください。"


def _filled(one: str, other: str, most: int, texts: Mapping[str, str], told: list[tuple[str, str]]) -> range:
    """The places of a row that are filled in, from the first one on without a gap."""
    there = [n for n in range(most) if texts[one.format(n)] or texts[other.format(n)]]
    if there != [*range(len(there))]:
        told.append((one.format(there[-1]), "前の欄が空いています。左から詰めて書いてください。"))
    return range(len(there))


def _choice(column: Column, texts: Mapping[str, str], told: list[tuple[str, str]]) -> str:
    """The code that was chosen, by its word or itself; blank where nothing was."""
    written = narrow(texts[column.path])
    if not written:
        return _DEFAULTS.get(column.path, "")
    words = {narrow(word): code for word, code in column.choices.items()}
    own = {narrow(word.partition(": ")[2]): code for word, code in column.choices.items() if _suits(code, texts)}
    code = words.get(written) or own.get(written) or (written if written in column.choices.values() else "")
    if not code:
        told.append(
            (
                column.path,
                f"「{visible(texts[column.path])[:40]}」は選べません。{'、'.join(column.choices)} のどれかで書いてください。",
            )
        )
    return code


def _suits(code: str, texts: Mapping[str, str]) -> bool:
    """Whether a ground belongs to the origin of this row: two of them are called alike."""
    by_director = texts["initiative"] in (ORIGINS["director"], "director")
    return code.startswith("director." if by_director else "request.")


def _count(texts: Mapping[str, str], path: str, told: list[tuple[str, str]]) -> int:
    plain = narrow(texts[path]).removesuffix("人").strip()
    if plain and not (plain.isascii() and plain.isdecimal() and len(plain) < 5 and 1 <= int(plain) <= 1000):
        told.append((path, "人数は1から1000までの数で書いてください。"))
        return 1
    return int(plain or 1)


def _office(written: str) -> str:
    """The code of the bureau that was written by name or code; what nobody is called goes on as it is, for the rules to say so."""
    return next((o.code for o in Directory.from_csv().offices if written in (o.code, o.name)), written)
