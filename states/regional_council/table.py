"""States, actions and deadlines of a session, from the search for a day to minutes that are fixed and published."""

from collections.abc import Mapping, Sequence
from typing import Any

from states.kernel import shared
from states.regional_council import rules
from states.regional_council.form import ANSWERS, FORM, WORDS
from states.terms import (
    CLOCK,
    CONFIRM,
    DECISION,
    OUTSIDE,
    STAY,
    Action,
    Ask,
    Child,
    Deadline,
    Facts,
    Input,
    State,
    Verdict,
    block,
    guard,
)

BUREAU, DIRECTOR, MEMBER = (frozenset({role}) for role in ("bureau", "director", "partner"))
TOLD = frozenset({"municipality"})  # members hear as municipalities

STATES = (
    State("session_new", "準備", "日程調整", "bureau"),
    State("session_scheduling", "日程調整", "日程調整", "bureau", "日程と議題を決めて、開催の決裁を求める"),
    State("session_convening", "開催の決裁", "開催通知", "director", "会議の開催を決裁する"),
    State("session_collecting", "資料の提出待ち", "資料", "bureau", "出欠と資料をそろえて、事前に送る"),
    State("materials_sent", "資料を送付済み", "資料", "bureau", "会議を開いて、記録する"),
    State("session_held", "開催済み", "開催", "bureau", "議事録の案をつくる"),
    State("minutes_asked", "議事録の確認待ち", "議事録", "partner"),
    State("minutes_ready", "議事録の確定待ち", "議事録", "bureau", "議事録を確定する"),
    State("minutes_fixed", "議事録確定", "議事録", "bureau", "公開の区分を決める"),
    State("session_published", "公表", "公表", final=True, outcome="公表した"),
    State("session_kept", "公表せず", "公表", final=True, outcome="公表しなかった"),
    State("session_cancelled", "中止", "開催", final=True, outcome="中止した"),
)

BEFORE = ("session_scheduling", "session_convening", "session_collecting", "materials_sent")


def _members(facts: Facts) -> list[str]:
    """The municipalities that are members, by code: whose word is asked."""
    return [str(code) for code in facts.registers.get("partners", ())]


def _noticed(facts: Facts) -> Mapping[str, Any]:
    """Number and day of the letter that tells the members."""
    return {"notice": {"number": facts.registers["numbers"]["letter"], "on": facts.today.isoformat()}}


def _unpublished(facts: Facts) -> bool:
    return bool(facts.read.part("publication").text("scope") == "closed")


def _minutes(facts: Facts) -> Mapping[str, Any]:
    edition = (facts.read.part("edition").number("no") or 0) + 1
    return {"edition": {"no": str(edition), "on": facts.today.isoformat()}}


def _word(facts: Facts) -> Mapping[str, Any]:
    """Which edition of the minutes the word is about."""
    return {f"word:{facts.registers['acting_org']}": {"edition": facts.read.part("edition").text("no")}}


def _fixed(silent: bool) -> Any:
    return lambda facts: {"fixed": {"by": facts.actor, "on": facts.today.isoformat(), "silent": silent}}


def _duties(facts: Facts) -> Sequence[Child]:
    """What was agreed to be done, each a case of its own."""
    found = []
    for row in facts.read.part("follow").rows("items"):
        item = {key: row.text(key) for key in ("no", "what", "owner_kind", "municipality", "due")}
        found.append(Child("council_action", row.text("owner_kind"), {"item": item}, "agree"))
    return found


@guard(None)
def all_agreed(facts: Facts) -> Any:
    """Before the day has passed the minutes are fixed only when every member has said so."""
    edition = facts.read.part("edition").text("no")
    said = {org for org, word in facts.read.each("word").items() if word.text("edition") == edition}
    if missing := [org for org in _members(facts) if org not in said]:
        yield block(
            f"まだ確認の返事がない構成員が{len(missing)}あります。期限が過ぎれば、異議がないものとして確定できます。"
        )


@guard(None)
def a_word_with_its_text(facts: Facts) -> Any:
    if facts.inputs.get("word") == "objects" and not str(facts.inputs.get("text") or "").strip():
        yield Verdict(block("").level, "どこをどう直してほしいかを書いてください。", "text")


