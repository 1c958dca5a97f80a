"""States, actions and deadlines of a consultation, from the telephone call to the question whether it helped."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from states.consultation import rules
from states.consultation.form import (
    DISPOSITIONS,
    DUPLICATE,
    FORM,
    INSIDE,
    OF_BUREAU,
    RESULTS,
    TAKEN,
)
from states.terms import CLOCK, CONFIRM, OUTSIDE, STAY, Action, Ask, Child, Deadline, Facts, Input, State

BUREAU, DIRECTOR, PARTNER, HEADQUARTERS = (
    frozenset({role}) for role in ("bureau", "director", "partner", "headquarters")
)
OFFICE = BUREAU | DIRECTOR | frozenset({"co_office"})

STATES = (
    State("cs_draft", "受付票の下書き", "受付", "bureau", private=True),
    State("cs_received", "受付", "受付", "bureau", "担当を割り振る"),
    State("cs_unowned", "担当未定(窓口が預かる)", "割振", "bureau", "担当を見つける"),
    State("cs_offered", "割振り", "割振", "bureau", "受けるか、理由を添えて断る"),
    State("cs_hand", "対応中", "対応", "bureau", "方針を決めて、答える"),
    State("cs_inquiring", "照会中", "対応", "bureau", "照会先の答えを受ける"),
    State("cs_checking", "回答の確認", "回答", "director", "回答を確認する"),
    State("cs_answered", "回答済み", "フォロー", "bureau"),
    State("cs_following", "フォロー", "フォロー", "bureau", "解決したかを聞いて、閉じるか再開する"),
    State("cs_closed", "完了", "終了", final=True, outcome="完了した"),
    State("cs_withdrawn", "取下げ", "終了", final=True, outcome="取り下げられた"),
    State("cs_merged", "統合", "終了", final=True, outcome="先の相談にまとめた"),
)
UNANSWERED = ("cs_received", "cs_unowned", "cs_offered", "cs_hand", "cs_inquiring")
WORKING = ("cs_hand", "cs_inquiring")


def _received(facts: Facts) -> Mapping[str, Any]:
    """The municipality that was meant, beside the words that were said, which stay as they are."""
    found = rules.place_of(facts)
    assert found.municipality is not None
    told = {"code": found.municipality.code, "name": found.municipality.name, "note": found.note}
    on = facts.read.text("receipt.on") or facts.today.isoformat()
    return {"place": told, "receipt": {"on": on}}


def _town(facts: Facts) -> Sequence[tuple[str, str]]:
    """A municipality that asked reads its own consultation; one about which somebody else asked does not."""
    read, found = facts.read, rules.place_of(facts)
    own = read.text("receipt.asker") == "municipality" and read.text("receipt.secrecy") != "secret"
    return [("partner", found.municipality.code)] if own and found.municipality else ()


def _passed(kind: str) -> Any:
    """One more step of the way: who had it (as read before the act), whom it goes to, why."""

    def record(facts: Facts) -> Mapping[str, Any]:
        given, going = facts.inputs, kind in ("assigned", "handed")
        items = list((facts.form.get("handovers") or {}).get("items") or ())
        row = {
            "on": facts.today.isoformat(), "kind": kind, "post": "" if kind == "assigned" else facts.read.text("owner.post"),
            "to_post": str(given.get("post") or "") if going else "", "to": str(given.get("section") or "") if going else "",
            "reason": str(given.get("reason") or ""),
        }  # fmt: skip
        kept: dict[str, Any] = {"handovers": {"items": [*items, row]}}
        if going:  # a section is of the post that was named with it
            kept["owner"] = {"section": row["to"], "named_on": facts.today.isoformat()}
        return kept | {"owner": {"post": "", "section": "", "named_on": ""}} if kind == "refused" else kept

    return record


def _disposed(facts: Facts) -> Mapping[str, Any]:
    return {"disposition": {"on": facts.today.isoformat(), "by": facts.actor}}


def _answered(facts: Facts) -> Mapping[str, Any]:
    return {"answer": {"on": facts.today.isoformat(), "by": facts.actor}}


def _merged(facts: Facts) -> Mapping[str, Any]:
    told = {
        "kind": DUPLICATE,
        "reason": str(facts.inputs.get("reason") or ""),
        "on": facts.today.isoformat(),
        "by": facts.actor,
    }
    return {"disposition": told}


def _same(facts: Facts) -> Sequence[tuple[str, str]]:
    return [("duplicate", str(facts.inputs.get("same_as") or "").strip())]


def _to_headquarters(facts: Facts) -> Sequence[Child]:
    read = facts.read
    what = {
        "subject": read.text("matter.subject"), "text": str(facts.inputs.get("text") or ""), "due": str(facts.inputs.get("due") or ""),
        "quick": True, "municipality": read.text("place.code"),
    }  # fmt: skip
    return [Child("coordination", "consultation", {"request": what}, "ask")]


def _answer_begins(facts: Facts) -> Mapping[str, Mapping[str, Any]]:
    """The answer begins with what headquarters proposes to say to the region; what it says inside stays there."""
    told = [
        child["form"].get("synthesis") or {}
        for child in facts.registers.get("children", ())
        if child["process"] == "coordination" and child["final"]
    ]
    text = "\n".join(said for part in told if (said := str(part.get("regional") or "").strip()))
    return {"answer": {"text": text}} if text else {}


def _as_answer(facts: Facts) -> Sequence[Child]:
    """A candidate: who asked is left out, the words are for people to make general."""
    read = facts.read
    told = {
        "question": read.text("matter.subject"),
        "text": read.text("answer.text"),
        "field": read.text("receipt.field"),
    }
    return [Child("qa_answer", "consultation", {"answer": told, "source": {"number": facts.number or ""}}, "propose")]


def _often(facts: Facts) -> bool:
    """Whether this handover makes it two: nobody is sent from door to door."""
    return rules.handed(facts) + 1 >= rules.TWICE


def _seldom(facts: Facts) -> bool:
    return not _often(facts)


def _checked(facts: Facts) -> bool:
    return bool(facts.read.part("answer").ticked("law_or_money"))


OWNER = (
    Input("post", "担当の職", "post", into="owner.post"),
    Input("section", "担当の課", required=False, into="owner.section"),
)
REFUSAL = Input("reason", "断る理由", hint="引継ぎの記録に残ります")

ACTIONS = (
    Action(
        "receive", ("cs_draft",), "cs_received", "受け付ける", BUREAU, "受付番号がつき、割振りの期限が動きます",
        guards=(FORM.letters, FORM.lacking("matter"), rules.day_that_is_one, rules.known_place), edits=TAKEN, numbers=("case",), record=_received, parties=_town, tells=PARTNER, main=True,
    ),
    Action("amend", UNANSWERED, STAY, "受付票を直す", BUREAU, "書いた内容が残ります", guards=(FORM.letters, rules.day_that_is_one, rules.known_place), edits=TAKEN, record=_received),
    Action("assign", ("cs_received", "cs_unowned"), "cs_offered", "担当を割り振る", BUREAU | DIRECTOR, "担当の職の受信箱に入ります", asks=OWNER, record=_passed("assigned"), tells=BUREAU, main=True),
    Action("keep", ("cs_received",), "cs_unowned", "窓口で預かる", BUREAU, "担当が決まるまで窓口の手番になります", asks=(Input("reason", "担当が決まらない訳", internal=True),), record=_passed("kept")),
    Action("accept", ("cs_offered",), "cs_hand", "受ける", BUREAU, "担当として対応を始めます", record=_passed("accepted"), main=True),
    Action("take", ("cs_received", "cs_unowned"), "cs_hand", "窓口で対応する", BUREAU, "窓口が自分で答えます", record=_passed("taken")),
    Action("refuse", ("cs_offered",), "cs_unowned", "断る", BUREAU, "窓口に戻ります", when=_seldom, asks=(REFUSAL,), record=_passed("refused"), tells=BUREAU),
    Action("refuse", ("cs_offered",), "cs_unowned", "断る", BUREAU, "窓口に戻り、局長にも知らせます", when=_often, asks=(REFUSAL,), record=_passed("refused"), tells=BUREAU | DIRECTOR),
    Action("hand_over", WORKING, "cs_offered", "ほかの担当へ引き継ぐ", BUREAU, "新しい担当の受信箱に入ります", when=_seldom, asks=(*OWNER, Input("reason", "引き継ぐ理由")), record=_passed("handed"), tells=BUREAU),
    Action("hand_over", WORKING, "cs_offered", "ほかの担当へ引き継ぐ", BUREAU, "新しい担当の受信箱に入り、局長にも知らせます", when=_often, asks=(*OWNER, Input("reason", "引き継ぐ理由")), record=_passed("handed"), tells=BUREAU | DIRECTOR),
    Action(
        "dispose", WORKING, STAY, "処理の方針を決める", BUREAU, "方針が記録されます",
        asks=(Input("kind", "方針", "choice", choices=DISPOSITIONS, into="disposition.kind"), Input("forward_to", "渡す先", required=False, into="disposition.forward_to"), Input("reason", "理由", into="disposition.reason")), record=_disposed,
    ),
    Action("inquire", ("cs_hand",), "cs_inquiring", "照会する", BUREAU, "答えが来るまで照会中になります", asks=(Input("to", "照会先", into="inquiry.to"), Input("question", "聞くこと", into="inquiry.question"), Input("due", "いつまで", "date", into="inquiry.due"))),
    Action("got_reply", ("cs_inquiring",), "cs_hand", "照会の答えを受ける", BUREAU, "対応中に戻ります", asks=(Input("reply", "答え", into="inquiry.reply"),), main=True),
    Action("ask_headquarters", WORKING, STAY, "本庁に調整を求める", BUREAU, "本庁の主管局が関係する部に照会します", asks=(Input("text", "求めること"), Input("due", "いつまで", "date", required=False)), opens=_to_headquarters, tells=HEADQUARTERS),
    Action("extend", ("cs_hand",), STAY, "回答の期限を延ばす", BUREAU, "新しい期限になり、理由が残ります", guards=(rules.extended_to_a_day,), asks=(Input("until", "新しい期限", "date", into="extension.until"), Input("reason", "延ばす理由", into="extension.reason")), tells=PARTNER),
    Action("write_answer", WORKING, STAY, "回答を書く", BUREAU, "書いた内容が残ります", guards=(FORM.letters,), edits=frozenset({"answer"}), begins=_answer_begins),
    Action("ask_check", ("cs_hand",), "cs_checking", "回答の確認を求める", BUREAU, "局長が確認してから回答します", when=_checked, guards=(rules.disposed, FORM.letters, FORM.lacking("answer"), rules.basis_of_law, rules.no_asker_in_the_answer), edits=frozenset({"answer"}), begins=_answer_begins, tells=DIRECTOR, main=True),
    Action("return_answer", ("cs_checking",), "cs_hand", "回答を差し戻す", DIRECTOR, "担当に戻ります", asks=(Input("reason", "直してほしいこと", internal=True),), tells=BUREAU),
    Action("confirm_answer", ("cs_checking",), "cs_answered", "確認して回答する", DIRECTOR, "回答が記録され、フォローの日を待ちます", asks=(Input("on", "フォローの日", "date", required=False, into="follow.on"),), record=_answered, tells=BUREAU | PARTNER, main=True),
    Action(
        "answer", ("cs_hand",), "cs_answered", "回答する", BUREAU, "回答が記録され、フォローの日を待ちます", when=lambda facts: not _checked(facts),
        guards=(rules.disposed, FORM.letters, FORM.lacking("answer"), rules.basis_of_law, rules.no_asker_in_the_answer), asks=(Input("on", "フォローの日", "date", required=False, into="follow.on"),), edits=frozenset({"answer"}), begins=_answer_begins, record=_answered, tells=PARTNER, main=True,
    ),
    Action("make_answer", ("cs_answered", "cs_following"), STAY, "Q&Aの候補にする", BUREAU, "匿名にして、同意を得てから公開します", opens=_as_answer),
    Action("come_back", ("cs_answered",), "cs_following", "フォローの日が来た", frozenset({CLOCK}), "解決したかを聞く番になります", tells=BUREAU),
    Action("follow_now", ("cs_answered",), "cs_following", "フォローを始める", BUREAU, "日を待たずに、解決したかを聞きます"),
    Action("close", ("cs_answered", "cs_following"), "cs_closed", "完了にする", BUREAU, "この相談が終わります", asks=(Input("result", "結果", "choice", choices=RESULTS, into="follow.result"), Input("note", "相手の様子", required=False, into="follow.note")), main=True),
    Action("reopen", ("cs_answered", "cs_following"), "cs_hand", "再開する", BUREAU, "対応中に戻ります", asks=(Input("reason", "再開する理由"),), tells=PARTNER),
    Action("withdraw", UNANSWERED, "cs_withdrawn", "取下げを記録する", BUREAU, "この相談が終わります", asks=(Input("reason", "取下げの申し出"),), tells=PARTNER, stops=True),
    Action(
        "merge", UNANSWERED, "cs_merged", "先の相談に統合する", BUREAU, "どちらの番号も残り、この相談は終わります", guards=(rules.merges_into_one,),
        asks=(Input("same_as", "先の相談の番号", "case", into="merged.into"), Input("reason", "同じと見た訳", into="merged.reason")), record=_merged, links=_same, tells=PARTNER, stops=True,
    ),
)  # fmt: skip


def _answer_by(facts: Facts) -> date | None:
    """The extended day, the wanted one where it is later than today, else ten business days."""
    read = facts.read
    until = read.part("extension").day("until") or read.part("receipt").day("wanted_by")
    day: date = (
        until
        if isinstance(until, date) and until > facts.today
        else facts.calendar.add_business_days(rules.received_on(facts), 10)
    )
    return day


def _follow_on(facts: Facts) -> date | None:
    day = facts.read.part("follow").day("on")
    return day if isinstance(day, date) else facts.calendar.add_business_days(facts.today, 20)


def _inquiry_by(facts: Facts) -> date | None:
    day = facts.read.part("inquiry").day("due")
    return day if isinstance(day, date) else None


DEADLINES = (
    Deadline("assign", "割振りの期限", "bureau", frozenset({"cs_received", "cs_unowned"}), 1),
    Deadline("accept", "受けるかを決める期限", "bureau", frozenset({"cs_offered"}), 2),
    Deadline("answer", "回答の期限", "bureau", frozenset({"cs_hand"}), at=_answer_by, starts=frozenset({"extend"})),
    Deadline("inquiry", "照会の期限", "bureau", frozenset({"cs_inquiring"}), at=_inquiry_by),
    Deadline("check", "確認の期限", "director", frozenset({"cs_checking"}), 3),
    Deadline("come_back", "フォローの日", "bureau", frozenset({"cs_answered"}), at=_follow_on, move="come_back"),
    Deadline("follow", "フォローの期限", "bureau", frozenset({"cs_following"}), 10),
)  # fmt: skip


def asks(facts: Facts) -> Sequence[Ask] | None:
    """The owner's post while one is asked; the head as well where it went from door to door."""
    post, state = facts.read.text("owner.post"), facts.state
    desk = f"#{post}" if post.isdigit() else "bureau"
    if state == "cs_unowned" and rules.handed(facts) >= rules.TWICE:
        return [
            Ask("bureau", "担当を見つける", "assign"),
            Ask("director", "担当を決める(2回引き継がれています)", "assign"),
        ]
    if state == "cs_checking":
        return [Ask("director", "回答を確認する", "check", kind=CONFIRM)]
    waiting = {
        "cs_offered": ("受けるか、理由を添えて断る", "accept"), "cs_hand": ("方針を決めて、答える", "answer"), "cs_inquiring": ("照会先の答えを受ける", "inquiry"),
    }  # fmt: skip
    return [Ask(desk, *waiting[state])] if state in waiting else None


def reads(kind: str, roles: frozenset[str], state: str) -> bool:
    """Who asked stays in the office; how it is handled, with the offices. The municipality reads question and answer."""
    if roles & OFFICE:
        return True
    group = kind.removeprefix("form:").partition(":")[0]
    if kind.startswith("form:") and group in OF_BUREAU:
        return False
    if not roles <= OUTSIDE:
        return True
    if not kind.startswith("form:"):
        return not kind.startswith(("internal", "shown", "child"))
    answered = state in ("cs_answered", "cs_following", "cs_closed")
    return group not in INSIDE | {"thread"} and (group != "answer" or answered)
