"""What is taken along of a round table: the report of what was said (実施結果報告書) and the list of opinions (意見一覧).

Each is there twice. One is for the offices and says what its reader may read: the bureau reads names and the very words, others
do not. The other is given out: it says the same to everybody, names only with consent, no words as they were spoken.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from states.dates import read_date, short
from states.documents import Record, Section, Subject, Written, erased
from states.forms import Filled
from states.round_table.form import FIELDS, FORMS, KINDS, PLACES, RANKS, SIDES, WAYS
from states.round_table.letters import towns, when
from states.text import search_key

REPORTED = frozenset({"table_following", "table_told", "table_closed"})
HELD = frozenset({"table_held", "table_reporting"}) | REPORTED
TOLD = frozenset({"table_told", "table_closed"})
PUBLIC = frozenset({"report_public", "opinions_public"})
GONE, MERGED = "opinion_withdrawn", "opinion_merged"
NONE = "なし"
VOICE = ("no", "kind", "summary", "field", "municipality", "speaker_class", "answer")
# For whom a paper is, by the most that stands in it.
NAMED = "局内限り。氏名と発言の言葉のままを含みます。局の外に出さないでください。"
INSIDE = "庁内用。名前を伏せています。外に渡すときは公表用を使ってください。"
GIVEN_OUT = "公表用。名前は、本人が同意したものだけを載せています。"


@dataclass(frozen=True)
class Said:
    """An opinion as a paper tells it; before the report stands there is only the note of it."""

    no: str
    voice: Filled
    speaker: Filled
    handling: Filled
    answer: Filled
    state: str = ""
    word: str = ""  # what its state is called
    same: int = 0  # opinions that were merged into it
    gone: str = ""  # that its content was erased, and by which record

    @property
    def there(self) -> bool:
        """Whether it still says something."""
        return self.state != GONE and not self.gone


def given_out(process: str, state: str, form: Mapping[str, Any]) -> Mapping[str, Any]:
    """What everybody is told of the meeting and of the opinions under it: what the bureau marked as public, masked."""
    if process == "opinion":
        if state == MERGED:
            return {"merged": form.get("merged") or {}}
        voice = form.get("voice") or {}
        if state == GONE or voice.get("public") is not True:
            return {}
        return {"voice": {key: voice.get(key, "") for key in VOICE}, "answer": form.get("answer") or {}}
    if process != "round_table":
        return {}
    read = Filled(form)
    people = [row.stored for row in read.part("people").rows("items") if row.ticked("by_name")]
    notes = [row.stored for row in read.part("notes").rows("items") if row.ticked("public") and state not in REPORTED]
    photos = [row.stored for row in read.part("photos").rows("items") if row.ticked("public")]
    return {
        "plan": {key: value for key, value in (form.get("plan") or {}).items() if key != "note"},
        "report": _only(form.get("report"), "summary", "resources"),
        "people": {"items": [_only(row, "role", "name", "affiliation", "by_name") for row in people]},
        "notes": {"items": [_only(row, *VOICE) for row in notes]},
        "photos": {"items": photos},
        **{group: form.get(group) or {} for group in ("office_side", "region_side", "feedback")},
    }


def _only(part: Any, *keys: str) -> Mapping[str, Any]:
    return {key: value for key, value in (part or {}).items() if key in (*keys, "erased")}


# ── the opinions ────────────────────────────────────────────────────────────────────────────────────────────────────


def opinions(subject: Subject) -> list[Said]:
    """Every opinion in its order; those that were merged into another count there."""
    cases = [child for child in subject.children if child["process"] == "opinion"]
    if not cases and subject.state not in REPORTED:
        notes = Filled(subject.form).part("notes").rows("items")
        empty = Filled()
        return [
            Said(str(no), row, Filled({"name": row.text("speaker"), "verbatim": row.text("verbatim")}), empty, empty)
            for no, row in enumerate(notes, start=1)
        ]
    into = {str(c["number"]): Filled(c["form"]).part("merged").text("into") for c in cases if c["state"] == MERGED}
    found = []
    for case in cases:
        read, gone = Filled(case["form"]), erased(case["form"].get("voice"))
        voice = Filled() if gone or case["state"] == GONE else read.part("voice")
        if case["state"] == MERGED and not voice:
            continue  # given out as a number alone
        same = sum(_end(number, into) == str(case["number"]) for number in into)
        found.append(
            Said(
                read.part("voice").text("no"), voice, read.part("speaker"), read.part("handling"), read.part("answer"), case["state"],
                case["state_label"], same, gone,
            )
        )  # fmt: skip
    return sorted(found, key=lambda said: (int(said.no) if said.no.isdecimal() else 10**6, said.no))


def _end(number: str, into: Mapping[str, str]) -> str:
    """The opinion in which a merged one ended up, however often it was merged."""
    for _ in into:
        number = into.get(number, number)
    return number


def _town(subject: Subject, code: str) -> str:
    place = subject.directory.municipality(code, subject.on) if code else None
    return place.name if place else code


def _day(text: str) -> str:
    read = read_date(text)
    return short(read.date) if read.date else text


def _same(said: Said) -> str:
    return f"(ほかに同じ意見{said.same}件)" if said.same else ""


def _content(said: Said) -> str:
    """What was said; of what is gone, why it is."""
    if not said.there:
        return said.gone or said.word
    return said.voice.text("summary") + _same(said) + (f"({said.word})" if said.state == MERGED else "")


# ── the report ──────────────────────────────────────────────────────────────────────────────────────────────────────


def report(subject: Subject) -> Written:
    """The report for the offices, as far as its reader may read it."""
    named = "people" in subject.form
    return _report(subject, NAMED if named else INSIDE, named=named)


def public_report(subject: Subject) -> Written:
    """The report that is given out."""
    return _report(subject, GIVEN_OUT, named=False, public=True)


def _report(subject: Subject, told: str, *, named: bool, public: bool = False) -> Written:
    form = Filled(subject.form)
    sections = [
        Section("日時", _lines(when(subject, "plan.held_on"))),
        Section("場所・視察先", _lines(*_places(subject))),
        Section("テーマ", _lines(subject.text("plan.theme"))),
        _attendance(subject, form, public=public),
        Section("実施形態", _lines(dict(FORMS).get(subject.text("plan.form"), ""))),
        *_voices(subject, form, named=named, public=public),
        Section("把握した資源・人材・種や芽", _lines(subject.text("report.resources"))),
        *(_answers(subject) if public else _follow_ups(subject, form)),
        _photos(form, public=public),
    ]
    if not public:
        sections.append(Section("所感", _lines(subject.text("report.impressions"))))
    head = (
        ("番号", subject.number),
        ("名称", subject.text("plan.name")),
        ("対象の市町村", towns(subject)),
        ("扱い", told),
    )
    return Written("ラウンドテーブルミーティング 実施結果報告書", tuple(p for p in head if p[1]), tuple(sections))


def _lines(*texts: str) -> tuple[str, ...]:
    return tuple(line for text in texts for line in text.splitlines() if line.strip()) or (NONE,)


def _places(subject: Subject) -> Iterator[str]:
    kind = dict(PLACES).get(subject.text("plan.place_kind"), "")
    yield subject.text("plan.place") + (f"({kind})" if kind else "")
    if visit := subject.text("plan.visit"):
        yield f"視察先: {visit}"


def _attendance(subject: Subject, form: Filled, *, public: bool) -> Section:
    """Both sides as they were there; of the region's, who agreed to be named is named, to the bureau everybody."""
    sides = (("office_side", "道側", dict(RANKS), "rank"), ("region_side", "地域側", dict(SIDES), "kind"))
    rows = [
        (side, row.text("role"), called.get(row.text(key), ""))
        for group, side, called, key in sides
        for row in form.part(group).rows("items")
        if row.ticked("attended")
    ]
    absent = {
        search_key(row.text("role")) for row in form.part("region_side").rows("items") if not row.ticked("attended")
    }
    people = [row for row in form.part("people").rows("items") if search_key(row.text("role")) not in absent]
    names = [
        " ".join(filter(None, (row.text("role"), row.text("affiliation"), row.text("name"))))
        + ("" if public or row.ticked("by_name") else "(名前を出す同意なし)")
        for row in people
        if row.text("name")
    ]
    lines = [f"氏名{'(同意のある人)' if public else ''}: {'、'.join(names)}"] if names else []
    return Section(
        "出席者", tuple(lines) if rows else (*lines, NONE), ("側", "職・肩書", "区分"), tuple(rows), (2, 7, 5)
    )


