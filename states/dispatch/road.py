"""The rows of the table up to the decision: request, own approval, receipt, consent, consultation, judgement."""

from states.dispatch import arrival, headquarters, parties, procedure, records, situation
from states.dispatch.roles import (
    ADVICE,
    BODY,
    BUREAU,
    DECIDED,
    DIRECTOR,
    DRAFTED,
    HEAD,
    HEADQUARTERS,
    INSIDE,
    INTAKE,
    MUNICIPALITY,
    PARTNER,
    PERSONNEL,
    REASON,
    SCREEN,
    STAFF,
    TOLD,
)
from states.dispatch.rules import GUARDS
from states.route_actions import CONSENTER, DRAFTER, MARK, REVIEWER, THEN, review_day, unopened
from states.terms import STAY, Action, Facts, Input

NOTE = Input("note", "起案の理由", hint="派遣が必要な理由と、隊の考え方", into="drafting.note")
SAME_AS = Input(
    "same_as", "同じ要請の案件番号", "case", "先に届いた案件を選ぶか、番号を書きます", into="receipt.same_as"
)
PUT = (procedure.complete, procedure.team_proposed, *INTAKE, GUARDS["D-07"], *DRAFTED)  # what a draft has to meet
HEARS = (*TOLD, procedure.asked_in_time)  # what the municipality hears when it asks, before it has asked
MEND = Input("reason", "直してほしい点(局内だけ)", internal=True)
AT_TURN, DRAFTED_BY = frozenset({REVIEWER, CONSENTER}), frozenset({DRAFTER})
WAITS_FOR_PARTNERS = ("municipal_request", "concurrent_appointment_consultation")


def _never_begun(facts: Facts) -> bool:
    """A dispatch that has begun is not withdrawn any more: it goes on to its report."""
    return situation.on_request(facts) and situation.standing(facts) not in situation.BEGUN


REQUEST = (
    Action(
        "submit", ("draft",), "municipal_request", "要請を提出する", MUNICIPALITY, "振興局に届き、収受を待ちます",
        (parties.own_approval_first, *SCREEN), HEARS, situation.on_request, edits=frozenset({"request", "contact"}),
        parties=parties.addressed, record=parties.asked_to_agree, main=True,
    ),
    Action(
        "ask_own_approval", ("draft",), "own_approval", "庁内決裁を伺う", MUNICIPALITY, "庁内の決裁者に回ります。決裁されると振興局に届きます",
        SCREEN, HEARS, parties.asks_own_approval, edits=frozenset({"request", "contact"}), record=parties.asked_own_approval, main=True,
    ),
    Action(
        "revise_own", ("own_approval",), STAY, "直して、もう一度伺う", MUNICIPALITY, "庁内の決裁者に、直した要請が回ります",
        SCREEN, HEARS, edits=frozenset({"request", "contact"}), record=parties.asked_own_approval, main=True,
    ),
    Action(
        "approve_own", ("own_approval",), "municipal_request", "庁内で決裁し、提出する", HEAD, "市町村の決定として振興局に届き、収受を待ちます",
        (parties.another_decides, *SCREEN), HEARS,
        asks=(Input("own_number", "庁内の決裁番号(あれば)", required=False, into="own_decision.number"),
              Input("note", "添える言葉(庁内だけに残ります)", required=False, into="own_approval.note")),
        parties=parties.addressed, record=parties.decided_and_submitted, tells=MUNICIPALITY, main=True,
    ),
    Action(
        "return_own", ("own_approval",), STAY, "庁内で差し戻す", HEAD, "庁内の担当に戻ります。庁外には出ません",
        asks=(Input("note", "直してほしい点(庁内だけに残ります)", into="own_approval.note"),), record=parties.returned_inside,
        tells=MUNICIPALITY,
    ),
    Action(
        "submit_proxy", ("draft",), "municipal_request", "代理で受け付ける", BUREAU, "紙などで届いた要請を、市町村に代わって入れます",
        (arrival.true_day,), (procedure.complete, *INTAKE, GUARDS["D-07"], *ADVICE, procedure.asked_in_time), situation.on_request,
        edits=frozenset({"request", "contact", "receipt"}), record=parties.entered_on_behalf, parties=parties.entered, main=True,
    ),
    Action(
        "partner_agree", WAITS_FOR_PARTNERS, STAY, "共同の要請に同意する", PARTNER, "同意が幹事の市町村と振興局に伝わります",
        (parties.asks_along,), asks=(Input("note", "添える言葉(幹事の市町村と振興局に見えます)", required=False, into="consent_note:{acting_org}.note"),),
        record=parties.consented("agree"), tells=BUREAU | MUNICIPALITY, main=True,
    ),
    Action(
        "partner_refuse", WAITS_FOR_PARTNERS, STAY, "共同の要請に同意しない", PARTNER, "同意しないことが幹事の市町村と振興局に伝わります",
        (parties.asks_along,), asks=(Input("note", "理由(幹事の市町村と振興局に見えます)", into="consent_note:{acting_org}.note"),),
        record=parties.consented("refuse"), tells=BUREAU | MUNICIPALITY, stops=True,
    ),
)  # fmt: skip

