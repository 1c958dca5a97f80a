"""States, actions and deadlines of the dispatch, by name; the only place that says which way a case may go."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from states.dates import read_date
from states.dispatch import procedure, records, situation
from states.dispatch.form import Consultation, Team
from states.dispatch.rules import GUARDS
from states.terms import CLOCK, STAY, Action, Ask, Deadline, Facts, Guard, Input, State, Verdict

MUNICIPALITY, BUREAU, DIRECTOR, HEADQUARTERS, STAFF = (
    frozenset({role}) for role in ("municipality", "bureau", "director", "headquarters", "staff")
)
OFFICE = frozenset({"bureau", "director", "headquarters", "auditor", "records"})  # who reads what stays inside

STATES = (
    State("draft", "下書き", "要請", "municipality"),
    State("municipal_request", "受付・検討", "受付・検討", "bureau", "受け付けて検討する"),
    State("correction", "補正待ち", "受付・検討", "municipality", "補正して出し直す"),
    State("concurrent_appointment_consultation", "併任協議", "受付・検討", "headquarters", "併任協議に回答する"),
    State("director_judgement", "判断", "決定", "director", "派遣を判断する"),
    State("preparing", "派遣準備", "派遣", "bureau"),
    State("dispatched", "派遣中", "派遣", "staff"),
    State("awaiting_report", "報告待ち", "報告", "staff"),
    State("reported", "報告済", "報告", final=True, outcome="派遣した"),
    State("withdrawn", "取下げ", "要請", final=True, outcome="取り下げた"),
    State("not_accepted", "不受理", "受付・検討", final=True, outcome="受理しなかった"),
    State("declined", "派遣しない", "決定", final=True, outcome="派遣しなかった"),
    State("cancelled", "中止", "派遣", final=True, outcome="中止した"),
)


def _of_the_request(inner: Guard) -> Guard:
    """The same rule, held against the request alone: what the office proposed or was told is not the municipality's to mend."""

    def ask(facts: Facts) -> Iterable[Verdict]:
        form = {group: part for group, part in facts.form.items() if group in ("request", "contact", "receipt")}
        read = facts.read.model_copy(update={"team": Team(), "consultation": Consultation()})
        return inner.ask(replace(facts, form=form, read=read, memo={}))

    return Guard(inner.rule, inner.name, ask)


INTAKE = tuple(GUARDS[rule] for rule in ("I-01", "I-02", "I-03", "I-04", "I-05", "I-06", "I-07"))
ADVICE = tuple(GUARDS[rule] for rule in ("D-01", "D-02", "D-03", "D-04", "D-05", "D-06", "D-08", "D-09"))
# What stops the municipality's own submission, and what it is told then.
SCREEN = tuple(_of_the_request(asked) for asked in (procedure.complete, *INTAKE, GUARDS["D-07"]))
TOLD = tuple(_of_the_request(asked) for asked in ADVICE)
DRAFTED = tuple(GUARDS[rule] for rule in ("D-01", "D-02", "D-05", "D-06", "D-08", "D-09"))
DECIDED = tuple(GUARDS[rule] for rule in ("D-03", "D-04", "D-10"))

REASON = Input("reason", "理由(市町村にも見えます)", hint="相手に伝わる言い方で書きます")
INSIDE = Input("internal_reason", "理由(局内だけに残ります)", internal=True, hint="市町村には見えません")
NOTE = Input("note", "起案の理由", hint="派遣が必要な理由と、隊の考え方", into="drafting.note")

