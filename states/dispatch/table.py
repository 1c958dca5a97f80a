"""States, actions and deadlines of the dispatch, by name; the only place that says which way a case may go."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from states.dates import read_date
from states.dispatch.form import Consultation, Team
from states.dispatch.rules import GUARDS
from states.kernel import (
    CLOCK,
    STAY,
    Action,
    Ask,
    Deadline,
    Facts,
    Guard,
    Input,
    State,
    Verdict,
    block,
    guard,
    ok,
)
from states.places import code_problem
from states.text import narrow

MUNICIPALITY, BUREAU, DIRECTOR, HEADQUARTERS, STAFF = (
    frozenset({role}) for role in ("municipality", "bureau", "director", "headquarters", "staff")
)
OFFICE = frozenset({"bureau", "director", "headquarters", "auditor", "records"})  # who reads what stays inside
ON_REQUEST, OWN_INITIATIVE = "municipality_request", "director"

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


# ── what the facts say ──────────────────────────────────────────────────────────────────────────────────────────────


def on_request(facts: Facts) -> bool:
    return _request(facts.form).get("origin") != OWN_INITIATIVE


def own_initiative(facts: Facts) -> bool:
    return not on_request(facts)


def _request(form: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = form.get("request") or {}
    return found


def title(form: Mapping[str, Any]) -> str:
    return str(_request(form).get("title") or "").strip() or "(件名なし)"


def place(form: Mapping[str, Any]) -> str:
    """Code of the municipality that the case is about, once it is a code."""
    code = narrow(str((_request(form).get("destination") or {}).get("municipality_code") or ""))
    return code if not code_problem(code) else ""


def last_day(form: Mapping[str, Any]) -> date | None:
    """The day on which a dispatch that was cut short actually ended."""
    ended = (form.get("actual") or {}).get("end")
    return date.fromisoformat(ended) if ended else None


def assigned(read: Any) -> Sequence[tuple[int, date]]:
    """Who is where on which day: the named members' days, up to the day on which it actually ended."""
    end = read.actual_end
    return [(m.person, day) for m in read.team.members if m.person for day in m.dates if end is None or day <= end]


def _days(facts: Facts) -> list[date]:
    return sorted(day for member in facts.read.team.members for day in member.dates)


def first_day(facts: Facts) -> date | None:
    return next(iter(_days(facts)), None)


def day_after(facts: Facts) -> date | None:
    days = _days(facts)
    return days[-1] + timedelta(days=1) if days else None


def reporters(facts: Facts) -> list[int]:
    """The persons who owe a 復命: everyone with at least one dispatched day."""
    return sorted({person for person, _ in assigned(facts.read)})


def unreported(facts: Facts) -> list[int]:
    return [person for person in reporters(facts) if not (facts.form.get(f"report:{person}") or {}).get("filed_on")]


def result_filed(facts: Facts) -> bool:
    return bool((facts.form.get("result") or {}).get("filed_on"))


def unnamed(facts: Facts) -> bool:
    return any(not m.person or m.headcount != 1 for m in facts.read.team.members)


# ── guards of the procedure itself; the rules of the 要領 stand in rules.py ─────────────────────────────────────────


@guard(None)
def complete(facts: Facts) -> Iterator[Verdict]:
    """The few fields without which nobody can judge."""
    request = facts.read.request
    for value, label, field in (
        (request.title.strip(), "件名", "request.title"),
        (request.purpose.strip(), "困っていること・目的", "request.purpose"),
        (request.ground, "対象業務の区分", "request.ground"),
        (request.period.from_, "派遣の初めの日", "request.period.from"),
        (request.period.to, "派遣の終わりの日", "request.period.to"),
        (request.own_affairs, "固有の事務を含むか", "request.own_affairs"),
    ):
        if not value:
            yield block(f"「{label}」を書いてください。", field)
    if not any(task.text.strip() for task in request.tasks):
        yield block("「してほしいこと」を1つ以上書いてください。", "request.tasks")
    for number, task in enumerate(request.tasks):
        if task.text.strip() and not task.role:
            yield block(f"「してほしいこと」{number + 1}行目の役割を選んでください。", f"request.tasks.{number}.role")