DESK = (
    Action(
        "receive", ("municipal_request",), STAY, "収受する", BUREAU, "案件番号と収受番号がつき、回答期限(10営業日)が動きます",
        (procedure.not_received, procedure.arrival), asks=(Input("arrived_on", "実際に届いた日(到達日)", "date", shows="receipt.arrived_on"),),
        numbers=("case", "receipt"), record=records.receipt, parties=parties.body, tells=MUNICIPALITY, main=True,
    ),
    Action(
        "record_partner_consent", WAITS_FOR_PARTNERS, STAY, "市町村の同意を紙で受ける", BUREAU, "紙などで届いた、共同の市町村の答えを残します",
        (parties.partner_named,),
        asks=(Input("partner", "答えた市町村", "partner"), Input("answer", "答え", "choice", choices=(("agree", "同意する"), ("refuse", "同意しない"))),
              Input("note", "届いた文書・言葉", hint="文書の日付と番号、電話ならだれから", into="consent_note:{partner}.note")),
        when=lambda facts: bool(parties.partners(facts)), record=parties.consented_on_paper, tells=MUNICIPALITY,
    ),
    Action(
        "forward", ("municipal_request", "correction"), STAY, "転送する", BUREAU, "ほかの振興局の案件になります。市町村に伝わり、番号はそのままです",
        (parties.another_office,), asks=(Input("office", "転送先の振興局", "office"), Input("reason", "転送の理由(市町村にも見えます)")),
        when=situation.on_request, record=parties.forwarded, leaves=parties.forwarded_from, parties=parties.forwarded_to,
        leads=parties.chosen_office, tells=MUNICIPALITY | BUREAU, stops=True,
    ),
    Action(
        "add_co_office", ("municipal_request", "director_judgement", "preparing", "dispatched"), STAY, "協力する局を加える", BUREAU,
        "その局も、この案件を読めるようになります", (parties.helping_office,), asks=(Input("office", "協力する振興局", "office"),),
        record=parties.helped, parties=parties.helping,
    ),
    Action(
        "mark_duplicate", ("municipal_request",), "not_accepted", "同じ要請として閉じる", BUREAU, "先に届いた案件と結びつけ、収受せずに閉じます",
        (parties.same_case,), asks=(SAME_AS, Input("reason", "市町村に伝えること", required=False)),
        when=lambda facts: situation.on_request(facts) and not facts.number, links=parties.linked, tells=MUNICIPALITY, stops=True,
    ),
    Action(
        "propose_team", ("municipal_request",), STAY, "隊の案をつくる", BUREAU, "派遣職員と派遣日の案を残します",
        edits=frozenset({"team"}), advises=(GUARDS["D-08"], GUARDS["I-07"]),
    ),
    Action(
        "put_to_director", ("municipal_request",), "director_judgement", "局長の判断を求める", BUREAU, "起案として局長に渡します",
        (procedure.received, parties.partners_agree, *PUT), (procedure.named, *DECIDED), situation.on_request,
        asks=(NOTE, MARK), weighs="drafter", record=records.drafting, main=True,
    ),
    Action(
        "put_to_director", ("draft",), "director_judgement", "局長の判断を求める", BUREAU, "起案として局長に渡します",
        (procedure.instructed, *PUT), (procedure.named, *DECIDED), situation.own_initiative,
        asks=(NOTE, MARK), edits=frozenset({"request", "contact", "team"}), weighs="drafter", numbers=("case",), record=records.drafting,
        main=True,
    ),
    Action(
        "put_to_director", ("correction",), "director_judgement", "局長の判断を求める", BUREAU, "直した起案を局長に渡します",
        (procedure.instructed, *PUT), (procedure.named, *DECIDED), situation.own_initiative,
        asks=(NOTE, MARK), edits=frozenset({"request", "team"}), weighs="drafter", record=records.drafting, main=True,
    ),
    Action(
        "ask_correction", ("municipal_request",), "correction", "補正を求める", BUREAU, "直してほしい点を書いて市町村に返します",
        (procedure.received,), when=situation.on_request, asks=(Input("reason", "直してほしい点(市町村に見えます)"),), tells=MUNICIPALITY,
    ),
    Action(
        "resubmit", ("correction",), "municipal_request", "補正して出し直す", MUNICIPALITY | BUREAU, "振興局の検討に戻ります",
        SCREEN, TOLD, situation.on_request, edits=frozenset({"request", "contact"}), parties=parties.joined_again, leaves=parties.dropped,
        record=parties.asked_to_agree, main=True,
    ),
    Action(
        "consult", ("municipal_request",), "concurrent_appointment_consultation", "本庁に協議する", BUREAU,
        "併任について本庁の回答を待ちます(おおむね10営業日)", (procedure.received, procedure.something_to_consult),
        asks=(Input("question", "協議する内容と、道が支援する必要性", into="consultation.question"),),
        record=headquarters.asked, tells=HEADQUARTERS,
    ),
    Action(
        "consult", ("director_judgement",), "concurrent_appointment_consultation", "本庁に協議する", BUREAU | DIRECTOR,
        "併任について本庁の回答を待ち、判断に戻ります", (procedure.something_to_consult,),
        asks=(Input("question", "協議する内容と、道が支援する必要性", into="consultation.question"),),
        record=headquarters.asked, tells=HEADQUARTERS,
    ),
    Action(
        "not_accept", ("municipal_request",), "not_accepted", "受理しない", BUREAU, "宛先違いか重複のときだけ、理由を伝えて閉じます",
        (parties.same_case,),
        asks=(Input("ground", "受理しない事由", "choice", choices=(("wrong_addressee", "宛先が違う"), ("duplicate", "同じ要請が重なっている"))),
              Input("same_as", "同じ要請の案件番号(重複のとき)", "case", required=False, into="receipt.same_as"), REASON),
        when=situation.on_request, links=parties.linked, tells=MUNICIPALITY, stops=True,
    ),
    Action(
        "withdraw", ("own_approval",), "not_submitted", "提出を取りやめる", MUNICIPALITY, "庁外に出さずに閉じます",
        asks=(Input("reason", "取りやめる理由(庁内だけに残ります)", into="own_approval.note"),), stops=True,
    ),
    Action(
        "withdraw",
        ("municipal_request", "correction", "concurrent_appointment_consultation", "director_judgement", "preparing", "change_judgement",
         "change_consultation"),
        "withdrawn", "要請を取り下げる", MUNICIPALITY | BUREAU, "案件を閉じます。派遣の予定は取り消されます",
        asks=(REASON,), when=_never_begun, tells=BUREAU | MUNICIPALITY | STAFF | PERSONNEL | BODY, stops=True,
    ),
)  # fmt: skip


