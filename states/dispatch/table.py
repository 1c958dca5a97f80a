"""States, actions and deadlines of the dispatch, by name; the only place that says which way a case may go."""

from datetime import date

from states.dates import read_date
from states.dispatch import after, arrival, audience, countersign, road, situation
from states.terms import Deadline, Facts, State

STATES = (
    State("draft", "下書き", "要請", "municipality"),
    State("own_approval", "庁内決裁", "要請", "municipality", private=True),
    State("municipal_request", "受付・検討", "受付・検討", "bureau", "受け付けて検討する"),
    State("correction", "補正待ち", "受付・検討", "municipality", "補正して出し直す"),
    State("concurrent_appointment_consultation", "併任協議", "受付・検討", "headquarters", "併任協議に回答する"),
    State("director_judgement", "判断", "決定", "director", "派遣を判断する"),
    State("preparing", "派遣準備", "派遣", "bureau"),
    State("dispatched", "派遣中", "派遣", "staff"),
    State("change_judgement", "変更の判断", "派遣", "director", "変更を判断する"),
    State("change_consultation", "変更の協議", "派遣", "headquarters", "変更の協議に回答する"),
    State("stopped", "緊急停止", "派遣", "director", "緊急の停止を追認する(事後決裁)"),
    State("awaiting_report", "報告待ち", "報告", "staff"),
    State("reported", "報告済", "報告", final=True, outcome="派遣した"),
    State("not_submitted", "提出せず", "要請", final=True, outcome="提出しなかった", private=True),
    State("withdrawn", "取下げ", "要請", final=True, outcome="取り下げた"),
    State("not_accepted", "不受理", "受付・検討", final=True, outcome="受理しなかった"),
    State("declined", "派遣しない", "決定", final=True, outcome="派遣しなかった"),
    State("cancelled", "中止", "派遣", final=True, outcome="中止した"),
)

ACTIONS = (*road.ROWS, *after.ROWS)

_UNDER_WAY = frozenset({"municipal_request", "concurrent_appointment_consultation", "director_judgement"})
_CHANGING = situation.CHANGING


def _begins(facts: Facts) -> date | None:
    return situation.first_day(facts) if situation.standing(facts) == "preparing" else None


def _ends(facts: Facts) -> date | None:
    return situation.day_after(facts) if situation.standing(facts) == "dispatched" else None


def _told(facts: Facts) -> date | None:
    """The day on which the municipality was told the result."""
    return read_date(facts.read.result.filed_on).date if facts.read.result.filed_on else None


DEADLINES = (
    Deadline("receive", "収受の期限", "bureau", frozenset({"municipal_request"}), 2,
             starts=frozenset({"submit", "submit_proxy", "approve_own"}), ends=frozenset({"receive"})),
    Deadline("reply", "市町村への回答期限", "bureau", _UNDER_WAY, 10, since=arrival.counted_from,
             starts=frozenset({"receive"}), pauses=frozenset({"correction"})),
    Deadline("correction", "補正の期限", "municipality", frozenset({"correction"}), 5),
    Deadline("march_request", "3月の派遣を要請する締切", "municipality", frozenset({"own_approval", "correction"}), on=((1, 31),), rolls=True,
             year_from=situation.year_of_march_work, starts=frozenset({"ask_own_approval", "revise_own", "ask_correction"}),
             owed=lambda facts: situation.march_work(facts) is not None, escalates=()),
    Deadline("consultation", "協議の回答期限", "headquarters", frozenset({"concurrent_appointment_consultation"}), 10),
    Deadline("judgement", "判断の期限", "director", frozenset({"director_judgement"}), 3, ends=frozenset({"hold"})),
    Deadline("review", "再検討の日", "director", frozenset({"director_judgement"}), rolls=True,
             at=lambda facts: read_date((facts.form.get("hold") or {}).get("review_on") or "").date),
    Deadline("begin", "派遣の初めの日", "bureau", frozenset({"preparing"}) | _CHANGING, at=_begins, move="begin"),
    Deadline("countersign", "発令を確かめる期限", "personnel", frozenset(after.APPOINTING), 3, starts=frozenset({"record_orders"}),
             owed=countersign.waits, escalates=((3, "bureau"), (7, "director"))),
    Deadline("end", "派遣の終わりの日", "staff", frozenset({"dispatched"}) | _CHANGING, at=_ends, move="end"),
    Deadline("change", "変更の判断の期限", "director", frozenset({"change_judgement"}), 3),
    Deadline("change_consultation", "変更の協議の回答期限", "headquarters", frozenset({"change_consultation"}), 10),
    Deadline("ratification", "追認の期限", "director", frozenset({"stopped"}) | _CHANGING, 3, starts=frozenset({"stop"})),
    Deadline("trip_report", "復命の期限", "staff", frozenset({"awaiting_report"}), 5,
             owed=lambda facts: bool(situation.unreported(facts)), escalates=((3, "bureau"), (7, "director"))),
    Deadline("result", "結果報告の期限", "bureau", frozenset({"awaiting_report"}), 10, ends=frozenset({"file_result"})),
    Deadline("year_end", "年度末報告への締切", "bureau", frozenset({"awaiting_report"}), on=((3, 10), (4, 10)), rolls=True,
             year_from=situation.after_the_old_year, ends=frozenset({"file_result"})),
    Deadline("evaluation", "評価の期限", "municipality", frozenset({"awaiting_report", "reported"}), 10, since=_told,
             starts=frozenset({"file_result"}), owed=situation.asked_to_evaluate, escalates=()),
)  # fmt: skip

asks, reads = audience.asks, audience.reads
