"""地域づくり連携会議の会議体: who belongs to it from when to when, its charter, its sessions and its projects as cases under it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from states.forms import Field, Filled, Form, Group, Table
from states.kernel import Process
from states.regional_council.form import FORMATS, KINDS
from states.terms import STAY, Action, Child, Facts, Input, State, Verdict, block, guard

BODY = Group(
    "body", "会議体",
    (
        Field("name", "名前", need=True, most=60),
        Field("kind", "種類", "choice", need=True, options=KINDS),
        Field("municipalities", "構成する市町村", "municipalities", need=True, hint="選んだ市町村は、会議の資料と議事録を読み、出欠と確認を答えます"),
        Field("secretariat", "事務局", most=60),
        Field("charter", "設置要綱", "long", hint="名称、改正の日、公開の決まりなど"),
    ),
    lead="地域の関係者が集まる会議体を設けます。",
)  # fmt: skip
MEMBERS = Group(
    "members", "構成員",
    (
        Table(
            "items", "構成員",
            (
                Field("organisation", "機関", most=60),
                Field("post", "職"),
                Field("member", "氏名"),
                Field("chair", "議長", "tick"),
                Field("since", "任期の初め", "date"),
                Field("until", "任期の終わり", "date"),
            ),
            add="構成員を足す", need=True,
        ),
    ),
)  # fmt: skip
CALL = Group("call", "会議の招集", (Field("count", "開いた回数", "mark"),), typed=False)
FORM = Form((BODY, MEMBERS, CALL), kind="body.kind")
BUREAU = frozenset({"bureau"})


def _municipalities(facts: Facts) -> tuple[str, ...]:
    codes: tuple[str, ...] = facts.read.part("body").several("municipalities")
    return codes


def _joining(facts: Facts) -> Sequence[tuple[str, str]]:
    return [("partner", code) for code in _municipalities(facts)]


def _leaving(facts: Facts) -> Sequence[tuple[str, str]]:
    return [("partner", code) for code in facts.registers.get("partners", ()) if code not in _municipalities(facts)]


@guard("I-06")
def known_places(facts: Facts) -> Iterator[Verdict]:
    for code in _municipalities(facts):
        if facts.directory.municipality(code, facts.today) is None:
            yield block(
                f"市町村コード「{code}」は、いまの台帳にありません。選び直してください。", "body.municipalities"
            )


@guard("I-07")
def terms_in_order(facts: Facts) -> Iterator[Verdict]:
    members = facts.read.part("members").rows("items")
    for row in members:
        first, last = row.day("since"), row.day("until")
        if first and last and last < first:
            yield block(f"{row.text('organisation')}の任期の終わりが、初めより前です。", "members.items")
    chairs = Counter(row.ticked("chair") for row in members)
    if chairs[True] > 1:
        yield block("議長は一人にしてください。", "members.items")


def _in_term(row: Filled, facts: Facts) -> bool:
    first, last = row.day("since"), row.day("until")
    return (first is None or first <= facts.today) and (last is None or facts.today <= last)


def _session(facts: Facts) -> Sequence[Child]:
    """A session with the members of today on its list."""
    body = facts.read.part("body")
    rows = [row for row in facts.read.part("members").rows("items") if _in_term(row, facts)]
    there = [{key: row.text(key) for key in ("organisation", "post", "member")} for row in rows]
    chair = next(
        (
            " ".join(filter(None, (r.text("organisation"), r.text("post"), r.text("member"))))
            for r in rows
            if r.ticked("chair")
        ),
        "",
    )
    meeting = {
        "name": body.text("name"), "round": str(_count(facts)), "kind": body.text("kind"), "format": str(facts.inputs.get("format") or ""), "chair": chair,
    }  # fmt: skip
    return [Child("regional_council", "", {"meeting": meeting, "attendance": {"items": there}}, "begin")]


def _count(facts: Facts) -> int:
    return facts.read.part("call").number("count") or 0


def _project(facts: Facts) -> Sequence[Child]:
    return [
        Child(
            "council_project",
            "",
            {"project": {"title": str(facts.inputs["title"]), "aim": str(facts.inputs.get("aim") or "")}},
            "start",
        )
    ]


STATES = (
    State("body_draft", "準備", "設置", "bureau"),
    State("body_standing", "設置中", "設置", "bureau"),
    State("body_dissolved", "廃止", "廃止", final=True, outcome="廃止した"),
)
ACTIONS = (
    Action(
        "found", ("body_draft",), "body_standing", "会議体を設ける", BUREAU, "構成員の市町村に伝わり、会議を招集できるようになります",
        guards=(FORM.letters, FORM.lacking("body", "members"), known_places, terms_in_order), edits=frozenset({"body", "members"}), numbers=("case",), parties=_joining,
        tells=frozenset({"municipality"}), main=True,
    ),
    Action(
        "call_session", ("body_standing",), STAY, "会議を招集する", BUREAU, "いま任期にある構成員の名簿を付けて、会議の案件が起きます",
        guards=(terms_in_order,), asks=(Input("format", "開き方", "choice", choices=FORMATS),), opens=_session, record=lambda facts: {"call": {"count": str(_count(facts) + 1)}}, main=True,
    ),
    Action(
        "add_project", ("body_standing",), STAY, "重点プロジェクトを加える", BUREAU, "毎年度の状況を報告する案件が起きます",
        asks=(Input("title", "プロジェクトの名前"), Input("aim", "めざす姿", required=False)), opens=_project,
    ),
    Action(
        "revise_members", ("body_standing",), STAY, "構成員と要綱を改める", BUREAU, "加わった市町村は読めるようになり、抜けた市町村はそこまでを読めます",
        guards=(FORM.letters, FORM.lacking("body", "members"), known_places, terms_in_order), edits=frozenset({"body", "members"}), parties=_joining, leaves=_leaving, tells=frozenset({"municipality"}),
    ),
    Action("dissolve", ("body_standing",), "body_dissolved", "会議体を廃止する", BUREAU, "これからの会議はなくなります", asks=(Input("reason", "廃止の理由"),), tells=frozenset({"municipality"}), stops=True),
)  # fmt: skip


def title(form: Mapping[str, Any]) -> str:
    return str((form.get("body") or {}).get("name") or "").strip() or "(名前のない会議体)"


PROCESS = Process(
    key="council_body",
    version=1,
    order=40,
    label="連携会議の会議体",
    states=STATES,
    table=ACTIONS,
    form=FORM,
    read=FORM.read,
    fields=FORM.fields,
    told=FORM.told,
    wording=FORM.wording,
    title=title,
    opens={"office": BUREAU},
    needs=frozenset({"children"}),
    mark="会議体",
    words={
        "begins": {"office": "連携会議の会議体を設ける"},
        "heading": {"office": "連携会議の会議体を設ける"},
        "origins": {"office": "振興局"},
    },
)
