"""地域づくり総合相談窓口: a question comes in by telephone, at the window or by mail, finds its owner, is answered and asked about again."""

from collections.abc import Mapping, Sequence
from datetime import date
from difflib import SequenceMatcher
from typing import Any

from states import council_topic
from states.consultation import table
from states.consultation.form import ALL_DISPOSITIONS, CHANNELS, FIELDS, FORM
from states.consultation.places import found
from states.dates import read_date
from states.dispatch import derived
from states.kernel import Process
from states.outputs import Monthly, Split
from states.places import Directory
from states.terms import Arrival, Brief, Derive, Facts, Promise
from states.text import search_key

ALIKE = 0.8  # of two subjects


def title(form: Mapping[str, Any]) -> str:
    subject = " ".join(str((form.get("matter") or {}).get("subject") or "").split())
    return subject or "(件名のない相談)"


def place(form: Mapping[str, Any]) -> str:
    """The municipality that was meant; while nobody has received it, the one that the words plainly name."""
    known = str((form.get("place") or {}).get("code") or "")
    said, receipt = form.get("matter") or {}, form.get("receipt") or {}
    if known or not said.get("municipality_name"):
        return known
    on = read_date(str(receipt.get("on") or "")).date or date.max
    code = str(receipt.get("municipality_code") or "")
    plain = found(Directory.from_csv(), on, str(said["municipality_name"]), code).municipality
    return plain.code if plain else ""


def arrival(form: Mapping[str, Any]) -> Arrival | None:
    receipt = form.get("receipt") or {}
    way = dict(CHANNELS).get(str(receipt.get("channel") or ""), "")
    return Arrival(way, read_date(str(receipt.get("on") or "")).date) if way else None


def alike(one: Any, other: Any) -> tuple[Sequence[str], bool]:
    """Two consultations may be one where they are called alike; whether they are, somebody says by merging."""
    first, second = sorted(search_key(read.text("matter.subject")) for read in (one, other))
    if first and SequenceMatcher(None, first, second, autojunk=False).ratio() >= ALIKE:
        return ["件名が同じか、よく似ています。"], False
    return (), False


def _promises(read: Any, state: str) -> Sequence[Promise]:
    """That it will be answered."""
    ended = state in ("cs_withdrawn", "cs_merged")
    kept = state in ("cs_answered", "cs_following", "cs_closed")
    return [Promise(f"相談「{read.text('matter.subject')}」に回答する", "bureau", kept=kept, dropped=ended)]


def _dispatch(facts: Facts) -> Mapping[str, Any]:
    """The director's own dispatch on the ground of a consultation; what was asked is its purpose to begin with."""
    read = facts.read
    return derived.draft(
        facts, "director.consultation", title=read.text("matter.subject"), purpose=read.text("matter.body"), place=read.text("place.code"),
    )  # fmt: skip


def _meeting(facts: Facts) -> Mapping[str, Any]:
    return {"plan": {"theme": facts.read.text("matter.subject"), "municipalities": facts.read.text("place.code")}}


def _topic(facts: Facts) -> Mapping[str, Any]:
    read = facts.read
    return council_topic.draft(
        facts, title=read.text("matter.subject"), text=read.text("matter.body"), place=read.text("place.code")
    )


def _again(facts: Facts) -> Mapping[str, Any]:
    """The same matter once more after its end; what was asked is there, what was answered stands in the earlier case."""
    form = facts.form
    return {"matter": dict(form.get("matter") or {}), "asker": dict(form.get("asker") or {})}


def _disposed(kind: str) -> Any:
    return lambda facts: facts.read.text("disposition.kind") == kind


OPEN = ("cs_hand", "cs_inquiring", "cs_answered", "cs_following", "cs_closed")
PROCESS = Process(
    key="consultation",
    version=1, order=30,
    label="地域づくり総合相談",
    states=table.STATES,
    table=table.ACTIONS,
    form=FORM,
    read=FORM.read,
    fields=FORM.fields,
    told=FORM.told,
    wording=FORM.wording,
    title=title,
    place=place,
    deadlines=table.DEADLINES,
    asks=table.asks,
    reads=table.reads,
    arrival=arrival,
    alike=alike,
    opens={"desk": table.BUREAU},
    needs=frozenset({"named", "children"}),
    mark="相談",
    derives=(
        Derive("dispatch", "この相談から派遣を編成する", table.BUREAU | table.DIRECTOR, OPEN, "dispatch", "director", _dispatch, _disposed("dispatch_candidate"), "派遣の下書きができます。町、件名、内容を書き入れます"),
        Derive("meeting", "この相談からラウンドテーブルを計画する", table.BUREAU, OPEN, "round_table", "office", _meeting, _disposed("round_table_candidate"), "計画の下書きができます。テーマと市町村を書き入れます"),
        Derive("topic", "この相談を連携会議の議題の候補にする", table.BUREAU, OPEN, "council_topic", "office", _topic, _disposed("council_candidate"), "議題の候補の下書きができます。件名、内容、市町村を書き入れます"),
        Derive("again", "同じ件でもう一度受け付ける", table.BUREAU, ("cs_closed",), "consultation", "desk", _again, effect="受付票の下書きができ、この相談とつながります"),
    ),
    words={
        "begins": {"desk": "相談を受け付ける"},
        "heading": {"desk": "相談を受け付ける"},
        "lead": {"desk": "件名、内容、市町村の3つを先に書きます。書いたそばから残ります。"},
        "origins": {"desk": "相談窓口"},
        "clauses": {"I-02": "文字", "I-05": "日付", "I-06": "市町村の同定"},
    },
    brief=Brief(voice=lambda read: read.text("matter.subject"), promises=_promises, heard=lambda read: read.text("follow.note")),
    monthly=Monthly(
        "総合相談の月次処理状況", came="receipt.on", answered=frozenset({"cs_answered", "cs_following", "cs_closed"}), void=frozenset({"cs_withdrawn", "cs_merged"}),
        splits=(
            Split("channel", "受けた方法", "receipt.channel", CHANNELS, "書かれていない"), Split("field", "分野", "receipt.field", FIELDS, "書かれていない"),
            Split("disposition", "処理の方針", "disposition.kind", ALL_DISPOSITIONS),
        ),
        shows=("owner.post", "owner.section", "extension.until", "extension.reason"),
    ),
)  # fmt: skip
