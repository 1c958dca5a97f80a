"""Coordination by headquarters (本庁調整, 開催協力依頼): asked by a bureau, sent to departments with a day, put together, told back.

What departments answer, and what headquarters makes of it, stays inside; the bureau words what the region hears.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from states.forms import Field, Form, Group, Table
from states.kernel import Process
from states.terms import OUTSIDE, STAY, Action, Ask, Deadline, Facts, Input, State, Verdict, block, guard, warn

ANSWERS = (
    ("can", "対応できる"),
    ("partly", "一部は対応できる"),
    ("cannot", "対応できない"),
    ("not_ours", "所管ではない"),
    ("information", "情報を提供する"),
)

REQUEST = Group(
    "request", "依頼",
    (
        Field("subject", "件名", most=120), Field("text", "求めること", "long"), Field("why", "局で対応できない理由", "long"), Field("due", "いつまで", "date"),
        Field("quick", "速やかな対応が要る", "tick"), Field("municipality", "市町村", "municipality"),
    ),
    typed=False,
)  # fmt: skip
DISTRIBUTION = Group(
    "distribution", "各部への照会",
    (
        Table(
            "items", "照会する部", (Field("department", "部", "department"), Field("question", "聞くこと", "long", hint="空けておくと、依頼のとおりに聞きます")),
            add="部を足す", need=True,
        ),
        Field("due", "回答の期限", "date", hint="空けておくと、10営業日後です。"),
        Field("on", "照会した日", "mark"),
    ),
)  # fmt: skip
REPLY = Group(
    "reply", "各部の回答",
    (Field("answer", "回答", "choice", options=ANSWERS), Field("text", "内容", "long"), Field("on", "答えた日", "mark"), Field("by", "答えた人", "mark")),
    many=True, typed=False,
)  # fmt: skip
SYNTHESIS = Group(
    "synthesis", "調整の結果",
    (
        Field("text", "局への情報提供", "long", need=True, hint="局と本庁の中の言葉です。地域には見えません。"),
        Field("regional", "地域に伝えられること", "long", hint="局が地域への回答をまとめるときの下書きになります。"),
        Field("on", "知らせた日", "mark"),
    ),
)  # fmt: skip
FORM = Form((REQUEST, DISTRIBUTION, REPLY, SYNTHESIS), reports=frozenset({"synthesis"}))
BUREAU, DIRECTOR, HEADQUARTERS, DEPARTMENT = (
    frozenset({role}) for role in ("bureau", "director", "headquarters", "department")
)

STATES = (
    State("coordination_new", "準備", "依頼", "bureau"),
    State("coordination_asked", "本庁の振り分け待ち", "照会", "headquarters", "関係する部に照会する"),
    State("coordination_departments", "各部の回答待ち", "照会", "department"),
    State("coordination_replied", "取りまとめ", "取りまとめ", "headquarters", "回答を取りまとめて、局に知らせる"),
    State("coordination_informed", "情報提供済み", "終了", final=True, outcome="結果を局に知らせた"),
    State("coordination_returned", "本庁では扱わない", "終了", final=True, outcome="本庁では扱わないと返した"),
    State("coordination_withdrawn", "取下げ", "終了", final=True, outcome="局が取り下げた"),
)
OPEN = ("coordination_asked", "coordination_departments", "coordination_replied")


def departments(facts: Facts) -> list[str]:
    """The departments that are asked, in the order of the list."""
    return list(dict.fromkeys(row.text("department") for row in facts.read.part("distribution").rows("items")))


def waiting(facts: Facts) -> list[str]:
    replies = facts.read.each("reply")
    return [code for code in departments(facts) if not replies.get(code)]


def _last(facts: Facts) -> bool:
    """Whether this answer is the one that all wait for."""
    return waiting(facts) in ([], [str(facts.registers.get("acting_org", ""))])


def _asked(facts: Facts) -> Sequence[tuple[str, str]]:
    return [("asked", code) for code in departments(facts)]


def _distributed(facts: Facts) -> Mapping[str, Any]:
    part = facts.read.part("distribution")
    due = part.text("due") or facts.calendar.add_business_days(facts.today, 10).isoformat()
    return {"distribution": {"due": due, "on": facts.today.isoformat()}}


def _replied(facts: Facts) -> Mapping[str, Any]:
    return {f"reply:{facts.registers['acting_org']}": {"on": facts.today.isoformat(), "by": facts.actor}}


def _informed(facts: Facts) -> Mapping[str, Any]:
    return {"synthesis": {"on": facts.today.isoformat()}}


def _synthesis_begins(facts: Facts) -> Mapping[str, Mapping[str, Any]]:
    """The replies one after the other, for headquarters to make one text of them."""
    labels = dict(ANSWERS)
    told = [
        f"({labels.get(reply.text('answer'), '')}) {reply.text('text')}" for reply in facts.read.each("reply").values()
    ]
    return {"synthesis": {"text": "\n".join(told)}} if told else {}


@guard(None)
def somebody_is_asked(facts: Facts) -> Any:
    rows = facts.read.part("distribution").rows("items")
    if any(not row.text("department") for row in rows):
        yield block("どの部に聞くかを選んでください。", "distribution.items")
    codes = [row.text("department") for row in rows]
    if len(set(codes)) != len(codes):
        yield block("同じ部が二度あります。一つにまとめてください。", "distribution.items")
    if missing := [code for code in facts.read.each("reply") if code not in codes]:
        yield block(f"もう答えた部を照会から外せません({len(missing)}部)。", "distribution.items")
    part = facts.read.part("distribution")
    day = part.day("due")
    if part.text("due") and day is None:
        yield Verdict(
            block("").level, f"回答の期限を読み取れません。{part.reading('due').problem}", "distribution.due", "I-05"
        )
    elif day and day < facts.today:
        yield block("回答の期限が過ぎた日になっています。", "distribution.due")


@guard(None)
def asked_of_this_department(facts: Facts) -> Any:
    """Only who is asked answers; a department that was asked before reads on, but has nothing to say."""
    org = str(facts.registers.get("acting_org", ""))
    if org and org not in departments(facts):
        yield block("この照会は、いまのあなたの部あてではありません。")


@guard(None)
def every_department_replied(facts: Facts) -> Any:
    if missing := waiting(facts):
        yield warn(f"まだ答えていない部が{len(missing)}あります。待たずに取りまとめると、その部の回答は入りません。")


ACTIONS = (
    Action("ask", ("coordination_new",), "coordination_asked", "本庁に調整を依頼する", BUREAU | DIRECTOR, "本庁の主管局が関係する部に照会します", numbers=("branch",), tells=HEADQUARTERS),
    Action(
        "distribute", ("coordination_asked",), "coordination_departments", "関係する部に照会する", HEADQUARTERS, "各部の連絡員に届き、期限が動きます",
        guards=(FORM.letters, FORM.lacking("distribution"), somebody_is_asked), edits=frozenset({"distribution"}), record=_distributed, parties=_asked,
        tells=DEPARTMENT | BUREAU, main=True,
    ),
    Action(
        "redistribute", ("coordination_departments", "coordination_replied"), "coordination_departments", "照会する部や期限を改める", HEADQUARTERS, "加わった部にも届きます",
        guards=(FORM.letters, FORM.lacking("distribution"), somebody_is_asked), edits=frozenset({"distribution"}), record=_distributed, parties=_asked,
        leaves=lambda facts: [("asked", code) for code in facts.registers.get("asked", ()) if code not in departments(facts)], tells=DEPARTMENT,
    ),
    *(
        Action(
            "reply", ("coordination_departments",), dest, "照会に回答する", DEPARTMENT, effect, guards=(asked_of_this_department,), when=when,
            asks=(
                Input("answer", "回答", "choice", choices=ANSWERS, into="reply:{acting_org}.answer"),
                Input("text", "内容", into="reply:{acting_org}.text"),
            ),
            record=_replied, tells=HEADQUARTERS, main=True,
        )
        for dest, when, effect in (
            ("coordination_replied", _last, "本庁の主管局が取りまとめます"),
            (STAY, lambda facts: not _last(facts), "本庁の主管局に届きます"),
        )
    ),
    Action(
        "inform", ("coordination_departments", "coordination_replied"), "coordination_informed", "取りまとめて局に知らせる", HEADQUARTERS, "局に届き、局が地域への回答をまとめます",
        guards=(FORM.letters, FORM.lacking("synthesis"), every_department_replied), edits=frozenset({"synthesis"}), record=_informed, begins=_synthesis_begins,
        asks=(Input("early", "待たずに取りまとめる理由", required=False, hint="まだ答えていない部があるときに書きます", internal=True),), tells=BUREAU | DIRECTOR | DEPARTMENT, main=True,
    ),
    Action(
        "return_request", ("coordination_asked",), "coordination_returned", "本庁では扱わないと返す", HEADQUARTERS, "局に戻ります",
        asks=(Input("reason", "扱わない理由", into="synthesis.text"),), record=_informed, tells=BUREAU, stops=True,
    ),
    Action(
        "withdraw", OPEN, "coordination_withdrawn", "依頼を取り下げる", BUREAU, "各部への照会も終わります", asks=(Input("reason", "取り下げる理由", internal=True),),
        tells=HEADQUARTERS | DEPARTMENT, stops=True,
    ),
)  # fmt: skip


def _due(facts: Facts) -> date | None:
    day = facts.read.part("distribution").day("due")
    return day if isinstance(day, date) else None


DEADLINES = (
    Deadline("route", "振り分けの期限", "headquarters", frozenset({"coordination_asked"}), 3),
    Deadline("reply", "各部の回答の期限", "department", frozenset({"coordination_departments"}), at=_due, starts=frozenset({"redistribute"})),
    Deadline("synthesis", "取りまとめの期限", "headquarters", frozenset({"coordination_replied"}), 5),
)  # fmt: skip


def asks(facts: Facts) -> Sequence[Ask] | None:
    """The departments that have not answered, one by one."""
    if facts.state != "coordination_departments":
        return None
    return [Ask("department", "照会に回答する", "reply", org=code) for code in waiting(facts)]


def reads(kind: str, roles: frozenset[str], state: str) -> bool:
    """Nobody outside reads it; a department reads what is asked and, at the end, what came of it – not what others answer."""
    if roles <= OUTSIDE:
        return False
    if roles <= OUTSIDE | {"department"}:
        ended = state == "coordination_informed"
        if kind.startswith("form:"):
            return kind in ("form:request", "form:distribution") or (kind == "form:synthesis" and ended)
        return not kind.startswith(("internal", "shown"))
    return True


def title(form: Mapping[str, Any]) -> str:
    line = " ".join(str((form.get("request") or {}).get("subject") or "").split())
    return f"本庁調整: {line if len(line) <= 40 else line[:40] + '…'}" if line else "(本庁調整)"


PROCESS = Process(
    key="coordination", version=1, label="本庁調整", states=STATES, table=ACTIONS, form=FORM, read=FORM.read, fields=FORM.fields, told=FORM.told,
    wording=FORM.wording, title=title, place=lambda form: str((form.get("request") or {}).get("municipality") or ""), deadlines=DEADLINES, asks=asks,
    reads=reads, needs=frozenset({"parent"}), inside=True,
    words={"origins": {"opinion": "意見から", "follow": "会の後の対応から", "consultation": "相談から", "holding": "開催の協力"}},
)  # fmt: skip
