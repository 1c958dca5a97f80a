"""An answer that others may read (Q&A): made general, agreed to by who asked, published with a day to which it is true, corrected aloud."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from states.forms import Field, Form, Group
from states.kernel import Process
from states.terms import CLOCK, OUTSIDE, STAY, Action, Deadline, Facts, Input, State, Verdict, block, guard

BUREAU, DIRECTOR, PARTNER = (frozenset({role}) for role in ("bureau", "director", "partner"))
FORM = Form((
    Group("answer", "問いと答え", (
        Field("question", "問い", need=True, most=200), Field("text", "答え", "long", need=True), Field("field", "分野"), Field("basis", "根拠", "long"),
        Field("valid_until", "いつまで有効か", "date", need=True), Field("anonymous", "人と場所が分からないように直した", "tick"),
    )),
    Group("source", "もとの相談", (Field("number", "相談の番号", inside=True),), typed=False),
    Group("consent", "同意", (Field("how", "だれから、どう得たか", inside=True), Field("on", "同意の日", "date")), typed=False),
    Group("correction", "訂正", (Field("wrong", "誤っていたこと", "long"), Field("right", "正しい答え", "long"), Field("on", "訂正の日", "mark")), typed=False),
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


@guard(None)
def agreed(facts: Facts) -> Any:
    if not facts.read.text("consent.how"):
        yield Verdict(block("").level, "相談した人の同意がまだ記録されていません。", "consent.how")


def _until(facts: Facts) -> date | None:
    day = facts.read.part("answer").day("valid_until")
    return day if isinstance(day, date) else None


def _edition(facts: Facts) -> Mapping[str, Any]:
    number = int(str((facts.form.get("edition") or {}).get("no") or "0")) + 1
    return {"edition": {"no": str(number), "on": facts.today.isoformat()}}


def _corrected(facts: Facts) -> Mapping[str, Any]:
    told = {"text": str(facts.inputs.get("right") or "")}
    return {"answer": told, "correction": {"on": facts.today.isoformat()}, **_edition(facts)}


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
    Action("publish_answer", ("qa_consented",), "qa_published", "公開する", DIRECTOR, "関係する市町村が読めるようになります", guards=(agreed, made_general, true_to_a_day), record=_edition, tells=BUREAU | PARTNER, main=True),
    Action("send_answer", ("qa_published",), STAY, "市町村に渡す", BUREAU, "渡した市町村が読め、訂正も届きます", asks=(Input("to", "市町村", "municipality"),), parties=_receiver, tells=PARTNER),
    Action(
        "correct", ("qa_published", "qa_stale"), "qa_published", "訂正する", BUREAU, "受け取ったすべての市町村に訂正を知らせます", guards=(true_to_a_day,),
        asks=(Input("wrong", "誤っていたこと", into="correction.wrong"), Input("right", "正しい答え", into="correction.right")), record=_corrected, tells=PARTNER | DIRECTOR,
    ),
    Action("lapse_answer", ("qa_published",), "qa_stale", "期限が来た", frozenset({CLOCK}), "担当が確かめます", tells=BUREAU),
    Action("renew", ("qa_published", "qa_stale"), "qa_published", "期限を改める", BUREAU, "新しい期限まで公開します", asks=(Input("until", "いつまで有効か", "date", into="answer.valid_until"),), main=True),
    Action("take_down", ("qa_published", "qa_stale"), "qa_expired", "公開を終える", BUREAU, "受け取った市町村に知らせます", asks=(Input("reason", "終える理由"),), tells=PARTNER, stops=True),
    Action("drop_answer", ("qa_candidate", "qa_consented"), "qa_dropped", "見送る", BUREAU, "公開しません", asks=(Input("reason", "見送る理由", internal=True),), stops=True),
)  # fmt: skip
DEADLINES = (
    Deadline("consent", "同意を得る期限", "bureau", frozenset({"qa_candidate"}), 20),
    Deadline("publish", "公開を確かめる期限", "director", frozenset({"qa_consented"}), 5),
    Deadline("valid", "有効の期限", "bureau", frozenset({"qa_published"}), at=_until, starts=frozenset({"renew"}), move="lapse_answer"),
    Deadline("renew", "確かめる期限", "bureau", frozenset({"qa_stale"}), 5),
)  # fmt: skip


def reads(kind: str, roles: frozenset[str], state: str) -> bool:
    """Where it came from and who agreed stays with the office; the rest is read once it is published."""
    if not kind.startswith("form:"):
        return not (roles <= OUTSIDE and kind.startswith(("internal", "shown")))
    group = kind.removeprefix("form:").partition(":")[0]
    if group in ("source", "consent", "thread"):
        return not roles <= OUTSIDE
    return not roles <= OUTSIDE or state in ("qa_published", "qa_stale", "qa_expired")


def title(form: Mapping[str, Any]) -> str:
    question = " ".join(str((form.get("answer") or {}).get("question") or "").split())
    return f"Q&A: {question if len(question) <= 40 else question[:40] + '…'}" if question else "(Q&A)"


PROCESS = Process(
    key="qa_answer", version=1, label="相談のQ&A", states=STATES, table=ACTIONS, form=FORM, read=FORM.read, fields=FORM.fields, told=FORM.told,
    wording=FORM.wording, title=title, deadlines=DEADLINES, reads=reads, needs=frozenset({"parent"}), words={"origins": {"consultation": "相談から"}},
)  # fmt: skip
