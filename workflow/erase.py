"""Erasing content: one recorded event, then the bytes and salt of the listed rows go for good; the chain stays whole.

Erasure is no move: it is allowed in every state. Who may do it holds a post with the role `records`; he decides, and
his ground stays with the event. Words are blacked out: a row with the rest of the text stands in for each erased one.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from states.kernel import Process, Refused
from states.text import problems
from workflow import acts, attachments, case_sql, comments, copies, history, search
from workflow.access import PostHeld
from workflow.blackout import Words, stand_in
from workflow.cases import conflict
from workflow.db import Database, driver
from workflow.loading import Connection, Loaded, load

ERASES = "records"
ACTION, RECORD = "erase", "erasure"  # the event, and its content row that says what it erased
KEPT = frozenset({"parties", "opened", RECORD})  # what the case row and the chain are checked by
LONGEST_GROUND = 1000

Place = tuple[int, int]  # seq and ord of a content row


@dataclass(frozen=True)
class Choice:
    """What is to go of one case: content rows, remarks and files (by id)."""

    rows: frozenset[Place] = frozenset()
    remarks: frozenset[int] = frozenset()
    files: frozenset[int] = frozenset()


@dataclass(frozen=True)
class _Row:
    """A content row as it stands before anything goes."""

    kind: str
    digest: bytes
    value: Any  # None where it is gone already
    there: bool


@dataclass(frozen=True)
class _Going:
    """What goes: rows as they are, rows that leave a blacked-out text, remarks with what they said, files; and all rows there."""

    rows: Mapping[Place, _Row]
    whole: Mapping[Place, _Row]
    black: Mapping[Place, Any]
    remarks: Mapping[int, str]
    files: frozenset[int]

    @property
    def places(self) -> list[Place]:
        return sorted({*self.whole, *self.black})


def erase(
    db: Database, person_id: int, case_id: int, rows: Iterable[Place] = (), *, ground: str, words: Sequence[str] = (),
    remarks: Iterable[int] = (), files: Iterable[int] = (),
) -> int:  # fmt: skip
    """Erase this of one case; returns the number of the erasing event. Raises as `erase_all` does."""
    choice = Choice(frozenset(rows), frozenset(remarks), frozenset(files))
    return erase_all(db, person_id, {case_id: choice}, ground=ground, words=words)[case_id]


def erase_all(
    db: Database, person_id: int, choices: Mapping[int, Choice], *, ground: str, words: Sequence[str] = ()
) -> dict[int, int]:
    """Erase this of each case, all or nothing; returns the number of each erasing event.

    With `words` these alone are blacked out in rows and remarks; files always go whole. The same field group written
    again in later events stands in rows of its own: list them all. Raises `NotFound`, `Conflict`, `Refused` (no such role,
    no such row, no ground, nothing to black out).
    """
    _check(ground, words)
    done = {}
    with db.transaction() as session:
        conn = driver(session)
        # Always in one order: two officers wait for each other instead of blocking each other.
        for case_id in sorted(choices):
            case = load(conn, case_id, person_id)
            post = case.held.get(ERASES)
            if post is None or not case.row.version:
                raise Refused("role", "消去は文書管理の職だけができます。何も消していません。")
            if history.disposed(case.row.form, case.row.title):
                raise _gone()
            wanted = Words(tuple(sorted(words, key=len, reverse=True)), codes(case.process))
            done[case_id] = _erase(
                conn, case, (person_id, post), _chosen(conn, case, choices[case_id], wanted), ground, wanted
            )
    return done


def dispose(conn: Connection, case: Loaded, by: tuple[int, PostHeld], ground: str, told: Mapping[str, Any]) -> int:
    """Let all of a case go but its chain; `told` is what the register of disposals keeps. The transaction is the caller's.

    The event lists every content row, also those that earlier events erased, since their records go with it.
    """
    rows = {place: row for place, row in _rows(conn, case.row.id).items() if row.kind not in KEPT - {RECORD}}
    remarks = _remarks(conn, case.row.id, None)
    files = conn.execute(
        "SELECT id FROM attachment WHERE case_id = %s AND erased_seq IS NULL", (case.row.id,)
    ).fetchall()
    going = _Going(rows, rows, {}, remarks, frozenset(file[0] for file in files))
    return _erase(conn, case, by, going, ground, Words(()), told)


def codes(process: Process) -> frozenset[str]:
    """The texts of a form that nobody typed: the keys of its choices."""
    found = {key for keys in process.wording.choices.values() for key in keys}
    asked = {key for row in process.table for ask in row.asks for key, _ in ask.choices}
    return frozenset(found | asked | set(process.opens))


def _check(ground: str, words: Sequence[str]) -> None:
    if not ground.strip() or problems(ground) or len(ground) > LONGEST_GROUND:
        said = f"消去の理由を、保存できる文字で{LONGEST_GROUND}字までに書いてください。何も消していません。"
        raise Refused("guard", said)
    if Words(tuple(words)).within(ground):
        said = "理由の中に、消す言葉が書かれています。理由は記録に残るので、その言葉を使わずに書いてください。何も消していません。"
        raise Refused("guard", said)


# ── what goes ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _rows(conn: Connection, case_id: int) -> dict[Place, _Row]:
    found = conn.execute("SELECT seq, ord, kind, digest, data FROM content WHERE case_id = %s", (case_id,)).fetchall()
    return {
        (seq, order): _Row(kind, bytes(digest), None if data is None else json.loads(bytes(data)), data is not None)
        for seq, order, kind, digest, data in found
    }


def _remarks(conn: Connection, case_id: int, wanted: frozenset[int] | None) -> dict[int, str]:
    """The remarks that still say something: these, or all. Raises `Refused` where one of these does not."""
    found: dict[int, str] = dict(
        conn.execute("SELECT id, body FROM comment WHERE case_id = %s AND body IS NOT NULL", (case_id,)).fetchall()
    )
    if wanted is None:
        return found
    if not wanted <= set(found):
        raise _gone()
    return {remark: found[remark] for remark in wanted}


def _chosen(conn: Connection, case: Loaded, choice: Choice, words: Words) -> _Going:
    """The choice, held against what is there. Raises `Refused`."""
    rows = _rows(conn, case.row.id)
    chosen = {place: rows[place] for place in choice.rows if place in rows}
    remarks = _remarks(conn, case.row.id, choice.remarks)
    names = {f"{inside}file:{file}" for file in choice.files for inside in ("", "internal:")}
    of_files = {place: row for place, row in rows.items() if row.kind in names and row.there}
    if not (chosen or remarks or of_files) or len(chosen) != len(choice.rows) or len(of_files) != len(choice.files):
        raise _gone()
    if any(not row.there or row.kind in KEPT for row in chosen.values()):
        raise _gone()
    if not words.words:
        # The name of a file goes with the file.
        files = {int(row.kind.rpartition(":")[2]) for row in chosen.values() if _names_file(row.kind)}
        return _Going(rows, chosen | of_files, {}, remarks, choice.files | files)
    black = {place: words.black(row.value) for place, row in chosen.items() if place not in of_files}
    unchanged = [place for place, value in black.items() if value == rows[place].value]
    if unchanged or not all(words.within(said) for said in remarks.values()):
        raise Refused(
            "guard", "選んだ内容の中に、その言葉がない所があります。何も消していません。もう一度探してください。"
        )
    return _Going(rows, of_files, black, remarks, choice.files)


def _names_file(kind: str) -> bool:
    return kind.removeprefix("internal:").startswith("file:")


def _gone() -> Refused:
    return Refused("guard", "消去できない内容が含まれています。何も消していません。画面を開き直してください。")


# ── the event, and everything that follows it ───────────────────────────────────────────────────────────────────────


def _erase(
    conn: Connection, case: Loaded, by: tuple[int, PostHeld], going: _Going, ground: str, words: Words,
    disposal: Mapping[str, Any] | None = None,
) -> int:  # fmt: skip
    seq, rows = case.row.version + 1, going.rows
    form, parts = _left(case, going)
    record: dict[str, Any] = {
        "erased": [list(place) for place in going.places], "digests": sorted(rows[place].digest.hex() for place in going.places),
        "replaced": sorted(map(list, going.black)), "remarks": sorted(going.remarks), "files": sorted(going.files), "ground": ground,
    }  # fmt: skip
    record |= {} if disposal is None else {"disposal": dict(disposal)}
    kept = [group for group, value in form.items() if value == {"erased": seq}]
    params = acts.concern(case, ACTION, [(RECORD, record), *parts], form=form, kept=kept, by=(str(by[0]), by[1]))
    # Whose turn it is stays, and so do the dates; only the ledger of days follows the form.
    params |= {"moved": False, "person": by[0], "rows": {"assignments": params["rows"]["assignments"]}}
    params |= {} if disposal is None else {"title": history.disposed_title(seq)}
    if not case_sql.carry_out(conn, params, frozenset({"me"})):
        raise conflict(conn, load(conn, case.row.id, by[0]))
    conn.execute("SELECT erase_content(%s, %s::int)", (case.row.id, seq))
    for file in going.files:
        attachments.erase(conn, case.row.id, file, seq)
    for place, value in going.black.items():
        if _names_file(rows[place].kind):
            copies.rename_file(conn, case.row.id, value)
    copies.forget_answers(
        conn, case.row.id
    )  # before the remarks change: they are found by the transaction that wrote them
    for remark, said in going.remarks.items():
        comments.erase(conn, case.row.id, remark, seq)
        if words.words:
            copies.keep_remark(conn, remark, words.black(said))
    if disposal is not None:
        copies.clear(conn, case.row.id)
        words = Words(tuple(filter(None, (case.row.number, case.row.title))))
    elif not words.words:
        gone = [row.value for row in going.whole.values() if row.there] + list(going.remarks.values())
        words = copies.telling(gone, codes(case.process))
    if disposal is None:
        copies.black_out(conn, case.row.id, words, kept)
    copies.withdraw_reports(conn, case, words)
    search.refresh(conn, case.row.id)
    return seq


def _left(case: Loaded, going: _Going) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """The form after it, and the stand-ins that are no field group of it. Raises `Refused` where the form would not be one."""
    seq, form = case.row.version + 1, dict(case.row.form)
    standing = {
        (ref[0], ref[1]): ref[2].removeprefix(history.FORM)
        for ref in (case.body or {})["content"]
        if ref[2].startswith(history.FORM)
    }
    parts = []
    for place in going.places:
        group = standing.get(place)
        if group is not None:
            form[group] = going.black.get(place, {"erased": seq})
        elif place in going.black:
            parts.append((stand_in(*place, going.rows[place].kind), going.black[place]))
    try:
        case.process.reading(form)
        if case.process.fixed(form) not in (None, case.process.fixed(case.row.form)):
            raise ValueError
    except (TypeError, ValueError):
        said = "その言葉は、様式の決まった値の中にもあるため、黒塗りでは消せません。何も消していません。言葉を長く書くか、行ごと消してください。"
        raise Refused("guard", said) from None
    return form, parts
