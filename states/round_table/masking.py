"""Names stay in the bureau: whoever did not agree to be named does not stand in any text that leaves it, nor without consent on a photo."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from states.forms import Filled, Form, Table
from states.round_table.form import BUREAU_ONLY, FORM, NOTES
from states.terms import Facts, Guard, Verdict, block, guard
from states.text import search_key

HONORIFICS = ("さん", "さま", "様", "氏", "くん", "君", "ちゃん", "先生")
LEAVES = frozenset({"summary", "speaker_class", "answer"})  # of a note: what becomes the opinion that others read
NOBODY = "なし"  # on a photo without people
_ASIDE = re.compile(r"[(\uff08\[【].*?[)\uff09\]】]")
_APART = re.compile(r"[、,\uff0c\n]+")


class Unnamed:
    """The people who did not agree to be named, found in a text however they are called there."""

    def __init__(self, rows: Sequence[Filled], besides: Sequence[str] = ()) -> None:
        """`besides` are names that stand nowhere on the list."""
        agreed = {search_key(_bare(row.text("name"))) for row in rows if row.ticked("by_name")}
        listed = [
            (row.text(key), row.text("role") or "名簿の人")
            for row in rows
            if not row.ticked("by_name")
            for key in ("name", "kana")
        ]
        found = [*listed, *((name, "発言した人") for name in besides)]
        self._needles = {
            needle: role for name, role in found if search_key(_bare(name)) not in agreed for needle in _called(name)
        }

    def within(self, text: str) -> list[str]:
        """The roles of those who stand in the text."""
        said = search_key(text) if self._needles else ""
        return list(dict.fromkeys(role for needle, role in self._needles.items() if needle in said))


def _bare(name: str) -> str:
    return _ASIDE.sub("", name).strip()


def _called(name: str) -> Iterator[str]:
    """A name as a text may have it: whole, and the family name with what one puts behind it."""
    bare = _bare(name)
    if len(whole := search_key(bare)) > 1:
        yield whole
    family = bare.split()[0] if len(bare.split()) > 1 else ""
    if family:
        yield from (search_key(family + honorific) for honorific in HONORIFICS)


def leaving(form: Form, stored: Mapping[str, Any], kept: frozenset[str]) -> Iterator[tuple[str, str, str]]:
    """Path, label and text of everything that people wrote in the groups that are not `kept`."""
    for group in form.groups:
        part = Filled(stored.get(group.name) or {})
        for known in group.parts if group.name not in kept else ():
            if isinstance(known, Table):
                yield from _rows(f"{group.name}.{known.name}", known, part.rows(known.name), None)
            elif known.kind in ("text", "long"):
                yield f"{group.name}.{known.name}", known.label, part.text(known.name)


def _rows(
    path: str, table: Table, rows: Sequence[Filled], only: frozenset[str] | None
) -> Iterator[tuple[str, str, str]]:
    for number, row in enumerate(rows):
        for known in table.columns:
            if known.kind in ("text", "long") and (only is None or known.name in only):
                yield f"{path}.{number}.{known.name}", known.label, row.text(known.name)


def _said(facts: Facts) -> Iterator[tuple[str, str, str]]:
    yield from leaving(FORM, facts.form, BUREAU_ONLY)
    (notes,) = NOTES.parts
    assert isinstance(notes, Table)
    yield from _rows(f"{NOTES.name}.{notes.name}", notes, facts.read.part(NOTES.name).rows(notes.name), LEAVES)
    yield from ((name, "", text) for name, text in facts.inputs.items() if isinstance(text, str))


def told(unnamed: Unnamed, texts: Iterator[tuple[str, str, str]]) -> Iterator[Verdict]:
    """A refusal for each text that names somebody."""
    for path, label, text in texts:
        if found := unnamed.within(text):
            where = f"「{label}」に、" if label else ""
            who = "、".join(found)
            yield block(f"{where}名前を出す同意のない人の名前があります({who})。伏せてください。", path)


@guard(None)
def nobody_is_named(facts: Facts) -> Iterator[Verdict]:
    """Everything that others than the bureau read or will read is looked through: the plan, both sides, what was said, the report."""
    yield from told(Unnamed(facts.read.part("people").rows("items")), _said(facts))


def opinion_names_nobody(form: Form, groups: frozenset[str]) -> Guard:
    """The guard of an opinion: the list of people is that of its meeting; `groups` are those that only the bureau reads."""

    def names_nobody(facts: Facts) -> Iterator[Verdict]:
        meeting = (facts.registers.get("parent") or {}).get("form") or {}
        people = Filled(meeting.get("people") or {}).rows("items")
        speaker = facts.read.part("speaker").text("name")
        texts = [*leaving(form, facts.form, groups)]
        texts += [(name, "", text) for name, text in facts.inputs.items() if isinstance(text, str)]
        yield from told(Unnamed(people, [speaker] if speaker else []), iter(texts))

    return guard(None)(names_nobody)


# ── photos ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def shown_on(row: Filled) -> list[str]:
    """Who can be seen on a photo, as the bureau wrote it."""
    return [name.strip() for name in _APART.split(row.text("who")) if name.strip()]


def lacking_consent(read: Any, row: Filled) -> list[str]:
    """Those on the photo who did not agree that it is shown; who sits on the prefecture's own side is not asked."""
    people = read.part("people").rows("items")
    own = {search_key(other.text("role")) for other in read.part("office_side").rows("items")}
    agreed = {search_key(other.text("role")) for other in people if other.ticked("photo")}
    agreed -= {search_key(other.text("role")) for other in people if not other.ticked("photo")}
    return [who for who in shown_on(row) if who != NOBODY and search_key(who) not in agreed | own]


@guard(None)
def photos_have_consent(facts: Facts) -> Iterator[Verdict]:
    """A photo goes out when everybody on it has agreed."""
    for number, row in enumerate(facts.read.part("photos").rows("items")):
        if not row.ticked("public"):
            continue
        if not shown_on(row):
            said = f"写っている人を書いてください。人が写っていなければ「{NOBODY}」と書きます。"
            yield block(f"公表する写真「{row.text('file')}」に、{said}", f"photos.items.{number}.who")
        elif found := lacking_consent(facts.read, row):
            who = "、".join(found)
            yield block(
                f"写真「{row.text('file')}」に、写真を出す同意を書いていない人が写っています({who})。公表の印を外すか、「氏名と同意」に同意を書いてください。",
                f"photos.items.{number}.public",
            )


def accepts(read: Any, name: str, label: str, media_type: str) -> str:
    """Why a file that others than the offices will have is not taken: a picture needs the consent of everybody on it."""
    if not media_type.startswith("image/"):
        return ""
    called = {search_key(text) for text in (name, name.rpartition(".")[0], label) if text.strip()}
    listed = (row for row in read.part("photos").rows("items") if row.ticked("public"))
    if any(
        search_key(row.text("file")) in called and shown_on(row) and not lacking_consent(read, row) for row in listed
    ):
        return ""
    return "市町村にも見える写真には、写っている人の同意が要ります。振興局の担当が「写真と同意を書く」でこの写真(ファイルの名前)を公表するものとして書いてから、添えてください。まだ添えていません。"