def _voices(subject: Subject, form: Filled, *, named: bool, public: bool) -> Iterator[Section]:
    """The opinions by number, class of speaker, content and what the office said."""
    said = [one for one in opinions(subject) if not public or one.there]
    kinds = dict(KINDS)
    rows = [
        (
            one.no, _speaker(one, named=named), kinds.get(one.voice.text("kind"), ""),
            _content(one) + (f"\n「{words}」" if named and one.there and (words := one.speaker.text("verbatim")) else ""),
            one.voice.text("answer"),
        )
        for one in said
    ]  # fmt: skip
    lines = (
        *_summary(form),
        *(() if rows else ("公表する意見はありません。" if public else "記録した意見はありません。",)),
    )
    columns = ("番号", "発言者の区分", "種類", "内容", "局の発言")
    yield Section("主な意見", lines, columns, tuple(rows), (2, 4, 3, 9, 7))


def _summary(form: Filled) -> Sequence[str]:
    return form.part("report").text("summary").splitlines()


def _speaker(one: Said, *, named: bool) -> str:
    name = one.speaker.text("name") if named and one.there else ""
    return "\n".join(filter(None, (one.voice.text("speaker_class"), name)))


def _follow_ups(subject: Subject, form: Filled) -> Iterator[Section]:
    """What is to be done, by whom, by when and how; and what headquarters has to coordinate."""
    rows, asked = [], []
    for row in form.part("follow").rows("items"):
        by_headquarters = row.ticked("headquarters")
        rows.append(
            (
                row.text("action"),
                row.text("owner"),
                _day(row.text("due")),
                "本庁調整" if by_headquarters else "局で対応",
            )
        )
        if by_headquarters:
            asked.append(row.text("action"))
    ways = dict(WAYS)
    for one in opinions(subject):
        way = one.handling.text("way")
        if one.there and one.state != MERGED and way in ways and way not in ("spot", "information"):
            owner = {"municipality": _town(subject, one.handling.text("municipality")), "headquarters": "本庁"}.get(
                way, "局"
            )
            rows.append((f"意見{one.no} {one.voice.text('summary')}", owner, _day(one.handling.text("due")), ways[way]))
            if way == "headquarters":
                asked.append(f"意見{one.no} {one.voice.text('summary')}")
    columns = ("項目", "担当", "時期", "手段")
    yield Section("今後の対応", () if rows else (NONE,), columns, tuple(rows), (9, 3, 4, 3))
    yield Section("本庁調整を要する事項", _lines(*asked))