def _writing(
    name: str,
    source: tuple[str, ...],
    label: str,
    edits: set[str],
    effect: str,
    guards: tuple[Any, ...] = (),
    **more: Any,
) -> Action:
    return Action(
        name, source, STAY, label, BUREAU, effect, guards=(FORM.letters, *guards), edits=frozenset(edits), **more
    )


ACTIONS = (
    Action("begin", ("session_new",), "session_scheduling", "会議を起こす", BUREAU, "日程と議題を書けるようになります", numbers=("case",)),
    _writing("arrange", ("session_scheduling",), "日程と議題を書く", {"meeting", "agenda", "attendance", "materials"}, "書いた内容が残ります", (rules.numbered_once,)),
    Action(
        "ask_convening", ("session_scheduling",), "session_convening", "開催の決裁を求める", BUREAU, "局長が判断します",
        guards=(FORM.letters, FORM.lacking("meeting", "agenda"), rules.a_day_that_is_one, rules.a_place_to_meet, rules.notice_in_time), weighs="drafter",
        tells=DIRECTOR, main=True,
    ),
    Action(
        "convene", ("session_convening",), "session_collecting", "開催を決定する", DIRECTOR, "開催通知と出欠回答票が構成員に届きます",
        guards=(rules.a_day_that_is_one, rules.notice_in_time), weighs="decider", numbers=("letter",), letters=("convening_notice",), record=_noticed, tells=TOLD | BUREAU, main=True,
    ),
    Action(
        "send_back_convening", ("session_convening",), "session_scheduling", "差し戻す", DIRECTOR, "担当に戻ります", asks=(Input("reason", "直してほしいこと", internal=True),), tells=BUREAU,
    ),
    Action(
        "answer", ("session_collecting", "materials_sent"), STAY, "出欠を答える", MEMBER, "事務局に伝わります。会議の日まで直せます",
        asks=(
            Input("answer", "出欠", "choice", choices=ANSWERS, into="answer:{acting_org}.answer"),
            Input("proxy", "代理の人の職と名前", required=False, hint="代理のときだけ。決まっていなければ空けておけます", into="answer:{acting_org}.proxy"),
            Input("note", "伝えること", required=False, into="answer:{acting_org}.note"),
        ),
        tells=BUREAU, main=True,
    ),
    _writing("collect", ("session_collecting",), "出欠と資料をまとめる", {"attendance", "materials", "agenda"}, "書いた内容が残ります", (rules.numbered_once, rules.replaced_with_reason)),
    Action(
        "send_materials", ("session_collecting",), "materials_sent", "資料を事前に送る", BUREAU, "構成員が資料を読めるようになります",
        guards=(rules.numbered_once, rules.every_material_here), weighs="drafter", tells=TOLD, main=True,
    ),
    _writing("replace_materials", ("materials_sent", "session_held"), "資料を差し替える", {"materials"}, "差し替えた資料と理由が構成員に伝わります", (rules.numbered_once, rules.replaced_with_reason), tells=TOLD),
    Action(
        "hold", ("session_collecting", "materials_sent"), "session_held", "開催を記録する", BUREAU, "出席と結果が記録され、「これからすること」が一つずつ案件になります",
        guards=(FORM.letters, rules.somebody_there, rules.every_duty_owned, rules.numbered_once), edits=frozenset({"attendance", "agenda", "follow"}), opens=_duties, main=True,
    ),
    Action(
        "draft_minutes", ("session_held",), "minutes_asked", "議事録の案を送って確認を求める", BUREAU, "7営業日のうちに何も言われなければ、異議がないものとして確定に進みます",
        guards=(FORM.letters, FORM.lacking("minutes")), edits=frozenset({"minutes"}), record=_minutes, tells=TOLD, main=True,
    ),
    Action(
        "say", ("minutes_asked",), STAY, "議事録を確認する", MEMBER, "事務局に伝わります", guards=(a_word_with_its_text,),
        asks=(
            Input("word", "確認", "choice", choices=WORDS, into="word:{acting_org}.word"),
            Input("text", "直してほしい所", required=False, into="word:{acting_org}.text"),
        ),
        record=_word, tells=BUREAU, main=True,
    ),
    Action(
        "redraft_minutes", ("minutes_asked",), STAY, "議事録を直して、改めて確認を求める", BUREAU, "確認の期限が数え直されます",
        guards=(FORM.letters, FORM.lacking("minutes")), edits=frozenset({"minutes"}), record=_minutes, tells=TOLD,
    ),
    Action(
        "fix_agreed", ("minutes_asked",), "minutes_fixed", "議事録を確定する", BUREAU, "議事録は変わらなくなります",
        guards=(all_agreed, rules.nobody_objects), record=_fixed(silent=False), tells=TOLD,
    ),
    Action("silence", ("minutes_asked",), "minutes_ready", "期限までに異議がなかった", frozenset({CLOCK}), "議事録を確定できます", guards=(rules.nobody_objects,), tells=BUREAU),
    Action(
        "fix", ("minutes_ready",), "minutes_fixed", "議事録を確定する", BUREAU, "議事録は変わらなくなります", guards=(rules.nobody_objects,),
        record=_fixed(silent=True), tells=TOLD, main=True,
    ),
    Action(
        "publish", ("minutes_fixed",), "session_published", "公開の区分を決めて終える", BUREAU, "案件が終わります。公表した内容が残ります",
        guards=(FORM.letters, FORM.lacking("publication"), rules.closed_items_stay_closed), edits=frozenset({"publication"}),
        when=lambda facts: not _unpublished(facts), tells=TOLD, main=True,
    ),
    Action(
        "publish", ("minutes_fixed",), "session_kept", "公開の区分を決めて終える", BUREAU, "公表しないで、案件が終わります",
        guards=(FORM.letters, FORM.lacking("publication"), rules.closed_items_stay_closed), edits=frozenset({"publication"}), when=_unpublished, tells=TOLD, main=True,
    ),
    Action(
        "postpone", BEFORE, "session_scheduling", "延期する", BUREAU, "構成員に伝わり、日程調整に戻ります", asks=(Input("reason", "延期の理由(構成員にも見えます)"),),
        numbers=("letter",), record=lambda facts: {"meeting": {"held_on": ""}, **_noticed(facts)}, letters=("postponed_notice",), tells=TOLD | DIRECTOR,
    ),
    Action(
        "cancel_session", BEFORE, "session_cancelled", "中止する", BUREAU, "構成員に伝わり、案件が終わります", asks=(Input("reason", "中止の理由(構成員にも見えます)"),),
        numbers=("letter",), record=_noticed, letters=("cancelled_notice",), tells=TOLD | DIRECTOR, stops=True,
    ),
)  # fmt: skip