ACTIONS = (
    Action(
        "submit", ("draft",), "municipal_request", "要請を提出する", MUNICIPALITY, "振興局に届き、収受を待ちます",
        SCREEN, TOLD, situation.on_request, edits=frozenset({"request", "contact"}), parties=records.lead, main=True,
    ),
    Action(
        "submit_proxy", ("draft",), "municipal_request", "代理で受け付ける", BUREAU, "紙などで届いた要請を、市町村に代わって入れます",
        (), (procedure.complete, *INTAKE, GUARDS["D-07"], *ADVICE), situation.on_request, edits=frozenset({"request", "contact", "receipt"}),
        parties=records.requester, main=True,
    ),
    Action(
        "receive", ("municipal_request",), STAY, "収受する", BUREAU, "案件番号と収受番号がつき、回答期限(10営業日)が動きます",
        (procedure.not_received, procedure.arrival), asks=(Input("arrived_on", "実際に届いた日(到達日)", "date"),),
        numbers=("case", "receipt"), record=records.receipt, tells=MUNICIPALITY, main=True,
    ),
    Action(
        "propose_team", ("municipal_request",), STAY, "隊の案をつくる", BUREAU, "派遣職員と派遣日の案を残します",
        edits=frozenset({"team"}), advises=(GUARDS["D-08"], GUARDS["I-07"]),
    ),
    Action(
        "put_to_director", ("municipal_request",), "director_judgement", "局長の判断を求める", BUREAU, "起案として局長に渡します",
        (procedure.received, procedure.complete, procedure.team_proposed, *INTAKE, GUARDS["D-07"], *DRAFTED), DECIDED, situation.on_request,
        asks=(NOTE,), weighs="drafter", record=records.drafting, main=True,
    ),
    Action(
        "put_to_director", ("draft",), "director_judgement", "局長の判断を求める", BUREAU, "起案として局長に渡します",
        (procedure.complete, procedure.instructed, procedure.team_proposed, *INTAKE, GUARDS["D-07"], *DRAFTED), DECIDED, situation.own_initiative,
        asks=(NOTE,), edits=frozenset({"request", "contact", "team"}), weighs="drafter", numbers=("case",), record=records.drafting,
        main=True,
    ),
    Action(
        "put_to_director", ("correction",), "director_judgement", "局長の判断を求める", BUREAU, "直した起案を局長に渡します",
        (procedure.complete, procedure.instructed, procedure.team_proposed, *INTAKE, GUARDS["D-07"], *DRAFTED), DECIDED, situation.own_initiative,
        asks=(NOTE,), edits=frozenset({"request", "team"}), weighs="drafter", record=records.drafting, main=True,
    ),
    Action(
        "ask_correction", ("municipal_request",), "correction", "補正を求める", BUREAU, "直してほしい点を書いて市町村に返します",
        (procedure.received,), when=situation.on_request, asks=(Input("reason", "直してほしい点(市町村に見えます)"),), tells=MUNICIPALITY,
    ),
    Action(
        "resubmit", ("correction",), "municipal_request", "補正して出し直す", MUNICIPALITY | BUREAU, "振興局の検討に戻ります",
        SCREEN, TOLD, situation.on_request, edits=frozenset({"request", "contact"}), main=True,
    ),
    Action(
        "consult", ("municipal_request",), "concurrent_appointment_consultation", "本庁に協議する", BUREAU,
        "併任について本庁の回答を待ちます(おおむね10営業日)", (procedure.received, procedure.something_to_consult),
        asks=(Input("question", "協議する内容と、道が支援する必要性", into="consultation.question"),),
        record=records.consultation, tells=HEADQUARTERS,
    ),
    Action(
        "consult", ("director_judgement",), "concurrent_appointment_consultation", "本庁に協議する", BUREAU | DIRECTOR,
        "併任について本庁の回答を待ち、判断に戻ります", (procedure.something_to_consult,),
        asks=(Input("question", "協議する内容と、道が支援する必要性", into="consultation.question"),),
        record=records.consultation, tells=HEADQUARTERS,
    ),
    *(
        Action(
            name, ("concurrent_appointment_consultation",), back, label, HEADQUARTERS, effect, when=records.asked_from(back),
            asks=asks, record=records.reply(reply), tells=BUREAU, main=name == "agree",
        )
        for name, label, effect, asks, reply in (
            ("agree", "異議なしと回答する", "振興局に戻り、判断に進めるようになります",
             (Input("conditions", "条件(あれば)", required=False, into="consultation.conditions"),), "no_objection"),
            ("trip_suffices", "通常の出張で足りると回答する", "振興局に戻ります。併任を外せば判断に進めます",
             (Input("reason", "理由(振興局に伝わります)", into="consultation.reason"),), "trip_suffices"),
            ("disagree", "不同意と回答する", "振興局に戻ります。固有の事務を外すまで決定できません",
             (Input("reason", "理由(振興局に伝わります)", into="consultation.reason"),), "not_agreed"),
        )
        for back in ("municipal_request", "director_judgement")
    ),
    Action(
        "approve", ("director_judgement",), "preparing", "派遣を決定する", DIRECTOR, "決定通知を市町村に出し、派遣の準備に入ります",
        (procedure.another_person, procedure.complete, procedure.team_proposed, *INTAKE, GUARDS["D-07"], *DRAFTED, *DECIDED),
        weighs="decider", numbers=("letter",), letters=("decision_notice",), record=records.decision("approved"),
        parties=records.destination, tells=MUNICIPALITY | STAFF | BUREAU, main=True,
    ),
    Action(
        "send_back", ("director_judgement",), "municipal_request", "差し戻す", DIRECTOR, "担当に戻り、直して再び判断を求めます",
        when=situation.on_request, asks=(Input("reason", "直してほしい点(局内だけ)", internal=True),), tells=BUREAU,
    ),
    Action(
        "send_back", ("director_judgement",), "correction", "差し戻す", DIRECTOR, "担当に戻り、直して再び判断を求めます",
        when=situation.own_initiative, asks=(Input("reason", "直してほしい点(局内だけ)", internal=True),), tells=BUREAU,
    ),
    Action(
        "hold", ("director_judgement",), STAY, "保留する", DIRECTOR, "再検討の日に受信箱へ戻ります。回答期限は止まりません",
        (procedure.review_day,), asks=(INSIDE, Input("review_on", "再検討の日", "date", internal=True)), record=records.hold, tells=BUREAU,
    ),
    Action(
        "decline", ("director_judgement",), "declined", "派遣しないと決める", DIRECTOR, "不派遣通知を市町村に出し、案件を閉じます",
        (procedure.another_person,), asks=(REASON, INSIDE), numbers=("letter",), letters=("decline_notice",),
        record=records.decision("declined"), tells=MUNICIPALITY | BUREAU, stops=True,
    ),
    Action(
        "not_accept", ("municipal_request",), "not_accepted", "受理しない", BUREAU, "宛先違いか重複のときだけ、理由を伝えて閉じます",
        asks=(Input("ground", "受理しない事由", "choice", choices=(("wrong_addressee", "宛先が違う"), ("duplicate", "同じ要請が重なっている"))),
              REASON), when=situation.on_request, tells=MUNICIPALITY, stops=True,
    ),
    Action(
        "withdraw",
        ("municipal_request", "correction", "concurrent_appointment_consultation", "director_judgement", "preparing"),
        "withdrawn", "要請を取り下げる", MUNICIPALITY | BUREAU, "案件を閉じます。派遣の予定は取り消されます",
        asks=(REASON,), when=situation.on_request, tells=BUREAU | MUNICIPALITY | STAFF, stops=True,
    ),
    Action(
        "name_team", ("preparing",), STAY, "氏名をそろえる", BUREAU, "決定した日程のまま、派遣職員の氏名を入れます",
        (procedure.same_days,), edits=frozenset({"team"}), main=True,
    ),
    Action(
        "begin", ("preparing",), "dispatched", "派遣を始める", frozenset({CLOCK}), "派遣の初めの日に自動で始まります",
        (procedure.time_to_begin, procedure.named, GUARDS["D-03"]), tells=STAFF | BUREAU | MUNICIPALITY,
    ),
    Action(
        "cancel", ("preparing", "correction"), "cancelled", "派遣を中止する", BUREAU | DIRECTOR, "派遣せずに案件を閉じます",
        asks=(REASON,), when=lambda facts: facts.state == "preparing" or situation.own_initiative(facts),
        tells=MUNICIPALITY | STAFF | BUREAU, stops=True,
    ),
    Action(
        "cancel", ("dispatched",), "awaiting_report", "派遣を打ち切る", BUREAU | DIRECTOR, "実際に終わった日までを派遣とし、報告に進みます",
        (procedure.cut_short,), asks=(Input("last_day", "実際に終わった日", "date"), REASON), record=records.actual_end,
        tells=MUNICIPALITY | STAFF | BUREAU, stops=True,
    ),
    Action(
        "end", ("dispatched",), "awaiting_report", "派遣を終える", frozenset({CLOCK}), "最後の派遣日の翌日に自動で終わります",
        (procedure.time_to_end,), tells=STAFF | BUREAU,
    ),
    Action(
        "file_trip_report", ("awaiting_report",), "reported", "復命する", STAFF | BUREAU, "復命がそろい、案件が完了します",
        (procedure.own_report,), when=records.last_report, edits=frozenset({"report"}), record=records.report, tells=BUREAU, main=True,
    ),
    Action(
        "file_trip_report", ("awaiting_report",), STAY, "復命する", STAFF | BUREAU, "復命を残します",
        (procedure.own_report,), when=lambda facts: not records.last_report(facts), edits=frozenset({"report"}), record=records.report,
        tells=BUREAU, main=True,
    ),
    Action(
        "file_result", ("awaiting_report",), "reported", "結果を報告する", BUREAU, "結果がそろい、案件が完了します",
        (procedure.result_written,), when=records.all_reports, edits=frozenset({"result"}), record=records.result, tells=MUNICIPALITY, main=True,
    ),
    Action(
        "file_result", ("awaiting_report",), STAY, "結果を報告する", BUREAU, "結果を残し、残りの復命を待ちます",
        (procedure.result_written,), when=lambda facts: not records.all_reports(facts), edits=frozenset({"result"}), record=records.result, main=True,
    ),
)  # fmt: skip

