"""States, actions and deadlines of a round table, from the plan to the day on which the region has been told."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from states.forms import Filled
from states.round_table import rules
from states.round_table.form import BUREAU_ONLY, CAUSES, FIELDS, FORM, KINDS, PLANNED
from states.round_table.letters import feedback_text
from states.round_table.masking import nobody_is_named, photos_have_consent
from states.round_table.papers import PUBLIC, REPORTED
from states.route_actions import CONSENTER, DRAFTER, MARK, REVIEWER, THEN, unopened
from states.terms import CONFIRM, DECISION, OUTSIDE, STAY, Action, Ask, Child, Deadline, Facts, Input, State

BUREAU, DIRECTOR, PARTNER, HEADQUARTERS = (
    frozenset({role}) for role in ("bureau", "director", "partner", "headquarters")
)
AT_TURN, DRAFTED_BY = frozenset({REVIEWER, CONSENTER}), frozenset({DRAFTER})
OFFICE = BUREAU | DIRECTOR | frozenset({"co_office"})
PLAN_DAYS, INVITATION_DAYS, REPORT_DAYS = 20, 10, 10  # business days before the meeting, and after it (14 days)

STATES = (
    State("table_draft", "計画の下書き", "計画", "bureau", private=True),
    State("table_planned", "計画", "計画", "bureau", "中身を決めて、開催の決裁を求める"),
    State("table_deciding", "開催の決裁", "決裁", "director", "開催を決裁する"),
    State("table_approved", "決裁済み", "案内", "bureau", "案内を送る"),
    State("table_invited", "案内済み", "開催", "bureau", "開いて、記録する"),
    State("table_postponed", "延期", "計画", "bureau", "日を改めて、開催の決裁を求める"),
    State("table_held", "開催済み", "報告", "bureau", "実施結果の報告をつくる"),
    State("table_reporting", "報告の確認", "報告", "director", "実施結果の報告を確認する"),
    State("table_following", "対応中", "対応", "bureau"),
    State("table_told", "地域に回答済み", "対応", "bureau", "対応を終えたことを確かめて閉じる"),
    State("table_closed", "完了", "対応", final=True, outcome="地域に回答して終えた"),
    State("table_cancelled", "中止", "計画", final=True, outcome="中止した"),
)
UNDECIDED = ("table_planned", "table_postponed")
BEFORE = ("table_planned", "table_deciding", "table_approved", "table_invited", "table_postponed")
PLANNING = (
    rules.senior_from_the_office, rules.voices_of_the_region, rules.easy_form, rules.place_of_the_region, rules.narrow_area,
    rules.name_of_the_rule, rules.a_day_that_is_one, rules.open_days, rules.no_election, rules.known_places, rules.hours_in_order,
)  # fmt: skip


def _before(days: int) -> Callable[[Facts], date | None]:
    def day(facts: Facts) -> date | None:
        held = rules.held_on(facts)
        return facts.calendar.add_business_days(held, -days) if held else None

    return day


def _towns(facts: Facts) -> Sequence[tuple[str, str]]:
    return [("partner", code) for code in rules.places(facts)]


def _noticed(facts: Facts) -> Mapping[str, Any]:
    """Number and day of the letter."""
    return {"notice": {"number": facts.registers["numbers"]["letter"], "on": facts.today.isoformat()}}


def _stopped(facts: Facts) -> Mapping[str, Any]:
    """The day that was planned is kept; a new one is for people to find."""
    planned = facts.read.part("plan").text("held_on")
    told: Mapping[str, Any] = _noticed(facts) if facts.state == "table_invited" else {}
    return {"stop": {"planned": planned}, **told}


def _told(facts: Facts) -> Mapping[str, Any]:
    return {"feedback": {"on": facts.today.isoformat(), "number": facts.registers["numbers"]["letter"]}}


def _voice(row: Filled, place: str, number: int) -> Mapping[str, Any]:
    """The form of an opinion; what could name who spoke stands in its own group."""
    keys = ("kind", "summary", "speaker_class", "answer", "field")
    voice = {key: row.text(key) for key in keys} | {
        "no": str(number),
        "municipality": row.text("municipality") or place,
        "public": row.ticked("public"),
    }
    return {"voice": voice, "speaker": {"name": row.text("speaker"), "verbatim": row.text("verbatim")}}


def _place(facts: Facts) -> str:
    """The municipality that an opinion is about where nobody says another: the only one of the plan."""
    codes = rules.places(facts)
    return codes[0] if len(codes) == 1 else ""


def _opened(facts: Facts) -> Sequence[Child]:
    """Every opinion, and every follow-up that headquarters has to handle quickly, becomes a case of its own."""
    found = [
        Child("opinion", "table", _voice(row, _place(facts), number), "note")
        for number, row in enumerate(facts.read.part("notes").rows("items"), start=1)
    ]
    for number in rules.for_headquarters(facts.read):
        row = facts.read.part("follow").rows("items")[number - 1]
        what = {
            "subject": row.text("action"),
            "text": row.text("action"),
            "due": row.text("due"),
            "quick": True,
            "municipality": _place(facts),
        }
        found.append(Child("coordination", "follow", {"request": what}, "ask"))
    return found


def _one_more(facts: Facts) -> Sequence[Child]:
    """An opinion that came in after the report: it has no row among the notes."""
    given = facts.inputs
    count = sum(child["process"] == "opinion" for child in facts.registers.get("children", ()))
    row = Filled({key: str(given.get(key) or "") for key in ("kind", "summary", "speaker_class", "field")})
    return [Child("opinion", "table", _voice(row, _place(facts), count + 1), "note")]


def _help(facts: Facts) -> Sequence[Child]:
    plan = facts.read.part("plan")
    what = {
        "subject": f"「{plan.text('name')}」の開催への協力", "text": str(facts.inputs.get("what") or ""),
        "due": str(facts.inputs.get("by") or ""), "quick": False, "municipality": _place(facts),
    }  # fmt: skip
    return [Child("coordination", "holding", {"request": what}, "ask")]


def _edit(name: str, source: tuple[str, ...], label: str, groups: set[str] | frozenset[str], **more: Any) -> Action:
    guards = (FORM.letters, *more.pop("guards", (nobody_is_named,)))
    return Action(
        name, source, STAY, label, BUREAU, "書いた内容が残ります", guards=guards, edits=frozenset(groups), **more
    )


_REASON = (
    Input("cause", "事由", "choice", choices=CAUSES, into="stop.cause"),
    Input("reason", "理由", hint="案内した人に知らせる文書にも載ります", into="stop.reason"),
)

ACTIONS = (
    Action(
        "plan", ("table_draft",), "table_planned", "計画に載せる", BUREAU, "案件番号がつき、局の年間計画に載ります",
        guards=(FORM.letters, rules.known_places, nobody_is_named), edits=PLANNED, numbers=("case",), main=True,
    ),
    _edit("arrange", UNDECIDED, "計画を書く", PLANNED, guards=(rules.known_places, nobody_is_named)),
    Action(
        "ask_decision", UNDECIDED, "table_deciding", "開催の決裁を求める", BUREAU, "局長が判断します",
        guards=(FORM.letters, FORM.lacking("plan", "office_side", "region_side"), *PLANNING, nobody_is_named), edits=PLANNED, asks=(MARK,), weighs="drafter", tells=DIRECTOR, main=True,
    ),
    Action(
        "approve", ("table_deciding",), "table_approved", "開催を決定する", DIRECTOR, "案内を送れるようになります",
        guards=PLANNING, weighs="decider", tells=BUREAU, main=True,
    ),
    Action(
        "send_back", ("table_deciding",), "table_planned", "差し戻す", DIRECTOR | AT_TURN, "担当に戻ります",
        asks=(Input("reason", "直してほしいこと", internal=True), THEN), tells=BUREAU,
    ),
    Action(
        "pull_back", ("table_deciding",), "table_planned", "引き戻す", DRAFTED_BY, "回している起案が手元に戻ります。次の人が開く前だけできます", (unopened,),
    ),
    Action(
        "withdraw_draft", ("table_deciding",), "table_planned", "起案を取り下げる", DRAFTED_BY, "承認や合議をした職に伝わり、手元に戻ります",
        asks=(Input("reason", "取り下げる理由(局内だけ)", internal=True),), tells=BUREAU,
    ),
    Action(
        "invite", ("table_approved",), "table_invited", "案内を送る", BUREAU, "案内状ができ、対象の市町村に伝わります",
        guards=(FORM.letters, rules.a_day_that_is_one, nobody_is_named), edits=frozenset({"people"}), numbers=("letter",), letters=("invitation",), record=_noticed,
        parties=_towns, tells=PARTNER, main=True,
    ),
    Action(
        "request_help", ("table_planned", "table_approved", "table_invited"), STAY, "本庁に開催の協力を依頼する", BUREAU, "本庁の主管局が関係する部に伝えます",
        guards=(nobody_is_named,), asks=(Input("what", "協力してほしいこと"), Input("by", "いつまでに", "date", required=False)), opens=_help, tells=HEADQUARTERS,
    ),
    _edit("take_notes", ("table_invited", "table_held"), "意見を書きとめる", {"notes"}, guards=()),
    _edit("attend", ("table_invited", "table_held"), "出席と同意を書く", {"office_side", "region_side", "people"}),
    _edit("list_photos", ("table_held", "table_following", "table_told"), "写真と同意を書く", {"photos", "people"}, guards=(nobody_is_named, photos_have_consent)),
    Action(
        "hold", ("table_invited",), "table_held", "開催を記録する", BUREAU, "出席が記録され、報告をつくれるようになります",
        guards=(FORM.letters, rules.not_before_its_day, rules.senior_was_there, rules.region_was_there, nobody_is_named),
        edits=frozenset({"office_side", "region_side", "people", "notes"}), main=True,
    ),
    Action(
        "ask_report", ("table_held",), "table_reporting", "報告の確認を求める", BUREAU, "局長が確認します",
        guards=(FORM.letters, FORM.lacking("report"), rules.every_note_says_something, rules.every_follow_up_is_one, rules.somebody_has_looked, nobody_is_named, photos_have_consent, rules.followed_up, rules.headquarters_takes_it_up),
        edits=frozenset({"report", "follow", "notes", "photos"}), tells=DIRECTOR, main=True,
    ),
    Action(
        "return_report", ("table_reporting",), "table_held", "報告を差し戻す", DIRECTOR, "担当に戻ります",
        asks=(Input("reason", "直してほしいこと", internal=True),), tells=BUREAU,
    ),
    Action(
        "confirm_report", ("table_reporting",), "table_following", "報告を確定する", DIRECTOR, "本庁に報告され、意見が一つずつ案件になります",
        guards=(rules.somebody_has_looked, nobody_is_named, photos_have_consent, rules.followed_up, rules.headquarters_takes_it_up), opens=_opened, tells=BUREAU | HEADQUARTERS | PARTNER, main=True,
    ),
    Action(
        "add_opinion", ("table_following",), STAY, "あとから届いた意見を加える", BUREAU, "意見の案件が起きます", guards=(nobody_is_named,),
        asks=(
            Input("kind", "種類", "choice", choices=KINDS), Input("summary", "意見の要旨"),
            Input("speaker_class", "発言者の区分", required=False), Input("field", "分野", "choice", required=False, choices=FIELDS),
        ),
        opens=_one_more,
    ),
    Action(
        "tell_region", ("table_following",), "table_told", "地域に回答する", BUREAU, "回答の文書ができ、対象の市町村に伝わります",
        guards=(FORM.letters, rules.everything_ended, FORM.lacking("feedback"), nobody_is_named), edits=frozenset({"feedback"}), numbers=("letter",),
        letters=("feedback",), record=_told, tells=PARTNER | HEADQUARTERS | DIRECTOR, begins=feedback_text, main=True,
    ),
    Action("close", ("table_told",), "table_closed", "完了にする", BUREAU, "この案件が終わります", guards=(rules.everything_ended,), main=True, bulk=True),
    Action("reopen", ("table_told",), "table_following", "対応に戻す", BUREAU, "意見の案件を加えられるようになります", asks=(Input("reason", "戻す理由"),)),
    Action(
        "postpone", ("table_invited",), "table_postponed", "延期する", BUREAU, "案内した人への文書ができ、計画に戻ります", guards=(nobody_is_named,), asks=_REASON,
        numbers=("letter",), letters=("postponed",), record=_stopped, tells=PARTNER | DIRECTOR,
    ),
    Action(
        "postpone", ("table_planned", "table_deciding", "table_approved"), "table_postponed", "延期する", BUREAU, "計画に戻ります", guards=(nobody_is_named,), asks=_REASON,
        record=_stopped, tells=DIRECTOR,
    ),
    Action(
        "cancel_table", ("table_invited",), "table_cancelled", "中止する", BUREAU, "案内した人への文書ができ、案件が終わります", guards=(nobody_is_named,), asks=_REASON,
        numbers=("letter",), letters=("cancelled",), record=_stopped, tells=PARTNER | DIRECTOR, stops=True,
    ),
    Action(
        "cancel_table", ("table_planned", "table_deciding", "table_approved", "table_postponed"), "table_cancelled", "中止する", BUREAU,
        "案件が終わります", guards=(nobody_is_named,), asks=_REASON, record=_stopped, tells=DIRECTOR, stops=True,
    ),
)  # fmt: skip

DEADLINES = (
    Deadline("plan", "開催の決裁を求める期限", "bureau", frozenset({"table_planned"}), at=_before(PLAN_DAYS)),
    Deadline("decide", "決裁の期限", "director", frozenset({"table_deciding"}), 5),
    Deadline("invitation", "案内の期限", "bureau", frozenset({"table_approved"}), at=_before(INVITATION_DAYS)),
    Deadline("table", "開く日", "bureau", frozenset({"table_invited"}), at=rules.held_on),
    Deadline("again", "日を改める期限", "bureau", frozenset({"table_postponed"}), 20),
    Deadline("report", "報告の期限", "bureau", frozenset({"table_held"}), REPORT_DAYS, since=rules.held_on),
    Deadline("confirm", "報告を確認する期限", "director", frozenset({"table_reporting"}), 5),
    Deadline("feedback", "地域に回答する期限", "bureau", frozenset({"table_following"}), 60),
    Deadline("close", "閉じる期限", "bureau", frozenset({"table_told"}), 20),
)  # fmt: skip


def asks(facts: Facts) -> Sequence[Ask] | None:
    """While opinions are in hand their owners are asked; with the last of them the answer to the region is due."""
    if facts.state == "table_deciding":
        return [Ask("director", "開催を決裁する", "decide", kind=DECISION)]
    if facts.state == "table_reporting":
        return [Ask("director", "実施結果の報告を確認する", "confirm", kind=CONFIRM)]
    if facts.state != "table_following":
        return None
    waiting = [child for child in facts.registers.get("children", ()) if not child["final"]]
    label = "意見への対応を進める" if waiting else "地域に回答する"
    return [Ask("bureau", label, "feedback")]


def reads(kind: str, roles: frozenset[str], state: str) -> bool:
    """Names and notes stay with the bureau; the municipality reads the plan, and the report once it stands."""
    if roles & OFFICE:
        return True
    if kind.startswith("record:"):
        return state in REPORTED and (kind.removeprefix("record:") in PUBLIC or not roles <= OUTSIDE)
    group = kind.removeprefix("form:").partition(":")[0]
    if kind.startswith("form:") and group in BUREAU_ONLY:
        return False
    if not roles <= OUTSIDE:
        return True
    if not kind.startswith("form:"):
        return not kind.startswith(("internal", "shown", "child"))
    return group in ("plan", "region_side", "office_side", "stop", "notice", "feedback") or (
        group == "report" and state in REPORTED
    )