@guard(None)
def instructed(facts: Facts) -> Iterator[Verdict]:
    """The director's own initiative starts from his instruction (要領1)."""
    instruction = facts.read.request.instruction
    if not instruction.text.strip():
        yield block("振興局長の指示の内容を書いてください。", "request.instruction.text")
    if read_date(instruction.given_on).date is None:
        yield block("振興局長の指示を受けた日を書いてください。", "request.instruction.given_on")


@guard(None)
def team_proposed(facts: Facts) -> Iterator[Verdict]:
    """A judgement needs a team: at least one place with days."""
    if not _days(facts):
        yield block("派遣する職員と派遣日の案がありません。「隊の案をつくる」で入れてください。", "team.members")
    else:
        yield ok("派遣職員と派遣日の案があります。", "team.members")


@guard(None)
def received(facts: Facts) -> Iterator[Verdict]:
    if not facts.number:
        yield block("まだ収受していません。先に「収受する」を押してください。", "receipt.number")


@guard(None)
def not_received(facts: Facts) -> Iterator[Verdict]:
    if facts.number:
        yield block(f"すでに収受しています({facts.number})。", "receipt.number")


@guard(None)
def arrival(facts: Facts) -> Iterator[Verdict]:
    """The true day of arrival, which may lie before the day on which it is entered."""
    typed = facts.inputs.get("arrived_on")
    if typed:
        reading = read_date(str(typed))
        if reading.date is None:
            yield block(reading.problem, "arrived_on")
        elif reading.date > facts.today:
            yield block("到達日が今日より後になっています。実際に届いた日を書いてください。", "arrived_on")


@guard(None)
def something_to_consult(facts: Facts) -> Iterator[Verdict]:
    request = facts.read.request
    if request.own_affairs not in ("yes", "unknown") and request.concurrent_appointment != "needed":
        yield block("固有の事務も併任も含まない要請なので、本庁との協議は要りません。", "request.own_affairs")


@guard(None)
def review_day(facts: Facts) -> Iterator[Verdict]:
    typed = facts.inputs.get("review_on")
    if typed:
        reading = read_date(str(typed))
        if reading.date is None:
            yield block(reading.problem, "review_on")
        elif reading.date <= facts.today:
            yield block("再検討の日は、明日より後の日にしてください。", "review_on")


@guard(None)
def another_person(facts: Facts) -> Iterator[Verdict]:
    """Who drafted this round does not decide it, and nobody decides his own dispatch."""
    if facts.actor and (facts.form.get("drafting") or {}).get("by") == facts.actor:
        yield block("起案した人は、その案件を判断できません。ほかの決裁権者に回してください。")
    if facts.actor.isdigit() and int(facts.actor) in facts.registers.get("assigned", ()):
        yield block("派遣される人は、自分の派遣を判断できません。上位の職に判断を求めてください。")


@guard(None)
def named(facts: Facts) -> Iterator[Verdict]:
    """Nobody leaves before every place has a name."""
    if unnamed(facts):
        yield block("氏名の決まっていない派遣職員がいます。「氏名をそろえる」で入れてください。", "team.members")


@guard(None)
def same_days(facts: Facts) -> Iterator[Verdict]:
    """After the decision only names are filled in; other days need a new decision."""
    decided = (facts.form.get("decision") or {}).get("days")
    if decided is not None and decided != _places(facts):
        yield block("決定した日程や人数は、ここでは変えられません。氏名だけを入れてください。", "team.members")


def _places(facts: Facts) -> list[list[Any]]:
    """Days and number of persons of each place, as decided."""
    return sorted([[day.isoformat() for day in m.dates], m.headcount] for m in facts.read.team.members)


@guard(None)
def time_to_begin(facts: Facts) -> Iterator[Verdict]:
    day = first_day(facts)
    if day is None or facts.today < day:
        yield block("派遣の初めの日がまだ来ていません。", "team.members")


@guard(None)
def time_to_end(facts: Facts) -> Iterator[Verdict]:
    day = day_after(facts)
    if day is None or facts.today < day:
        yield block("派遣の終わりの日がまだ過ぎていません。", "team.members")


