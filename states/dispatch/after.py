"""The rows of the table after the decision: orders, beginning and end, changes, stops, reports, evaluation."""

from states.dispatch import appointment, changing, countersign, headquarters, procedure, records, situation, stopping
from states.dispatch.labels import STOP_REASONS
from states.dispatch.road import answers
from states.dispatch.roles import (
    BODY,
    BUREAU,
    DECIDED,
    DIRECTOR,
    DRAFTED,
    HEADQUARTERS,
    INSIDE,
    INTAKE,
    MUNICIPALITY,
    PERSONNEL,
    REASON,
    STAFF,
)
from states.dispatch.rules import GUARDS
from states.terms import CLOCK, STAY, Action, Input

ALL = MUNICIPALITY | STAFF | BUREAU
EVERYBODY = ALL | PERSONNEL | BODY  # whoever a change of the days concerns
JUDGED = ("change_judgement", "change_consultation")
APPOINTING = ("preparing", "dispatched", *JUDGED, "stopped", "awaiting_report")
NOTE = Input("note", "添える言葉(市町村にも見えます)", required=False)

READY = (procedure.named, appointment.section_heads_agree, appointment.orders_cover, countersign.orders_confirmed)
PROPOSED = tuple(
    changing.on_the_proposal(asked) for asked in (procedure.team_proposed, procedure.named, *INTAKE, *DRAFTED)
)
CHANGE = (changing.change_written, changing.past_stays, changing.stays_within_a_month, *PROPOSED)
CHANGE_DECIDED = tuple(changing.on_the_proposal(asked) for asked in DECIDED)
# Nobody starts a new day before his section's head and both orders, confirmed by personnel, stand behind it.
READY_TO_GO_ON = tuple(changing.once_begun(changing.on_the_proposal(asked)) for asked in READY[1:])
FINISHED = (
    procedure.result_written,
    headquarters.MET_TO_FINISH,
    appointment.orders_released,
    appointment.cards_returned,
)