_UNDER_WAY = frozenset({"municipal_request", "concurrent_appointment_consultation", "director_judgement"})

DEADLINES = (
    Deadline("receive", "収受の期限", "bureau", frozenset({"municipal_request"}), 2,
             starts=frozenset({"submit", "submit_proxy"}), ends=frozenset({"receive"})),
    Deadline("reply", "市町村への回答期限", "bureau", _UNDER_WAY, 10, starts=frozenset({"receive"}), pauses=frozenset({"correction"})),
    Deadline("correction", "補正の期限", "municipality", frozenset({"correction"}), 5),
    Deadline("consultation", "協議の回答期限", "headquarters", frozenset({"concurrent_appointment_consultation"}), 10),
    Deadline("judgement", "判断の期限", "director", frozenset({"director_judgement"}), 3, ends=frozenset({"hold"})),
    Deadline("review", "再検討の日", "director", frozenset({"director_judgement"}),
             at=lambda facts: read_date((facts.form.get("hold") or {}).get("review_on") or "").date),
    Deadline("begin", "派遣の初めの日", "bureau", frozenset({"preparing"}), at=situation.first_day, move="begin"),
    Deadline("end", "派遣の終わりの日", "staff", frozenset({"dispatched"}), at=situation.day_after, move="end"),
    Deadline("trip_report", "復命の期限", "staff", frozenset({"awaiting_report"}), 5),
    Deadline("result", "結果報告の期限", "bureau", frozenset({"awaiting_report"}), 10, ends=frozenset({"file_result"})),
)  # fmt: skip


