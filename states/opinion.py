"""An opinion from a round table (意見・課題): how it is handled, who owns it, by when, and the answer that went back to the region.

Who spoke stays with the bureau. What is told to the region and what is said inside are two texts.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from states import council_topic
from states.consultation.form import FIELDS as DESK_FIELDS
from states.dispatch.derived import draft
from states.forms import Field, Form, Group
from states.kernel import Process
from states.round_table.form import FIELDS, KINDS, WAYS
from states.round_table.masking import opinion_names_nobody
from states.terms import (
    OUTSIDE,
    Action,
    Ask,
    Brief,
    Child,
    Deadline,
    Derive,
    Facts,
    Guard,
    Input,
    Promise,
    State,
    block,
    guard,
)

SPOT, BUREAU_ITSELF, TOWN, HEADQUARTERS_ASKED, TEAM, DESK, COUNCIL, SHARED = (way for way, _ in WAYS)
CLASSES = (
    ("A", "A 趣旨に沿って措置した"),
    ("B", "B 実現に努力している"),
    ("C", "C 当面は実現が困難"),
    ("D", "D 実現が極めて困難"),
    ("S", "S その他"),
)

VOICE = Group(
    "voice", "意見",
    (
        Field("no", "番号", "mark"), Field("kind", "種類", "choice", options=KINDS, need=True), Field("summary", "意見の要旨", need=True, most=200),
        Field("field", "分野", "choice", options=FIELDS), Field("municipality", "市町村", "municipality"), Field("speaker_class", "発言者の区分", most=30),
        Field("answer", "その場での答え", "long"), Field("public", "公表してよい", "tick"),
    ),
)  # fmt: skip
SPEAKER = Group(
    "speaker",
    "発言した人",
    (Field("name", "発言した人", most=60), Field("verbatim", "言葉のまま", "long")),
    lead="局の中だけで読めます。",
)
HANDLING = Group(
    "handling", "取扱い",
    (
        Field("way", "取扱い", "choice", options=WAYS, need=True), Field("owner", "担当の職", "post", hint="局で対応するときに選びます。選ばなければ、局の担当の机に届きます。"),
        Field("municipality", "対応する市町村", "municipality", hint="市町村で対応するときに選びます。"), Field("due", "いつまで", "date", hint="その場で完結・情報共有のほかは要ります。"),
    ),
)  # fmt: skip
ASKING = Group(
    "asking", "本庁に求めること",
    (Field("text", "調整してほしいこと", "long"), Field("why", "局で対応できない理由", "long"), Field("quick", "速やかな対応が要る", "tick")),
    lead="本庁調整のときに書きます。局と本庁の中だけで読めます。",
)  # fmt: skip
RESULT = Group(
    "result",
    "対応の結果",
    (Field("text", "したこと・分かったこと", "long"), Field("on", "書いた日", "mark"), Field("by", "書いた人", "mark")),
    typed=False,
)
ANSWER = Group(
    "answer", "地域への回答",
    (Field("grade", "反映の区分", "choice", options=CLASSES, need=True), Field("text", "地域に知らせる言葉", "long", need=True), Field("on", "決めた日", "mark")),
)  # fmt: skip
MERGED = Group("merged", "まとめた先", (Field("into", "まとめた先の意見", "mark"),), typed=False)
INSIDE = Group(
    "inside", "局内・本庁向けの記録", (Field("text", "局と本庁の中の言葉", "long", hint="地域には見えません。"),)
)

FORM = Form((VOICE, SPEAKER, HANDLING, ASKING, RESULT, ANSWER, INSIDE, MERGED), kind="handling.way", reports=frozenset({"result", "answer"}))  # fmt: skip
BUREAU, DIRECTOR, PARTNER = frozenset({"bureau"}), frozenset({"director"}), frozenset({"partner"})
OFFICE = BUREAU | DIRECTOR | frozenset({"co_office"})

STATES = (
    State("opinion_new", "準備", "記録", "bureau"),
    State("opinion_open", "取扱い未定", "取扱い", "bureau", "意見の取扱いを決める"),
    State("opinion_bureau", "局で対応中", "対応", "bureau", "対応して、結果を書く"),
    State("opinion_municipality", "市町村で対応中", "対応", "partner", "対応して、結果を知らせる"),
    State("opinion_headquarters", "本庁調整中", "対応", "bureau"),
    State("opinion_linked", "ほかの案件で対応中", "対応", "bureau", "対応を見届けて、結果を書く"),
    State("opinion_answering", "回答の作成", "回答", "bureau", "地域への回答をまとめる"),
    State("opinion_answered", "回答済み", "終了", final=True, outcome="回答をまとめた"),
    State("opinion_settled", "その場で完結", "終了", final=True, outcome="その場で答えた"),
    State("opinion_shared", "情報共有のみ", "終了", final=True, outcome="情報として共有した"),
    State("opinion_merged", "ほかの意見にまとめた", "終了", final=True, outcome="同じ意見にまとめた"),
    State("opinion_withdrawn", "取下げ", "終了", final=True, outcome="発言者の申出により取り下げた"),
)
WORKING = ("opinion_bureau", "opinion_municipality", "opinion_linked")
OPEN = ("opinion_open", *WORKING, "opinion_headquarters", "opinion_answering")
DEST = {
    SPOT: "opinion_settled", BUREAU_ITSELF: "opinion_bureau", TOWN: "opinion_municipality", HEADQUARTERS_ASKED: "opinion_headquarters",
    TEAM: "opinion_linked", DESK: "opinion_linked", COUNCIL: "opinion_linked", SHARED: "opinion_shared",
}  # fmt: skip


def _way(facts: Facts) -> str:
    return str(facts.read.part("handling").text("way"))


def _goes(*ways: str) -> Callable[[Facts], bool]:
    return lambda facts: _way(facts) in ways


def _undecided(facts: Facts) -> bool:
    return _way(facts) not in DEST


def _town(facts: Facts) -> Sequence[tuple[str, str]]:
    return [("partner", facts.read.part("handling").text("municipality"))]


def _no_town(facts: Facts) -> Sequence[tuple[str, str]]:
    """A municipality that is not asked any more reads no further."""
    return [
        ("partner", code)
        for code in facts.registers.get("partners", ())
        if code != facts.read.part("handling").text("municipality") or _way(facts) != TOWN
    ]


def _reported(facts: Facts) -> Mapping[str, Any]:
    return {"result": {"on": facts.today.isoformat(), "by": facts.actor}}


def _answered(facts: Facts) -> Mapping[str, Any]:
    return {"answer": {"on": facts.today.isoformat()}}


def _settled(facts: Facts) -> Mapping[str, Any]:
    """What was said on the spot is what the region has heard."""
    return {"answer": {"grade": "S", "text": facts.read.part("voice").text("answer"), "on": facts.today.isoformat()}}


def _shared(facts: Facts) -> Mapping[str, Any]:
    text = "いただいた御意見は、関係する部署で共有しました。"
    return {"answer": {"grade": "S", "text": text, "on": facts.today.isoformat()}}


def _coordination(facts: Facts) -> Sequence[Child]:
    read = facts.read
    told = {
        "subject": read.part("voice").text("summary"), "text": read.part("asking").text("text"), "why": read.part("asking").text("why"),
        "due": read.part("handling").text("due"), "quick": read.part("asking").ticked("quick"), "municipality": read.part("voice").text("municipality"),
    }  # fmt: skip
    return [Child("coordination", "opinion", {"request": told}, "ask")]


def _coordinations(facts: Facts) -> list[Mapping[str, Any]]:
    return [child for child in facts.registers.get("children", ()) if child["process"] == "coordination"]


@guard(None)
def handled_by_somebody(facts: Facts) -> Any:
    """A way needs its owner and its day; what was settled on the spot needs the answer that was given."""
    part, way = facts.read.part("handling"), _way(facts)
    if way not in DEST:
        yield block("取扱いを選んでください。", "handling.way")
        return
    if way == SPOT and not facts.read.part("voice").text("answer"):
        yield block("その場で完結とするには、その場での答えを書いてください。", "voice.answer")
    if way == TOWN and facts.directory.municipality(part.text("municipality"), facts.today) is None:
        yield block("対応する市町村を選んでください。", "handling.municipality")
    if way == HEADQUARTERS_ASKED:
        for key, label in (("text", "調整してほしいこと"), ("why", "局で対応できない理由")):
            if not facts.read.part("asking").text(key):
                yield block(f"本庁調整とするには、「{label}」を書いてください。", f"asking.{key}")
    if way not in (SPOT, SHARED):
        day = part.day("due")
        if day is None:
            yield block("いつまでに対応するかを書いてください。", "handling.due")
        elif day < facts.today:
            yield block("対応の期限が過ぎた日になっています。", "handling.due")


@guard(None)
def headquarters_answered(facts: Facts) -> Any:
    if any(not child["final"] for child in _coordinations(facts)):
        yield block("本庁の調整がまだ終わっていません。結果が届くか、依頼を取り下げると進めます。")


def _other(facts: Facts) -> str:
    return str(facts.inputs.get("same_as") or "").strip()


@guard(None)
def merged_into_one(facts: Facts) -> Any:
    """Another opinion, which whoever merges may see."""
    number, named = _other(facts), facts.registers.get("named") or {}
    if number and number == facts.number:
        yield block("この意見自身の番号です。まとめる先の意見の番号を書いてください。", "same_as")
    elif number and named.get(number, {}).get("process") != "opinion":
        yield block("その番号の意見が見つかりません。番号を確かめてください。", "same_as")
    elif number and named[number]["state"] in ("opinion_merged", "opinion_withdrawn"):
        yield block(
            "その意見は、取り下げられたか、ほかの意見にまとめられています。まとめる先を改めてください。", "same_as"
        )


names_nobody = opinion_names_nobody(FORM, frozenset({"speaker"}))


def _handle() -> tuple[Action, ...]:
    """One row for each way; the first is what the page shows before anything is chosen."""

    def row(dest: str, when: Callable[[Facts], bool], effect: str, **more: Any) -> Action:
        return Action(
            "handle", ("opinion_open",), dest, "取扱いを決める", BUREAU, effect, guards=(FORM.letters, handled_by_somebody, headquarters_answered, names_nobody),
            edits=frozenset({"voice", "speaker", "handling", "asking"}), when=when, leaves=_no_town, main=True, **more,
        )  # fmt: skip

    return (
        row("opinion_bureau", lambda facts: _undecided(facts) or _way(facts) == BUREAU_ITSELF, "選んだ取扱いに進みます", tells=BUREAU),
        row("opinion_settled", _goes(SPOT), "その場で終わったものとして閉じます", record=_settled),
        row("opinion_municipality", _goes(TOWN), "市町村に伝わり、期限が動きます", parties=_town, tells=PARTNER),
        row("opinion_headquarters", _goes(HEADQUARTERS_ASKED), "本庁の主管局が関係する部に振り分けます", opens=_coordination, tells=frozenset({"headquarters"})),
        row("opinion_linked", _goes(TEAM, DESK, COUNCIL), "この案件から、派遣・相談・会議を起こせるようになります"),
        row("opinion_shared", _goes(SHARED), "情報として共有して閉じます", record=_shared),
    )  # fmt: skip


def _result(source: tuple[str, ...], by: frozenset[str], label: str, *guards: Guard) -> Action:
    return Action(
        "report", source, "opinion_answering", label, by, "局が地域への回答をまとめます",
        guards=guards, asks=(Input("text", "したこと・分かったこと", into="result.text"),), record=_reported, tells=BUREAU, main=True,
    )  # fmt: skip


def _answer_begins(facts: Facts) -> Mapping[str, Mapping[str, Any]]:
    """The answer begins with what headquarters proposes to say to the region, or with what was done."""
    told = [child["form"].get("synthesis") or {} for child in _coordinations(facts) if child["final"]]
    regional = "\n".join(text for part in told if (text := str(part.get("regional") or "").strip()))
    inside = "\n".join(text for part in told if (text := str(part.get("text") or "").strip()))
    found = {"answer": {"text": regional or facts.read.part("result").text("text")}, "inside": {"text": inside}}
    return {group: part for group, part in found.items() if part["text"]}


ACTIONS = (
    Action("note", ("opinion_new",), "opinion_open", "意見を記録する", BUREAU | DIRECTOR, "取扱いを決められるようになります", numbers=("branch",)),
    *_handle(),
    _result(("opinion_bureau", "opinion_linked"), BUREAU, "対応の結果を書く", names_nobody),
    _result(("opinion_municipality",), PARTNER | BUREAU, "対応の結果を知らせる"),
    Action(
        "answer", ("opinion_answering", "opinion_headquarters"), "opinion_answered", "回答をまとめる", BUREAU, "この意見の扱いが終わります。地域へは会の回答としてまとめて知らせます",
        guards=(FORM.letters, headquarters_answered, FORM.lacking("answer"), names_nobody), edits=frozenset({"answer", "inside"}), record=_answered, begins=_answer_begins, main=True,
    ),
    Action("rework", (*WORKING, "opinion_answering"), "opinion_open", "取扱いを改める", BUREAU, "取扱いを決めるところに戻ります", asks=(Input("reason", "改める理由", internal=True),)),
    Action(
        "merge", ("opinion_open", *WORKING, "opinion_answering"), "opinion_merged", "同じ意見にまとめる", BUREAU, "まとめた先の意見で答えます。どの意見をまとめたかは、経緯に残ります",
        guards=(headquarters_answered, merged_into_one), asks=(Input("same_as", "まとめる先の意見の番号", into="merged.into"),), links=lambda facts: [("merged", _other(facts))],
    ),
    Action(
        "withdraw", OPEN, "opinion_withdrawn", "取り下げる", BUREAU, "発言した人の申出によって終わります。内容の消去は、文書の担当が記録を残して行います",
        guards=(headquarters_answered,), asks=(Input("reason", "申出の内容", internal=True),), tells=PARTNER, stops=True,
    ),
)  # fmt: skip


def _due(*ways: str) -> Callable[[Facts], date | None]:
    def due(facts: Facts) -> date | None:
        day = facts.read.part("handling").day("due")
        return day if _way(facts) in ways and isinstance(day, date) else None

    return due


def _ended(facts: Facts) -> bool:
    found = _coordinations(facts)
    return bool(found) and all(child["final"] for child in found)


DEADLINES = (
    Deadline("handle", "取扱いを決める期限", "bureau", frozenset({"opinion_open"}), 5),
    Deadline("owner", "対応の期限", "bureau", frozenset({"opinion_bureau"}), at=_due(BUREAU_ITSELF)),
    Deadline("town", "対応の期限", "partner", frozenset({"opinion_municipality"}), at=_due(TOWN)),
    Deadline("linked", "対応を見届ける期限", "bureau", frozenset({"opinion_linked"}), at=_due(TEAM, DESK, COUNCIL)),
    Deadline("answer", "回答をまとめる期限", "bureau", frozenset({"opinion_answering"}), 10),
    # The days of the bureau begin when the last coordination has ended.
    Deadline("coordinated", "回答をまとめる期限", "bureau", frozenset({"opinion_headquarters"}), 10, owed=_ended),
)  # fmt: skip


def asks(facts: Facts) -> Sequence[Ask] | None:
    """The post that owns it, the municipality, or nobody while headquarters coordinates."""
    part = facts.read.part("handling")
    if facts.state == "opinion_bureau":
        owner = part.text("owner")
        return [Ask(f"#{owner}" if owner.isdecimal() else "bureau", "対応して、結果を書く", "owner")]
    if facts.state == "opinion_municipality":
        return [Ask("partner", "対応して、結果を知らせる", "town", org=part.text("municipality"))]
    if facts.state == "opinion_headquarters":
        return [Ask("bureau", "地域への回答をまとめる", "coordinated")] if _ended(facts) else []
    return None


def reads(kind: str, roles: frozenset[str], state: str) -> bool:
    """Who spoke stays with the bureau; a municipality that owns it reads the opinion and the answer, nothing from inside."""
    if roles & OFFICE:
        return True
    if kind == "form:speaker":
        return False
    if not roles <= OUTSIDE:
        return True
    if kind.startswith("form:"):
        return kind in ("form:voice", "form:handling", "form:result") or (
            kind == "form:answer" and state == "opinion_answered"
        )
    return not kind.startswith(("internal", "shown", "child"))


def title(form: Mapping[str, Any]) -> str:
    line = " ".join(str((form.get("voice") or {}).get("summary") or "").split())
    return f"意見: {line if len(line) <= 40 else line[:40] + '…'}" if line else "(意見)"


def _team(facts: Facts) -> Mapping[str, Any]:
    voice = facts.read.part("voice")
    what = "\n".join(filter(None, (voice.text("summary"), voice.text("answer"))))
    place = voice.text("municipality") or facts.read.part("handling").text("municipality")
    return draft(facts, "director.round_table", title=voice.text("summary"), purpose=what, place=place)


def _place(facts: Facts) -> str:
    return facts.read.text("voice.municipality") or str(facts.read.text("handling.municipality"))


def _desk(facts: Facts) -> Mapping[str, Any]:
    """A consultation that was heard at the meeting; who spoke stays behind."""
    voice, code = facts.read.part("voice"), _place(facts)
    town = facts.directory.municipality(code, facts.today) if code else None
    body = "\n".join(
        filter(None, (voice.text("summary"), voice.text("answer") and f"その場での答え: {voice.text('answer')}"))
    )
    field = voice.text("field")
    return {
        "matter": {"subject": voice.text("summary")[:120], "body": body, "municipality_name": town.name if town else ""},
        "receipt": {"channel": "meeting", "municipality_code": code, **({"field": field} if field in dict(DESK_FIELDS) else {})},
    }  # fmt: skip


def _topic(facts: Facts) -> Mapping[str, Any]:
    voice = facts.read.part("voice")
    text = "\n".join(filter(None, (voice.text("summary"), voice.text("answer"))))
    return council_topic.draft(facts, title=voice.text("summary"), text=text, place=_place(facts))


def _promised(read: Any, state: str) -> Sequence[Promise]:
    """What was answered to the region, and while it is in hand, by when an answer was promised."""
    ended = next((s for s in STATES if s.name == state), STATES[0]).final
    part = read.part("handling")
    if not part.text("way") or state in ("opinion_merged", "opinion_withdrawn"):
        return ()
    said = (
        read.part("answer").text("text")
        or f"「{read.part('voice').text('summary')}」に{dict(WAYS).get(part.text('way'), '')}として応じる"
    )
    by = "partner" if part.text("way") == TOWN else "bureau"
    return [Promise(said, by, part.day("due"), kept=ended)]


PROCESS = Process(
    key="opinion", version=1, label="意見", states=STATES, table=ACTIONS, form=FORM, read=FORM.read, fields=FORM.fields, told=FORM.told,
    wording=FORM.wording, title=title, place=lambda form: str((form.get("voice") or {}).get("municipality") or ""), deadlines=DEADLINES, asks=asks,
    reads=reads, needs=frozenset({"parent", "children", "named", "derived"}), inside=True,
    derives=(
        Derive(
            "team", "飛び出し隊を編成する", BUREAU | DIRECTOR, ("opinion_linked",), "dispatch", "director", _team, when=_goes(TEAM),
            effect="局長の判断による派遣の下書きができます。町と、この意見を書き入れます",
        ),
        Derive("desk", "相談として受け付ける", BUREAU, ("opinion_linked",), "consultation", "desk", _desk, when=_goes(DESK), effect="受付票の下書きができます。意見と市町村を書き入れます。発言した人は書き入れません"),
        Derive("topic", "連携会議の議題の候補にする", BUREAU, ("opinion_linked",), "council_topic", "office", _topic, when=_goes(COUNCIL), effect="議題の候補の下書きができます。意見と市町村を書き入れます"),
    ),
    brief=Brief(voice=lambda read: read.text("voice.summary"), promises=_promised, heard=lambda read: read.text("answer.text")),
    words={"origins": {"table": "ラウンドテーブル"}},
)  # fmt: skip