def _answers(subject: Subject) -> Iterator[Section]:
    """What the region was told; before that, that it will be."""
    told = subject.text("feedback.text") if subject.state in TOLD else ""
    yield Section("いただいた御意見への対応", _lines(told or "対応を進めています。結果は、改めてお知らせします。"))


def _photos(form: Filled, *, public: bool) -> Section:
    """The photos by name; who is on them only where the bureau keeps the paper."""
    lines = [
        row.text("file")
        + (
            ""
            if public
            else f"(写っている人: {row.text('who') or '書いていません'}{'' if row.ticked('public') else '。公表しない'})"
        )
        for row in form.part("photos").rows("items")
    ]
    return Section("写真", tuple(lines) or (NONE,))


# ── the list ────────────────────────────────────────────────────────────────────────────────────────────────────────

Value = Callable[[Subject, Said], str]


def _of(labels: Sequence[tuple[str, str]], path: str) -> Value:
    part, _, key = path.partition(".")
    return lambda subject, said: dict(labels).get(getattr(said, part).text(key), "")


def _text(path: str) -> Value:
    part, _, key = path.partition(".")
    return lambda subject, said: str(getattr(said, part).text(key))


def _answer(subject: Subject, said: Said) -> str:
    return said.answer.text("text")


def _public_answer(subject: Subject, said: Said) -> str:
    """The answer, once the region has been told."""
    return said.answer.text("text") if subject.state in TOLD else ""