@guard(None)
def cut_short(facts: Facts) -> Iterator[Verdict]:
    typed = facts.inputs.get("last_day")
    if typed:
        reading, first = read_date(str(typed)), first_day(facts)
        if reading.date is None:
            yield block(reading.problem, "last_day")
        elif reading.date > facts.today or (first and reading.date < first):
            yield block("実際に終わった日は、派遣の初めの日から今日までの日にしてください。", "last_day")


@guard(None)
def own_report(facts: Facts) -> Iterator[Verdict]:
    """Staff report for themselves; the bureau may enter one for somebody who cannot."""
    edited = [group for group in facts.registers.get("edited", ()) if group.startswith("report:")]
    for group in edited:
        person = group.removeprefix("report:")
        if person != facts.actor and "bureau" not in facts.roles:
            yield block("ほかの人の復命は書けません。", group)
        if not person.isdigit() or int(person) not in reporters(facts):
            yield block("この派遣の職員ではない人の復命です。", group)
        if not str(facts.form[group].get("findings") or "").strip():
            yield block("「分かったこと」を書いてください。", f"{group}.findings")
    if "edited" in facts.registers and not edited:
        yield block("復命の内容を書いてください。", "report")


@guard(None)
def result_written(facts: Facts) -> Iterator[Verdict]:
    if "edited" in facts.registers and not str((facts.form.get("result") or {}).get("results") or "").strip():
        yield block("「成果」を書いてください。", "result.results")


# ── what the acts write themselves ──────────────────────────────────────────────────────────────────────────────────


def _receipt(facts: Facts) -> Mapping[str, Any]:
    arrived = read_date(str(facts.inputs.get("arrived_on", ""))).date or facts.today
    number = facts.registers["numbers"]["receipt"]
    return {"receipt": {"arrived_on": arrived.isoformat(), "received_on": facts.today.isoformat(), "number": number}}


def _drafting(facts: Facts) -> Mapping[str, Any]:
    drafting = {"by": facts.actor, "on": facts.today.isoformat(), "reasons": dict(facts.inputs.get("reasons") or {})}
    return {"drafting": drafting, "hold": {"review_on": ""}}


def _consultation(facts: Facts) -> Mapping[str, Any]:
    return {"consultation": {"asked_from": facts.state, "reply": "", "conditions": ""}}


def _decision(conclusion: str) -> Any:
    def record(facts: Facts) -> Mapping[str, Any]:
        decision = {
            "conclusion": conclusion,
            "number": facts.registers["numbers"]["letter"],
            "on": facts.today.isoformat(),
        }
        return {"decision": decision | ({"days": _places(facts)} if conclusion == "approved" else {})}

    return record


def _hold(facts: Facts) -> Mapping[str, Any]:
    day = read_date(str(facts.inputs["review_on"])).date
    return {"hold": {"review_on": day.isoformat() if day else ""}}


def _actual_end(facts: Facts) -> Mapping[str, Any]:
    day = read_date(str(facts.inputs["last_day"])).date
    return {"actual": {"end": day.isoformat() if day else ""}}


def _report(facts: Facts) -> Mapping[str, Any]:
    filed = {"filed_on": facts.today.isoformat(), "filed_by": facts.actor}
    return dict.fromkeys(facts.registers["edited"], filed)


def _result(facts: Facts) -> Mapping[str, Any]:
    return {"result": {"filed_on": facts.today.isoformat()}}


def _reply(reply: str) -> Any:
    return lambda facts: {"consultation": {"reply": reply, "replied_on": facts.today.isoformat()}}


def _asked_from(state: str) -> Any:
    return lambda facts: (facts.form.get("consultation") or {}).get("asked_from") == state


def _lead(facts: Facts) -> Sequence[tuple[str, str]]:
    return [("lead", facts.registers["lead"])]


def _destination(facts: Facts) -> Sequence[tuple[str, str]]:
    going = facts.read.request.destination
    code = _meant(facts, going.municipality_code, going.municipality_name)
    return [("destination", code)] if own_initiative(facts) and code else []