PREPARATION = (
    Action(
        "record_consent", ("preparing",), STAY, "所属長の承諾を残す", BUREAU, "所属長の承諾と振替の日を、決めた職員ごとに残します",
        (procedure.same_team,), edits=frozenset({"team"}), main=True,
    ),
    Action(
        "record_orders", APPOINTING, STAY, "発令と身分証を残す", BUREAU,
        "併任の辞令と身分証の出入りを残します", (appointment.orders_readable,), edits=frozenset({"appointment"}),
        record=countersign.entered, parties=countersign.joins, tells=PERSONNEL,
    ),
    Action(
        "countersign", APPOINTING, STAY, "併任の発令を確かめる", PERSONNEL, "振興局に伝わり、この発令で派遣を始められるようになります",
        (countersign.something_to_confirm,), when=countersign.needed, record=countersign.confirmed(paper=False), tells=BUREAU, main=True,
    ),
    Action(
        "return_orders", APPOINTING, STAY, "発令の直しを求める", PERSONNEL, "直してほしい点が振興局に伝わります。発令が入り直すと、また確かめます",
        (countersign.something_to_confirm,), when=countersign.needed, asks=(Input("reason", "直してほしい点(振興局に見えます)", into="countersign.reason"),),
        record=countersign.sent_back, tells=BUREAU, stops=True,
    ),
    Action(
        "countersign_on_paper", APPOINTING, STAY, "人事担当の確認を紙で受ける", BUREAU, "人事担当が紙などで確かめた発令を、代わりに残します",
        (countersign.something_to_confirm,), when=countersign.needed,
        asks=(Input("note", "確かめた人・日・文書と、代わりに入れる訳(人事担当にも見えます)", into="countersign.note"),),
        record=countersign.confirmed(paper=True), tells=PERSONNEL,
    ),
    Action(
        "begin", ("preparing",), "dispatched", "派遣を始める", frozenset({CLOCK}), "派遣の初めの日に自動で始まります",
        (procedure.time_to_begin, *READY, headquarters.MET_TO_BEGIN, GUARDS["D-03"]), tells=ALL,
    ),
    Action(
        "begin", JUDGED, STAY, "派遣を始める", frozenset({CLOCK}), "変更の判断を待つ間も、派遣は初めの日に始まります",
        (procedure.time_to_begin, *READY, headquarters.MET_TO_BEGIN, GUARDS["D-03"]), when=changing.back_to("preparing"),
        record=changing.goes_on_as("dispatched"), tells=ALL,
    ),
    Action(
        "end", ("dispatched",), "awaiting_report", "派遣を終える", frozenset({CLOCK}), "最後の派遣日の翌日に自動で終わります",
        (procedure.time_to_end,), tells=STAFF | BUREAU,
    ),
    Action(
        "end", JUDGED, STAY, "派遣を終える", frozenset({CLOCK}), "変更の判断を待つ間も、派遣は最後の日で終わります",
        (procedure.time_to_end,), when=changing.back_to("dispatched"), record=changing.goes_on_as("awaiting_report"), tells=STAFF | BUREAU,
    ),
    Action(
        "cancel", ("preparing",), "cancelled", "派遣を中止する", DIRECTOR, "中止の通知を出し、派遣せずに案件を閉じます",
        (stopping.not_ones_own,), asks=(REASON,), numbers=("letter",), letters=("cancel_notice",), record=stopping.cancelled, tells=EVERYBODY, stops=True,
    ),
    Action(
        "cancel", ("correction",), "cancelled", "派遣を中止する", BUREAU | DIRECTOR, "派遣せずに案件を閉じます",
        asks=(REASON,), when=situation.own_initiative, tells=ALL, stops=True,
    ),
    Action(
        "cancel", ("dispatched",), "awaiting_report", "派遣を打ち切る", DIRECTOR, "実際に終わった日までを派遣とし、報告に進みます",
        (stopping.cut_short, stopping.not_ones_own), asks=(Input("last_day", "実際に終わった日", "date"), REASON), numbers=("letter",),
        letters=("cancel_notice",), record=stopping.cut, tells=EVERYBODY, stops=True,
    ),
)  # fmt: skip

CHANGES = (
    Action(
        "ask_change", ("preparing", "dispatched", "stopped"), STAY, "変更を希望する", MUNICIPALITY, "希望が振興局に伝わり、答えが届きます",
        (changing.wish_answered,), asks=(Input("text", "変えてほしいことと、その事情", into="change_request.text"),), record=changing.wished,
        tells=BUREAU,
    ),
    Action(
        "answer_change_request", ("preparing", "dispatched", *JUDGED, "stopped", "awaiting_report"), STAY, "変更の希望に答える", BUREAU,
        "答えが市町村に伝わります", (changing.wish_waits,), when=lambda facts: facts.read.change_request.waits,
        asks=(Input("answer", "答え(市町村に見えます)", into="change_request.answer"),), record=changing.answered, tells=MUNICIPALITY,
    ),
    Action(
        "propose_change", ("preparing", "dispatched", "stopped"), "change_judgement", "変更を伺う", BUREAU,
        "違いを示して局長に渡します。判断を待つ間も、決まった日程は進みます", CHANGE, CHANGE_DECIDED, edits=frozenset({"change"}), weighs="drafter",
        record=changing.put_forward,
    ),
    Action(
        "consult", ("change_judgement",), "change_consultation", "本庁に協議する", BUREAU | DIRECTOR, "変更について本庁の回答を待ち、判断に戻ります",
        (changing.on_the_proposal(procedure.something_to_consult),),
        asks=(Input("question", "協議する変更と、その必要性", into="change_consultation.question"),), record=headquarters.asked, tells=HEADQUARTERS,
    ),
    *answers("change_consultation", "change_judgement"),
    *(
        Action(
            "approve_change", ("change_judgement",), dest, "変更を決定する", DIRECTOR, "変更を市町村と派遣職員に通知し、新しい内容で進めます",
            (procedure.another_person, changing.another_director, *CHANGE, *CHANGE_DECIDED, headquarters.MET_TO_APPROVE, *READY_TO_GO_ON),
            when=changing.leads_to(dest, cancels=cancels, told=bool(headquarters_told)), weighs="decider", numbers=("letter",),
            letters=("cancel_notice" if cancels else "change_notice",), record=changing.decided, tells=EVERYBODY | headquarters_told, main=True,
        )
        for dest, cancels in (
            ("preparing", False), ("dispatched", False), ("awaiting_report", False), ("awaiting_report", True), ("cancelled", True),
        )
        for headquarters_told in (frozenset[str](), HEADQUARTERS)
    ),
    *(
        Action(
            "decline_change", ("change_judgement",), back, "変更しないと決める", DIRECTOR, "決まっている内容のまま進みます",
            (procedure.another_person,), asks=(REASON, INSIDE), when=changing.back_to(back), record=changing.given_up,
            tells=MUNICIPALITY | BUREAU, stops=True,
        )
        for back in ("preparing", "dispatched", "stopped", "awaiting_report")
    ),
    *(
        Action(
            "withdraw_change", ("change_judgement",), back, "変更の伺いを取り下げる", BUREAU, "決まっている内容のまま進みます",
            when=changing.back_to(back), record=changing.given_up,
        )
        for back in ("preparing", "dispatched", "stopped", "awaiting_report")
    ),
)  # fmt: skip