def asks(facts: Facts) -> Sequence[Ask] | None:
    """Whose turn it is, where that is more than the holder of the state."""
    if facts.state == "municipal_request":
        return [
            Ask("bureau", "検討して判断を求める", "reply") if facts.number else Ask("bureau", "収受する", "receive")
        ]
    if facts.state == "correction" and situation.own_initiative(facts):
        return [Ask("bureau", "直して判断を求める", "correction")]
    if facts.state == "director_judgement" and (facts.form.get("hold") or {}).get("review_on"):
        return [Ask("director", "保留中の件を再検討する", "review")]
    if facts.state == "preparing":
        return [Ask("bureau", "氏名をそろえる", "begin")] if situation.unnamed(facts) else []
    if facts.state == "awaiting_report":
        reports = [Ask("staff", "復命する", "trip_report", person) for person in situation.unreported(facts)]
        return reports + ([] if situation.result_filed(facts) else [Ask("bureau", "結果を報告する", "result")])
    return None


def reads(kind: str, roles: frozenset[str], state: str) -> bool:
    """Who sees which content: the municipality nothing of the office's deliberation, staff nothing of the drafting."""
    if roles & OFFICE:
        return True
    group = kind.removeprefix("form:").partition(":")[0]
    if group in ("internal", "shown", "drafting", "consultation", "hold"):
        return False
    if group == "team":
        return "staff" in roles or state in ("preparing", "dispatched", "awaiting_report", "reported")
    return group != "report" or "staff" in roles