def _requester(facts: Facts) -> Sequence[tuple[str, str]]:
    asking, going = facts.read.contact, facts.read.request.destination
    code = _meant(facts, asking.municipality_code, asking.municipality_name)
    code = code or _meant(facts, going.municipality_code, going.municipality_name)
    return [("requester", code)] if code else []


def _meant(facts: Facts, code: str, name: str) -> str:
    """Code of the municipality that was written, in any width, or by a name that only one has; nothing where it is unclear."""
    on = facts.read.judged_on(facts.today)
    if code.strip():
        found = facts.directory.municipality(code, on)
        return found.code if found else ""
    office = facts.directory.office(facts.read.request.office_code)
    named = facts.directory.by_name(name, on, office.prefecture_code if office else "") if name.strip() else ()
    return named[0].code if len(named) == 1 else ""


def _last_report(facts: Facts) -> bool:
    return not set(unreported(facts)) - {_person(g) for g in facts.registers.get("edited", ())} and result_filed(facts)


def _person(group: str) -> int:
    return int(group.removeprefix("report:")) if group.removeprefix("report:").isdigit() else 0


def _all_reports(facts: Facts) -> bool:
    return not unreported(facts)


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────────────────


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
SCREEN = tuple(_of_the_request(asked) for asked in (complete, *INTAKE, GUARDS["D-07"]))
TOLD = tuple(_of_the_request(asked) for asked in ADVICE)
DRAFTED = tuple(GUARDS[rule] for rule in ("D-01", "D-02", "D-05", "D-06", "D-08", "D-09"))
DECIDED = tuple(GUARDS[rule] for rule in ("D-03", "D-04", "D-10"))

REASON = Input("reason", "理由(市町村にも見えます)", hint="相手に伝わる言い方で書きます")
INSIDE = Input("internal_reason", "理由(局内だけに残ります)", internal=True, hint="市町村には見えません")
NOTE = Input("note", "起案の理由", hint="派遣が必要な理由と、隊の考え方", into="drafting.note")