STOPS = (
    Action(
        "stop", ("dispatched", *JUDGED), "stopped", "緊急に停止する", BUREAU | DIRECTOR, "すぐに止まります。局長が3営業日以内に追認します",
        (stopping.last_day_worked,), when=situation.stands_in("dispatched"),
        asks=(Input("reason_code", "事由", "choice", choices=tuple(STOP_REASONS.items()), into="stop.reason_code"),
              Input("text", "状況(市町村にも見えます)", into="stop.text"),
              Input("last_day", "実際に行った最後の日", "date", hint="だれも行かなかったときは、初めの日の前の日")),
        record=stopping.stopped, tells=EVERYBODY | DIRECTOR, stops=True,
    ),
    *(
        Action(
            "ratify", ("stopped",), dest, "停止を追認する", DIRECTOR, "停止した日までを派遣とし、通知を出します",
            (stopping.not_ones_own,), when=when, asks=(NOTE,), numbers=("letter",), letters=("stop_notice",), record=stopping.ratified,
            tells=EVERYBODY, main=True,
        )
        for dest, when in (("awaiting_report", stopping.anybody_went), ("cancelled", stopping.nobody_went))
    ),
    Action(
        "resume", ("stopped",), "dispatched", "派遣を再開する", DIRECTOR, "止めていた日を除いて、きょうから派遣を続けます",
        (stopping.days_remain, stopping.not_ones_own), asks=(NOTE,), record=stopping.resumed, tells=EVERYBODY,
    ),
)  # fmt: skip

REPORTS = (
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
        FINISHED, when=records.all_reports, edits=frozenset({"result"}), record=records.result, tells=MUNICIPALITY, main=True,
    ),
    Action(
        "file_result", ("awaiting_report",), STAY, "結果を報告する", BUREAU, "結果を残し、残りの復命を待ちます",
        FINISHED, when=lambda facts: not records.all_reports(facts), edits=frozenset({"result"}), record=records.result,
        tells=MUNICIPALITY, main=True,
    ),
    Action(
        "evaluate", ("awaiting_report", "reported"), STAY, "派遣を評価する", MUNICIPALITY, "評価が振興局に伝わり、次の派遣に生かされます",
        (procedure.evaluation_written,), when=situation.to_evaluate, edits=frozenset({"evaluation"}), record=records.evaluated, tells=BUREAU,
        main=True,
    ),
)  # fmt: skip

ROWS = (*PREPARATION, *CHANGES, *STOPS, *REPORTS)
