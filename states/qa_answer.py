"""An answer that others may read (Q&A): made general, agreed to by who asked, published with a day to which it is true, corrected aloud."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from states.consultation.form import CHANNELS, FIELDS
from states.dates import read_date
from states.forms import Field, Form, Group, Table
from states.kernel import Process
from states.outputs import Published
from states.terms import CLOCK, OUTSIDE, STAY, Action, Ask, Deadline, Facts, Input, State, Verdict, block, guard

BUREAU, DIRECTOR, PARTNER = (frozenset({role}) for role in ("bureau", "director", "partner"))
SYSTEM = "system"  # a municipality reads it here, and hears of a correction by itself
FORM = Form((
    Group("answer", "問いと答え", (
        Field("question", "問い", need=True, most=200), Field("text", "答え", "long", need=True), Field("field", "分野", "choice", options=FIELDS), Field("basis", "根拠", "long"),
        Field("valid_until", "いつまで有効か", "date", need=True), Field("anonymous", "人と場所が分からないように直した", "tick"),
    )),
    Group("source", "もとの相談", (Field("number", "相談の番号", inside=True),), typed=False),
    Group("consent", "同意", (Field("how", "だれから、どう得たか", inside=True), Field("on", "同意の日", "date")), typed=False),
    Group("correction", "訂正", (Field("wrong", "誤っていたこと", "long"), Field("right", "正しい答え", "long"), Field("on", "訂正の日", "mark")), typed=False),
    Group("receivers", "渡した相手", (Table("items", "渡した相手", (
        Field("to", "市町村", "municipality"), Field("who", "市町村のほかの相手", inside=True), Field("how", "渡した方法", "choice", options=(*CHANNELS, (SYSTEM, "このシステム"))),
        Field("on", "渡した日", "mark"), Field("edition", "受け取った版", "mark"), Field("told", "訂正を知らせた日", "mark"), Field("told_how", "知らせた方法"),
    )),), typed=False),
    Group("edition", "版", (Field("no", "版", "mark"), Field("on", "公開の日", "mark")), typed=False),
), reports=frozenset({"answer"}))  # fmt: skip


@guard(None)
def made_general(facts: Facts) -> Any:
    if not facts.read.part("answer").ticked("anonymous"):
        yield block("人と場所が分からないように直したことを確かめて、印を付けてください。", "answer.anonymous")


@guard("I-05")
def true_to_a_day(facts: Facts) -> Any:
    until = _until(facts)
    if until is None or until <= facts.today:
        yield block("いつまで有効かを、明日より先の日で書いてください。", "answer.valid_until")


@guard("I-05")
def renewed_to_a_day(facts: Facts) -> Any:
    typed = str(facts.inputs.get("until") or "")
    read = read_date(typed)
    if typed and (read.date is None or read.date <= facts.today):
        yield Verdict(
            block("").level, f"いつまで有効かを、明日より先の日で書いてください。{read.problem}", "until", "I-05"
        )


@guard(None)
def agreed(facts: Facts) -> Any:
    if not facts.read.text("consent.how"):
        yield Verdict(block("").level, "相談した人の同意がまだ記録されていません。", "consent.how")


def _until(facts: Facts) -> date | None:
    day = facts.read.part("answer").day("valid_until")
    return day if isinstance(day, date) else None


def _no(facts: Facts) -> str:
    """Which edition stands; "0" before the first."""
    return str((facts.form.get("edition") or {}).get("no") or "0")


def _edition(facts: Facts) -> Mapping[str, Any]:
    return {"edition": {"no": str(int(_no(facts)) + 1), "on": facts.today.isoformat()}}


# --- who received it -------------------------------------------------------------------------------------------------


def _receivers(facts: Facts) -> list[dict[str, Any]]:
    return [dict(row) for row in (facts.form.get("receivers") or {}).get("items") or ()]


def _given(facts: Facts, edition: str, **row: str) -> dict[str, Any]:
    return {**row, "on": facts.today.isoformat(), "edition": edition}


def _published(facts: Facts) -> Mapping[str, Any]:
    """The first edition; who asked has the answer already, be it a municipality or somebody who reads nothing here."""
    told = _edition(facts)
    rows, edition = _receivers(facts), told["edition"]["no"]
    known = {row.get("to") for row in rows}
    rows += [
        _given(facts, edition, to=code, how=SYSTEM) for code in facts.registers.get("partners", ()) if code not in known
    ]
    parent = facts.registers.get("parent") or {}
    asked = (parent.get("form") or {}).get("receipt") or {}
    if asked and asked.get("asker") != "municipality" and not any(row.get("who") for row in rows):
        rows.append(
            _given(
                facts,
                edition,
                who=f"もとの相談の相談者({parent.get('number') or ''})",
                how=str(asked.get("channel") or ""),
            )
        )
    return {**told, "receivers": {"items": rows}}


def _sent(facts: Facts) -> Mapping[str, Any]:
    row = _given(facts, _no(facts), to=str(facts.inputs.get("to") or ""), how=SYSTEM)
    return {"receivers": {"items": [*_receivers(facts), row]}}


def _noted(facts: Facts) -> Mapping[str, Any]:
    row = _given(facts, _no(facts), who=str(facts.inputs.get("who") or ""), how=str(facts.inputs.get("how") or ""))
    return {"receivers": {"items": [*_receivers(facts), row]}}


def untold(facts: Facts) -> int:
    """How many hold an earlier edition who are told of its correction by people."""
    return sum(row.get("how") != SYSTEM and row.get("edition") != _no(facts) for row in _receivers(facts))


def _some_untold(facts: Facts) -> bool:
    return untold(facts) > 0


def _resting(facts: Facts) -> list[dict[str, Any]]:
    """Who was answered with it in a consultation that quotes it, where that is not on the list yet."""
    known = {row.get("who") for row in _receivers(facts)}
    told = (
        f"これを引いて答えた相談の相談者({one['number']})"
        for one in facts.registers.get("quoted", ())
        if one["process"] == "consultation"
    )
    return [_given(facts, _no(facts), who=who) for who in told if who not in known]


def _corrected(facts: Facts) -> Mapping[str, Any]:
    """A new edition; the municipalities have it by this act, the others when somebody has told them."""
    told = {
        "answer": {"text": str(facts.inputs.get("right") or "")},
        "correction": {"on": facts.today.isoformat()},
        **_edition(facts),
    }
    now = {"edition": told["edition"]["no"], "told": facts.today.isoformat()}
    rows = [row | now if row.get("how") == SYSTEM else row for row in _receivers(facts)] + _resting(facts)
    return {**told, "receivers": {"items": rows}} if rows else told


def _all_told(facts: Facts) -> Mapping[str, Any]:
    now = {"edition": _no(facts), "told": facts.today.isoformat(), "told_how": str(facts.inputs.get("how") or "")}
    rows = [row if row.get("edition") == _no(facts) else row | now for row in _receivers(facts)]
    return {"receivers": {"items": rows}}


@guard(None)
def not_sent_yet(facts: Facts) -> Any:
    if any(row.get("to") == facts.inputs.get("to") for row in _receivers(facts)):
        yield Verdict(block("").level, "この市町村には、もう渡しています。訂正も届きます。", "to")


@guard(None)
def everybody_told(facts: Facts) -> Any:
    if count := untold(facts):
        yield block(
            f"訂正をまだ知らせていない相手が{count}あります。知らせて、「訂正を知らせたことを記録する」を先に行ってください。"
        )


def _receiver(facts: Facts) -> Sequence[tuple[str, str]]:
    return [("partner", str(facts.inputs.get("to") or ""))]


STATES = (
    State("qa_new", "候補の起案", "準備", "bureau", private=True),
    State("qa_candidate", "Q&Aの候補", "準備", "bureau", "匿名にして、同意を得る"),
    State("qa_consented", "同意済み", "準備", "director", "公開してよいか確かめる"),
    State("qa_published", "公開中", "公開", "bureau"),
    State("qa_stale", "期限切れ", "公開", "bureau", "確かめて、期限を改めるか取り下げる"),
    State("qa_expired", "取下げ", "終了", final=True, outcome="公開を終えた"),
    State("qa_dropped", "見送り", "終了", final=True, outcome="公開しなかった"),
)
ACTIONS = (
    Action("propose", ("qa_new",), "qa_candidate", "候補にする", BUREAU, "匿名にする作業を始めます", numbers=("branch",)),
    Action("edit_answer", ("qa_candidate",), STAY, "問いと答えを直す", BUREAU, "書いた内容が残ります", guards=(FORM.letters,), edits=frozenset({"answer"})),
    Action(
        "consent", ("qa_candidate",), "qa_consented", "同意を記録する", BUREAU, "局長が公開してよいか確かめます",
        guards=(FORM.letters, FORM.lacking("answer"), made_general, true_to_a_day), edits=frozenset({"answer"}),
        asks=(Input("how", "だれから、どう同意を得たか", into="consent.how"), Input("on", "同意の日", "date", into="consent.on")), tells=DIRECTOR, main=True,
    ),
    Action("return_candidate", ("qa_consented",), "qa_candidate", "差し戻す", DIRECTOR, "担当に戻ります", asks=(Input("reason", "直してほしいこと", internal=True),), tells=BUREAU),
    Action("publish_answer", ("qa_consented",), "qa_published", "公開する", DIRECTOR, "どの局と市町村も、公開Q&Aで読めるようになります", guards=(agreed, made_general, true_to_a_day), record=_published, tells=BUREAU | PARTNER, main=True),
    Action("send_answer", ("qa_published",), STAY, "市町村に渡す", BUREAU, "渡した市町村が読め、訂正も届きます", guards=(not_sent_yet,), asks=(Input("to", "市町村", "municipality"),), parties=_receiver, record=_sent, tells=PARTNER),
    Action(
        "note_receiver", ("qa_published", "qa_stale"), STAY, "渡した相手を記録する", BUREAU, "訂正したときに、知らせる相手として挙がります",
        asks=(Input("who", "渡した相手", hint="団体や人。このシステムで読まない相手"), Input("how", "渡した方法", "choice", choices=CHANNELS)), record=_noted,
    ),
    Action(
        "correct", ("qa_published", "qa_stale"), STAY, "訂正する", BUREAU, "受け取ったすべての市町村に訂正を知らせます。ほかの相手には、局が知らせます",
        asks=(Input("wrong", "誤っていたこと", into="correction.wrong"), Input("right", "正しい答え", into="correction.right")), record=_corrected, tells=PARTNER | DIRECTOR,
    ),
    Action(
        "tell_receivers", ("qa_published", "qa_stale"), STAY, "訂正を知らせたことを記録する", BUREAU, "渡した相手がみな訂正を知ったことが残ります", when=_some_untold,
        asks=(Input("how", "どう知らせたか", hint="電話、文書など"),), record=_all_told, main=True,
    ),
    Action("lapse_answer", ("qa_published",), "qa_stale", "期限が来た", frozenset({CLOCK}), "担当が確かめます", tells=BUREAU),
    Action("renew", ("qa_published", "qa_stale"), "qa_published", "期限を改める", BUREAU, "新しい期限まで公開します", guards=(renewed_to_a_day,), asks=(Input("until", "いつまで有効か", "date", into="answer.valid_until"),), main=True),
    Action("take_down", ("qa_published", "qa_stale"), "qa_expired", "公開を終える", BUREAU, "受け取った市町村に知らせます", guards=(everybody_told,), asks=(Input("reason", "終える理由"),), tells=PARTNER, stops=True),
    Action("drop_answer", ("qa_candidate", "qa_consented"), "qa_dropped", "見送る", BUREAU, "公開しません", asks=(Input("reason", "見送る理由", internal=True),), stops=True),
)  # fmt: skip
DEADLINES = (
    Deadline("consent", "同意を得る期限", "bureau", frozenset({"qa_candidate"}), 20),
    Deadline("publish", "公開を確かめる期限", "director", frozenset({"qa_consented"}), 5),
    Deadline("valid", "有効の期限", "bureau", frozenset({"qa_published"}), at=_until, starts=frozenset({"renew"}), move="lapse_answer"),
    Deadline("tell", "訂正を知らせる期限", "bureau", frozenset({"qa_published", "qa_stale"}), 3, starts=frozenset({"correct"}), owed=_some_untold),
    Deadline("renew", "確かめる期限", "bureau", frozenset({"qa_stale"}), 5),
)  # fmt: skip


def asks(facts: Facts) -> Sequence[Ask] | None:
    """While somebody holds what was wrong, that comes first; else what the state asks."""
    count = untold(facts)
    if not count or facts.state not in ("qa_published", "qa_stale"):
        return None
    return [Ask("bureau", f"訂正を、渡した相手({count})に知らせる", "tell", also=("renew",))]


def reads(kind: str, roles: frozenset[str], state: str) -> bool:
    """Where it came from and who agreed stays with the office; the rest is read once it is published."""
    if not kind.startswith("form:"):
        return not (roles <= OUTSIDE and kind.startswith(("internal", "shown")))
    group = kind.removeprefix("form:").partition(":")[0]
    if group in ("source", "consent", "receivers", "thread"):
        return not roles <= OUTSIDE
    return not roles <= OUTSIDE or state in ("qa_published", "qa_stale", "qa_expired")


def title(form: Mapping[str, Any]) -> str:
    question = " ".join(str((form.get("answer") or {}).get("question") or "").split())
    return f"Q&A: {question if len(question) <= 40 else question[:40] + '…'}" if question else "(Q&A)"


PROCESS = Process(
    key="qa_answer", version=1, label="相談のQ&A", states=STATES, table=ACTIONS, form=FORM, read=FORM.read, fields=FORM.fields, told=FORM.told,
    wording=FORM.wording, title=title, deadlines=DEADLINES, asks=asks, reads=reads, needs=frozenset({"parent", "quoted"}), words={"origins": {"consultation": "相談から"}},
    published=Published(
        "公開Q&A", frozenset({"qa_published", "qa_stale"}), head="answer.question", text="answer.text", until="answer.valid_until", on="edition.on",
        kind="answer.field", wrong="correction.wrong", told=("answer.basis",), stale=frozenset({"qa_stale"}), beside=frozenset({"consultation"}),
    ),
)  # fmt: skip