DEADLINES = (
    Deadline("materials", "資料の締切", "bureau", frozenset({"session_collecting"}), at=rules.materials_due),
    Deadline("session", "会議の日", "bureau", frozenset({"materials_sent"}), at=rules.held_on),
    Deadline("minutes", "議事録の案の期限", "bureau", frozenset({"session_held"}), 7),
    Deadline("silence", "議事録の確認の期限", "partner", frozenset({"minutes_asked"}), 7, starts=frozenset({"draft_minutes", "redraft_minutes"}), move="silence", escalates=()),
    Deadline("fix", "議事録を確定する期限", "bureau", frozenset({"minutes_ready"}), 3),
)  # fmt: skip


def asks(facts: Facts) -> Sequence[Ask] | None:
    """Members are asked one by one; who has answered is asked no more."""
    if facts.state == "session_convening":
        return [Ask("director", "会議の開催を決裁する", kind=DECISION)]
    if facts.state == "session_collecting":
        said = facts.read.each("answer")
        mine = Ask("bureau", "出欠と資料をそろえて、事前に送る", "materials")
        return [mine, *(Ask("partner", "出欠を答える", org=code) for code in _members(facts) if code not in said)]
    if facts.state == "minutes_asked":
        edition = facts.read.part("edition").text("no")
        words = {org: word for org, word in facts.read.each("word").items() if word.text("edition") == edition}
        waiting = [
            Ask("partner", "議事録を確認する", "silence", org=code, kind=CONFIRM)
            for code in _members(facts)
            if code not in words
        ]
        objects = [org for org, word in words.items() if word.text("word") == "objects"]
        return [*waiting, *([Ask("bureau", "議事録を直して、改めて確認を求める")] if objects or not waiting else [])]
    return None


def reads(kind: str, roles: frozenset[str], state: str) -> bool:
    """Members read what concerns the meeting; minutes only once they are sent to them."""
    early = state in (*BEFORE, "session_held")
    return shared(kind, roles, state) and not (roles <= OUTSIDE and early and kind.startswith("form:minutes"))