def answers(source: str, back: str) -> tuple[Action, ...]:
    """The answers of headquarters that lead from one state back to another."""
    group = "change_consultation" if source == "change_consultation" else "consultation"
    why = (Input("reason", "理由(振興局に伝わります)", into=f"{group}.reason"),)
    more = {"record": headquarters.replied("no_objection")}
    return (
        Action(
            "agree", (source,), back, "異議なしと回答する", HEADQUARTERS, "振興局に戻り、判断に進めるようになります",
            when=headquarters.asked_from(back), tells=BUREAU, main=True, **more,
        ),
        Action(
            "agree_with_conditions", (source,), back, "条件をつけて同意する", HEADQUARTERS,
            "条件ごとに担当と期限がつき、済むまで決めた段階を止めます", (headquarters.conditions_written,),
            when=headquarters.asked_from(back), edits=frozenset({"conditions"}), opens=headquarters.opened,
            tells=BUREAU | MUNICIPALITY, **more,
        ),
        Action(
            "trip_suffices", (source,), back, "通常の出張で足りると回答する", HEADQUARTERS, "振興局に戻ります。併任を外せば判断に進めます",
            when=headquarters.asked_from(back), asks=why, tells=BUREAU, record=headquarters.replied("trip_suffices"),
        ),
        Action(
            "disagree", (source,), back, "不同意と回答する", HEADQUARTERS, "振興局に戻ります。固有の事務を外すまで決定できません",
            when=headquarters.asked_from(back), asks=why, tells=BUREAU, record=headquarters.replied("not_agreed"),
        ),
    )  # fmt: skip