def _place(subject: Subject, said: Said) -> str:
    return _town(subject, said.voice.text("municipality"))


_COMMON: tuple[tuple[str, int, Value], ...] = (
    ("番号", 5, lambda subject, said: said.no), ("種類", 8, _of(KINDS, "voice.kind")), ("分野", 14, _of(FIELDS, "voice.field")),
    ("市町村", 9, _place), ("発言者の区分", 11, _text("voice.speaker_class")), ("意見の要旨", 34, lambda subject, said: _content(said)),
    ("その場での答え", 24, _text("voice.answer")), ("同じ意見(件)", 7, lambda subject, said: str(said.same) if said.same else ""),
)  # fmt: skip
_SPOKEN: tuple[tuple[str, int, Value], ...] = (
    ("発言した人", 13, lambda subject, said: said.speaker.text("name") if said.there else ""),
    ("言葉のまま", 28, lambda subject, said: said.speaker.text("verbatim") if said.there else ""),
)
_HANDLED: tuple[tuple[str, int, Value], ...] = (
    ("取扱い", 12, _of(WAYS, "handling.way")), ("いつまで", 13, lambda subject, said: _day(said.handling.text("due"))),
    ("いま", 13, lambda subject, said: said.word), ("反映の区分", 6, _text("answer.grade")), ("地域への回答", 30, _answer),
)  # fmt: skip
_ANSWERED: tuple[tuple[str, int, Value], ...] = (("地域への回答", 30, _public_answer),)
# A datum a cell, keys as they are kept.
_DATA: tuple[tuple[str, Value], ...] = (
    ("会議番号", lambda subject, said: subject.number), ("番号", lambda subject, said: said.no), ("種類コード", _text("voice.kind")),
    ("分野コード", _text("voice.field")), ("市町村コード", _text("voice.municipality")), ("発言者の区分", _text("voice.speaker_class")),
    ("意見の要旨", _text("voice.summary")), ("その場での答え", _text("voice.answer")), ("同じ意見の件数", lambda subject, said: str(said.same)),
)  # fmt: skip
_DATA_HANDLED: tuple[tuple[str, Value], ...] = (
    ("取扱いコード", _text("handling.way")), ("期限", lambda subject, said: _iso(said.handling.text("due"))), ("状態コード", lambda subject, said: said.state),
    ("反映の区分コード", _text("answer.grade")), ("地域への回答", _answer),
)  # fmt: skip


def _iso(text: str) -> str:
    day = read_date(text).date
    return day.isoformat() if day else text


def listing(subject: Subject) -> Written:
    """The list of opinions for the offices, as far as its reader may read it."""
    named = any(said.speaker for said in opinions(subject))
    columns = (*_COMMON, *(_SPOKEN if named else ()), *_HANDLED)
    return _listing(subject, opinions(subject), columns, (*_DATA, *_DATA_HANDLED), NAMED if named else INSIDE)


def public_listing(subject: Subject) -> Written:
    """The list that is given out: what the bureau marked as public."""
    said = [one for one in opinions(subject) if one.there]
    return _listing(subject, said, (*_COMMON, *_ANSWERED), (*_DATA, ("地域への回答", _public_answer)), GIVEN_OUT)


def _listing(
    subject: Subject, said: Sequence[Said], columns: Sequence[tuple[str, int, Value]], data: Sequence[tuple[str, Value]], told: str
) -> Written:  # fmt: skip
    rows = tuple(tuple(value(subject, one) for _, _, value in columns) for one in said)
    plain = tuple(tuple(value(subject, one) for _, value in data) for one in said)
    return Written(
        f"{subject.text('plan.name')} 意見一覧({told.partition('。')[0]})",
        sections=(
            Section("意見一覧", (), tuple(c[0] for c in columns), rows, tuple(c[1] for c in columns)),
            Section("データ", (), tuple(c[0] for c in data), plain, data=True),
        ),
    )


RECORDS = (
    Record("report", "実施結果報告書", report, HELD),
    Record("report_public", "実施結果報告書(公表用)", public_report, HELD, tells=given_out),
    Record("opinions", "意見一覧", listing, HELD, listing=True),
    Record("opinions_public", "意見一覧(公表用)", public_listing, HELD, listing=True, tells=given_out),
)
