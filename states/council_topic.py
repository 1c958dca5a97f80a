"""A matter that a bureau would bring before the regional council (議題の候補): waiting, put on the agenda of a session, dealt with there."""

from collections.abc import Mapping, Sequence
from typing import Any

from states import thread
from states.forms import Field, Form, Group
from states.kernel import Process
from states.regional_council.form import AGENDA_KINDS
from states.terms import STAY, Action, Brief, Deadline, Facts, Input, Promise, State, Verdict, block, guard

BUREAU, DIRECTOR = frozenset({"bureau"}), frozenset({"director"})
SESSION = "regional_council"  # the process of the sessions that take one up
TOPIC = Group(
    "topic", "議題の候補",
    (
        Field("title", "議題", need=True, most=80), Field("kind", "種類", "choice", options=AGENDA_KINDS), Field("text", "会議で話し合ってほしいこと", "long", need=True),
        Field("municipality", "市町村", "municipality", hint="一つの市町村のことであるときだけ"),
    ),
    lead="連携会議で取り上げたいことを書きます。議題にするかは、会議ごとに決めます。",
)  # fmt: skip
FORM = Form((
    TOPIC,
    Group("session", "取り上げる会議", (Field("number", "会議の番号"), Field("on", "決めた日", "mark")), typed=False),
    Group("outcome", "会議の結果", (Field("text", "会議で決まったこと・出た意見", "long"), Field("on", "書いた日", "mark")), typed=False),
), kind="topic.kind", reports=frozenset({"outcome"}))  # fmt: skip


def _number(facts: Facts) -> str:
    return str(facts.inputs.get("session") or "").strip()


@guard(None)
def a_session_to_come(facts: Facts) -> Any:
    """A session that whoever takes it up may see and that is not over."""
    number, named = _number(facts), facts.registers.get("named") or {}
    other = named.get(number)
    if number and (other is None or other["process"] != SESSION):
        yield Verdict(block("").level, "その番号の会議が見つかりません。会議の番号を確かめてください。", "session")
    elif other and other["final"]:
        yield Verdict(block("").level, f"その会議は、もう終わっています({other['state_label']})。", "session")


def _on(group: str) -> Any:
    return lambda facts: {group: {"on": facts.today.isoformat()}}


def _tied(facts: Facts) -> Sequence[tuple[str, str]]:
    return [(thread.TAKEN_UP, _number(facts))]


STATES = (
    State("topic_new", "下書き", "候補", "bureau", private=True),
    State("topic_waiting", "議題の候補", "候補", "bureau", "取り上げる会議を決める"),
    State("topic_taken", "議題になった", "会議", "bureau", "会議の結果を書く"),
    State("topic_done", "会議で扱った", "終了", final=True, outcome="会議で扱った"),
    State("topic_declined", "取り上げない", "終了", final=True, outcome="議題にしなかった"),
)
ACTIONS = (
    Action("propose", ("topic_new",), "topic_waiting", "議題の候補にする", BUREAU, "連携会議の議題の候補として残ります", guards=(FORM.letters, FORM.lacking("topic")), edits=frozenset({"topic"}), numbers=("case",), main=True),
    Action("amend", ("topic_waiting",), STAY, "候補を直す", BUREAU, "書いた内容が残ります", guards=(FORM.letters, FORM.lacking("topic")), edits=frozenset({"topic"})),
    Action(
        "put_on_agenda", ("topic_waiting",), "topic_taken", "会議の議題にする", BUREAU, "会議とつながります。会議の「日程と議題を書く」で、議題に加えてください", guards=(a_session_to_come,),
        asks=(Input("session", "会議の番号", "case", into="session.number"),), record=_on("session"), links=_tied, tells=DIRECTOR, main=True,
    ),
    Action("put_back", ("topic_taken",), "topic_waiting", "候補に戻す", BUREAU, "別の会議で取り上げられるようになります", asks=(Input("reason", "戻す理由"),)),
    Action("record_outcome", ("topic_taken",), "topic_done", "会議の結果を書く", BUREAU, "この件が終わり、もとの案件に伝わります", asks=(Input("text", "会議で決まったこと・出た意見", into="outcome.text"),), record=_on("outcome"), tells=DIRECTOR, main=True),
    Action("decline_topic", ("topic_waiting",), "topic_declined", "取り上げない", BUREAU, "この件が終わり、もとの案件に伝わります", asks=(Input("reason", "取り上げない理由", internal=True),), stops=True),
)  # fmt: skip
DEADLINES = (Deadline("topic", "取り上げる会議を決める期限", "bureau", frozenset({"topic_waiting"}), 60),)


def title(form: Mapping[str, Any]) -> str:
    line = " ".join(str((form.get("topic") or {}).get("title") or "").split())
    return f"議題: {line}" if line else "(議題の候補)"


def draft(facts: Facts, *, title: str, text: str, place: str) -> dict[str, Any]:
    """The form of a topic that came of the case of these facts; `place` is the code of the municipality it is about."""
    line = " ".join(title.split())
    longest = 80
    short = line if len(line) <= longest else line[: longest - 1] + "…"
    return {"topic": {"title": short, "kind": "exchange", "text": text, "municipality": place}}


def _promised(read: Any, state: str) -> Sequence[Promise]:
    """That it will be brought before the council."""
    said = f"「{read.text('topic.title')}」を連携会議で取り上げる"
    return [Promise(said, "bureau", kept=state == "topic_done", dropped=state == "topic_declined")]


PROCESS = Process(
    key="council_topic", version=1, order=45, label="連携会議の議題の候補", states=STATES, table=ACTIONS, form=FORM, read=FORM.read, fields=FORM.fields,
    told=FORM.told, wording=FORM.wording, title=title, place=lambda form: str((form.get("topic") or {}).get("municipality") or ""), deadlines=DEADLINES,
    opens={"office": BUREAU}, mark="議題", needs=frozenset({"named"}),
    brief=Brief(voice=lambda read: read.text("topic.title"), promises=_promised, heard=lambda read: read.text("outcome.text")),
    words={
        "begins": {"office": "連携会議の議題の候補を書く"}, "heading": {"office": "連携会議の議題の候補を書く"}, "origins": {"office": "振興局"},
        "lead": {"office": "書いたそばから残ります。候補にするまで、局の外には見えません。"},
    },
)  # fmt: skip