JUDGEMENT = (
    Action(
        "approve", ("director_judgement",), "preparing", "派遣を決定する", DIRECTOR, "決定通知を市町村に出し、派遣の準備に入ります",
        (procedure.another_person, procedure.named, headquarters.MET_TO_APPROVE, *PUT, *DECIDED),
        weighs="decider", numbers=("letter",), letters=("decision_notice",), record=records.decision("approved"),
        parties=parties.decided, tells=MUNICIPALITY | STAFF | BUREAU | PERSONNEL | BODY, main=True,
    ),
    Action(
        "send_back", ("director_judgement",), "municipal_request", "差し戻す", DIRECTOR | AT_TURN, "担当に戻り、直して再び判断を求めます",
        when=situation.on_request, asks=(MEND, THEN), tells=BUREAU,
    ),
    Action(
        "send_back", ("director_judgement",), "correction", "差し戻す", DIRECTOR | AT_TURN, "担当に戻り、直して再び判断を求めます",
        when=situation.own_initiative, asks=(MEND, THEN), tells=BUREAU,
    ),
    *(
        Action(
            "pull_back", ("director_judgement",), dest, "引き戻す", DRAFTED_BY, "回している起案が手元に戻ります。次の人が開く前だけできます",
            (unopened,), when=when,
        )
        for dest, when in (("municipal_request", situation.on_request), ("correction", situation.own_initiative))
    ),
    *(
        Action(
            "withdraw_draft", ("director_judgement",), dest, "起案を取り下げる", DRAFTED_BY,
            "承認や合議をした職に伝わり、手元に戻ります。要請は取り下げられません", when=when, asks=(Input("reason", "取り下げる理由(局内だけ)", internal=True),),
            tells=BUREAU,
        )
        for dest, when in (("municipal_request", situation.on_request), ("correction", situation.own_initiative))
    ),
    Action(
        "hold", ("director_judgement",), STAY, "保留する", DIRECTOR, "再検討の日に受信箱へ戻ります。回答期限は止まりません",
        (review_day,), asks=(INSIDE, Input("review_on", "再検討の日", "date", internal=True)), record=records.hold, tells=BUREAU,
    ),
    Action(
        "decline", ("director_judgement",), "declined", "派遣しないと決める", DIRECTOR, "不派遣通知を市町村に出し、案件を閉じます",
        (procedure.another_person,), asks=(REASON, INSIDE), numbers=("letter",), letters=("decline_notice",),
        record=records.decision("declined"), tells=MUNICIPALITY | BUREAU | BODY, stops=True,
    ),
)  # fmt: skip

ROWS = (
    *REQUEST,
    *DESK,
    *answers("concurrent_appointment_consultation", "municipal_request"),
    *answers("concurrent_appointment_consultation", "director_judgement"),
    *JUDGEMENT,
)