ACTIONS = (
    Action(
        "submit", ("draft",), "municipal_request", "要請を提出する", MUNICIPALITY, "振興局に届き、収受を待ちます",
        SCREEN, TOLD, on_request, edits=frozenset({"request", "contact"}), parties=_lead, main=True,
    ),
    Action(
        "submit_proxy", ("draft",), "municipal_request", "代理で受け付ける", BUREAU, "紙などで届いた要請を、市町村に代わって入れます",
        (), (complete, *INTAKE, GUARDS["D-07"], *ADVICE), on_request, edits=frozenset({"request", "contact", "receipt"}),
        parties=_requester, main=True,
    ),
    Action(
        "receive", ("municipal_request",), STAY, "収受する", BUREAU, "案件番号と収受番号がつき、回答期限(10営業日)が動きます",
        (not_received, arrival), asks=(Input("arrived_on", "実際に届いた日(到達日)", "date"),),
        numbers=("case", "receipt"), record=_receipt, tells=MUNICIPALITY, main=True,
    ),
    Action(
        "propose_team", ("municipal_request",), STAY, "隊の案をつくる", BUREAU, "派遣職員と派遣日の案を残します",
        edits=frozenset({"team"}), advises=(GUARDS["D-08"], GUARDS["I-07"]),
    ),
    Action(
        "put_to_director", ("municipal_request",), "director_judgement", "局長の判断を求める", BUREAU, "起案として局長に渡します",
        (received, complete, team_proposed, *INTAKE, GUARDS["D-07"], *DRAFTED), DECIDED, on_request,
        asks=(NOTE,), weighs="drafter", record=_drafting, main=True,
    ),
    Action(
        "put_to_director", ("draft",), "director_judgement", "局長の判断を求める", BUREAU, "起案として局長に渡します",
        (complete, instructed, team_proposed, *INTAKE, GUARDS["D-07"], *DRAFTED), DECIDED, own_initiative,
        asks=(NOTE,), edits=frozenset({"request", "contact", "team"}), weighs="drafter", numbers=("case",), record=_drafting,
        main=True,
    ),
    Action(
        "put_to_director", ("correction",), "director_judgement", "局長の判断を求める", BUREAU, "直した起案を局長に渡します",
        (complete, instructed, team_proposed, *INTAKE, GUARDS["D-07"], *DRAFTED), DECIDED, own_initiative,
        asks=(NOTE,), edits=frozenset({"request", "team"}), weighs="drafter", record=_drafting, main=True,
    ),
    Action(
        "ask_correction", ("municipal_request",), "correction", "補正を求める", BUREAU, "直してほしい点を書いて市町村に返します",
        (received,), when=on_request, asks=(Input("reason", "直してほしい点(市町村に見えます)"),), tells=MUNICIPALITY,
    ),
    Action(
        "resubmit", ("correction",), "municipal_request", "補正して出し直す", MUNICIPALITY | BUREAU, "振興局の検討に戻ります",
        SCREEN, TOLD, on_request, edits=frozenset({"request", "contact"}), main=True,
    ),
    Action(
        "consult", ("municipal_request",), "concurrent_appointment_consultation", "本庁に協議する", BUREAU,
        "併任について本庁の回答を待ちます(おおむね10営業日)", (received, something_to_consult),
        asks=(Input("question", "協議する内容と、道が支援する必要性", into="consultation.question"),),
        record=_consultation, tells=HEADQUARTERS,
    ),
    Action(
        "consult", ("director_judgement",), "concurrent_appointment_consultation", "本庁に協議する", BUREAU | DIRECTOR,
        "併任について本庁の回答を待ち、判断に戻ります", (something_to_consult,),
        asks=(Input("question", "協議する内容と、道が支援する必要性", into="consultation.question"),),
        record=_consultation, tells=HEADQUARTERS,
    ),
    *(
        Action(
            name, ("concurrent_appointment_consultation",), back, label, HEADQUARTERS, effect, when=_asked_from(back),
            asks=asks, record=_reply(reply), tells=BUREAU, main=name == "agree",
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
        (another_person, complete, team_proposed, *INTAKE, GUARDS["D-07"], *DRAFTED, *DECIDED),
        weighs="decider", numbers=("letter",), letters=("decision_notice",), record=_decision("approved"),
        parties=_destination, tells=MUNICIPALITY | STAFF | BUREAU, main=True,
    ),
    Action(
        "send_back", ("director_judgement",), "municipal_request", "差し戻す", DIRECTOR, "担当に戻り、直して再び判断を求めます",
        when=on_request, asks=(Input("reason", "直してほしい点(局内だけ)", internal=True),), tells=BUREAU,
    ),
    Action(
        "send_back", ("director_judgement",), "correction", "差し戻す", DIRECTOR, "担当に戻り、直して再び判断を求めます",
        when=own_initiative, asks=(Input("reason", "直してほしい点(局内だけ)", internal=True),), tells=BUREAU,
    ),
    Action(
        "hold", ("director_judgement",), STAY, "保留する", DIRECTOR, "再検討の日に受信箱へ戻ります。回答期限は止まりません",
        (review_day,), asks=(INSIDE, Input("review_on", "再検討の日", "date", internal=True)), record=_hold, tells=BUREAU,
    ),
    Action(
        "decline", ("director_judgement",), "declined", "派遣しないと決める", DIRECTOR, "不派遣通知を市町村に出し、案件を閉じます",
        (another_person,), asks=(REASON, INSIDE), numbers=("letter",), letters=("decline_notice",),
        record=_decision("declined"), tells=MUNICIPALITY | BUREAU, stops=True,
    ),
    Action(
        "not_accept", ("municipal_request",), "not_accepted", "受理しない", BUREAU, "宛先違いか重複のときだけ、理由を伝えて閉じます",
        asks=(Input("ground", "受理しない事由", "choice", choices=(("wrong_addressee", "宛先が違う"), ("duplicate", "同じ要請が重なっている"))),
              REASON), when=on_request, tells=MUNICIPALITY, stops=True,
    ),
    Action(
        "withdraw",
        ("municipal_request", "correction", "concurrent_appointment_consultation", "director_judgement", "preparing"),
        "withdrawn", "要請を取り下げる", MUNICIPALITY | BUREAU, "案件を閉じます。派遣の予定は取り消されます",
        asks=(REASON,), when=on_request, tells=BUREAU | MUNICIPALITY | STAFF, stops=True,
    ),
    Action(
        "name_team", ("preparing",), STAY, "氏名をそろえる", BUREAU, "決定した日程のまま、派遣職員の氏名を入れます",
        (same_days,), edits=frozenset({"team"}), main=True,
    ),
    Action(
        "begin", ("preparing",), "dispatched", "派遣を始める", frozenset({CLOCK}), "派遣の初めの日に自動で始まります",
        (time_to_begin, named, GUARDS["D-03"]), tells=STAFF | BUREAU | MUNICIPALITY,
    ),
    Action(
        "cancel", ("preparing", "correction"), "cancelled", "派遣を中止する", BUREAU | DIRECTOR, "派遣せずに案件を閉じます",
        asks=(REASON,), when=lambda facts: facts.state == "preparing" or own_initiative(facts),
        tells=MUNICIPALITY | STAFF | BUREAU, stops=True,
    ),
    Action(
        "cancel", ("dispatched",), "awaiting_report", "派遣を打ち切る", BUREAU | DIRECTOR, "実際に終わった日までを派遣とし、報告に進みます",
        (cut_short,), asks=(Input("last_day", "実際に終わった日", "date"), REASON), record=_actual_end,
        tells=MUNICIPALITY | STAFF | BUREAU, stops=True,
    ),
    Action(
        "end", ("dispatched",), "awaiting_report", "派遣を終える", frozenset({CLOCK}), "最後の派遣日の翌日に自動で終わります",
        (time_to_end,), tells=STAFF | BUREAU,
    ),
    Action(
        "file_trip_report", ("awaiting_report",), "reported", "復命する", STAFF | BUREAU, "復命がそろい、案件が完了します",
        (own_report,), when=_last_report, edits=frozenset({"report"}), record=_report, tells=BUREAU, main=True,
    ),
    Action(
        "file_trip_report", ("awaiting_report",), STAY, "復命する", STAFF | BUREAU, "復命を残します",
        (own_report,), when=lambda facts: not _last_report(facts), edits=frozenset({"report"}), record=_report,
        tells=BUREAU, main=True,
    ),
    Action(
        "file_result", ("awaiting_report",), "reported", "結果を報告する", BUREAU, "結果がそろい、案件が完了します",
        (result_written,), when=_all_reports, edits=frozenset({"result"}), record=_result, tells=MUNICIPALITY, main=True,
    ),
    Action(
        "file_result", ("awaiting_report",), STAY, "結果を報告する", BUREAU, "結果を残し、残りの復命を待ちます",
        (result_written,), when=lambda facts: not _all_reports(facts), edits=frozenset({"result"}), record=_result, main=True,
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
    Deadline("begin", "派遣の初めの日", "bureau", frozenset({"preparing"}), at=first_day, move="begin"),
    Deadline("end", "派遣の終わりの日", "staff", frozenset({"dispatched"}), at=day_after, move="end"),
    Deadline("trip_report", "復命の期限", "staff", frozenset({"awaiting_report"}), 5),
    Deadline("result", "結果報告の期限", "bureau", frozenset({"awaiting_report"}), 10, ends=frozenset({"file_result"})),
)  # fmt: skip


def asks(facts: Facts) -> Sequence[Ask] | None:
    """Whose turn it is, where that is more than the holder of the state."""
    if facts.state == "municipal_request":
        return [
            Ask("bureau", "検討して判断を求める", "reply") if facts.number else Ask("bureau", "収受する", "receive")
        ]
    if facts.state == "correction" and own_initiative(facts):
        return [Ask("bureau", "直して判断を求める", "correction")]
    if facts.state == "director_judgement" and (facts.form.get("hold") or {}).get("review_on"):
        return [Ask("director", "保留中の件を再検討する", "review")]
    if facts.state == "preparing":
        return [Ask("bureau", "氏名をそろえる", "begin")] if unnamed(facts) else []
    if facts.state == "awaiting_report":
        reports = [Ask("staff", "復命する", "trip_report", person) for person in unreported(facts)]
        return reports + ([] if result_filed(facts) else [Ask("bureau", "結果を報告する", "result")])
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
