"""The administrator's days and rules: counted from then on, shown beforehand, refused in words; and where the calendar ends."""

from datetime import date, datetime

import psycopg
import pytest

from states import calendar as law
from states.calendar import Calendar, CalendarEnds
from states.kernel import Refused
from states.terms import Deadline
from tests import factory
from workflow import calendar_days, cases, deadline_rules, deadlines, watch
from workflow.calendar_days import Change, NotTaken
from workflow.deadlines import TOKYO, counted, declared, due_day
from workflow.loading import NotFound


@pytest.fixture(autouse=True)
def at(fresh_database):
    """It is noon of a day in October 2026; called with another day, it is that."""

    def shift(day: int) -> None:
        factory.set_clock(fresh_database.owner_url, datetime(2026, 10, day, 12, tzinfo=TOKYO))

    shift(5)
    return shift


@pytest.fixture
def administrator(conn):
    return factory.reader(conn, factory.person(conn, "administrator", factory.HEADQUARTERS))


def received(conn, who) -> int:
    made = factory.opened(conn, who, first=date(2026, 11, 16))
    factory.drive(conn, who, made, "submit", "receive")
    return made


def running(conn, case: int) -> dict[str, date]:
    text = "SELECT kind, due_at FROM deadline WHERE case_id = %s AND closed_at IS NULL"
    return {kind: due_day(due) for kind, due in conn.execute(text, (case,)).fetchall()}


def entered(conn, administrator, day: str, kind: str = "closed", office: str = "") -> int:
    typed = {"day": day, "kind": kind, "office": office, "reason": "庁舎の停電のため。"}
    return calendar_days.add(conn, administrator, calendar_days.read(conn, administrator, typed))


# ── days ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_kind_of_day_is_counted_by_the_act_and_by_the_pages(conn, who, administrator):
    entered(conn, administrator, "R8.10.14")
    entered(conn, administrator, "R8.10.15", "holiday")
    entered(conn, administrator, "R8.10.12", "working")
    entered(conn, administrator, "R8.10.16", office="hk-sorachi")
    days = deadlines.calendar(conn, who.office)
    assert [d for d in range(12, 17) if days.is_business_day(date(2026, 10, d))] == [12, 13, 16]
    assert not deadlines.calendar(conn, "hk-sorachi").is_business_day(date(2026, 10, 16))
    # Ten business days from the 5th: the 12th counts, the 14th and the 15th do not.
    assert running(conn, received(conn, who)) == {"reply": date(2026, 10, 21)}


def test_running_deadlines_stay_and_the_page_says_which_would_be_others(at, conn, who, administrator):
    case = received(conn, who)
    at(6)
    change = calendar_days.read(
        conn, administrator, {"day": "R8.10.14", "kind": "closed", "office": "", "reason": "停電"}
    )
    (effect,) = calendar_days.effects(conn, change)
    assert (effect.label, effect.due, effect.instead, effect.count) == (
        "市町村への回答期限", date(2026, 10, 20), date(2026, 10, 21), 1,
    )  # fmt: skip
    opened = calendar_days.effects(conn, Change(date(2026, 10, 12), "working", ""))
    assert [e.instead for e in opened] == [date(2026, 10, 19)]
    assert calendar_days.effects(conn, Change(date(2026, 10, 14), "closed", "hk-sorachi")) == []
    assert calendar_days.effects(conn, Change(date(2026, 10, 21), "closed", "")) == []
    number = calendar_days.add(conn, administrator, change)
    assert running(conn, case) == {"reply": date(2026, 10, 20)}
    # Taken out again, it would be counted as before the entry; what opened then runs a day longer.
    later = received(conn, who)
    assert running(conn, later) == {"reply": date(2026, 10, 22)}
    back = calendar_days.effects(conn, calendar_days.entry(conn, administrator, number))
    assert {(e.due, e.instead) for e in back} >= {(date(2026, 10, 22), date(2026, 10, 21))}
    calendar_days.drop(conn, administrator, number)
    assert deadlines.calendar(conn, who.office).is_business_day(date(2026, 10, 14))


@pytest.mark.parametrize(
    ("typed", "name", "sentence"),
    [
        ({"day": "R8.10.12"}, "day", "もともと開庁日ではありません"),
        ({"day": "R8.10.12", "kind": "holiday"}, "day", "もともと祝日(スポーツの日)です"),
        ({"day": "R8.10.13", "kind": "working"}, "day", "もともと祝日ではありません"),
        ({"day": "R8.2.30"}, "day", "28日まで"),
        ({"day": "2050-01-04"}, "day", "10年先まで"),
        ({"kind": ""}, "kind", "種類を選んで"),
        ({"kind": "holiday", "office": "hk-sorachi"}, "office", "すべての局で同じ"),
        ({"office": "hk-nowhere"}, "office", "選び直して"),
        ({"reason": " "}, "reason", "理由を書いて"),
    ],
)
def test_what_cannot_be_is_refused_in_words(conn, administrator, typed, name, sentence):
    given = {"day": "R8.10.14", "kind": "closed", "office": "", "reason": "停電"} | typed
    with pytest.raises(NotTaken) as refusal:
        calendar_days.read(conn, administrator, given)
    assert list(refusal.value.fields) == [name]
    assert sentence in refusal.value.fields[name]


def test_a_day_is_entered_once(conn, administrator):
    entered(conn, administrator, "R8.10.14")
    with pytest.raises(NotTaken, match="もう「閉庁日"):
        entered(conn, administrator, "R8.10.14", "holiday")
    with pytest.raises(NotTaken, match="ほかの方が先に"):
        calendar_days.add(conn, administrator, Change(date(2026, 10, 14), "closed", "", "x"))


def test_the_table_itself_refuses_a_holiday_of_one_office(owner):
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute("INSERT INTO closure (day, kind, office) VALUES ('2026-10-14', 'holiday', 'hk-sorachi')")


def test_nobody_but_an_administrator_settles_time(conn, who):
    for person in (who.bureau, who.director, who.headquarters, who.auditor, who.records):
        actor = factory.reader(conn, person)
        with pytest.raises(NotFound):
            calendar_days.listed(conn, actor, 2026)
        with pytest.raises(NotFound):
            deadline_rules.listed(conn, actor)


# ── rules ───────────────────────────────────────────────────────────────────────────────────────────────────────────

RULE = {"deadline": "dispatch.reply", "days": "15", "on": "", "office": "", "since": "R8.10.6", "reason": "要領の改正"}


def ruled(conn, administrator, **typed: str) -> int:
    return deadline_rules.set_rule(conn, administrator, RULE | typed)


def test_a_rule_holds_from_its_day_on_for_what_opens_then(at, conn, who, administrator):
    first = received(conn, who)
    ruled(conn, administrator)
    second = received(conn, who)
    at(6)
    third = received(conn, who)
    assert [running(conn, case)["reply"] for case in (first, second, third)] == [
        date(2026, 10, 20), date(2026, 10, 20), date(2026, 10, 28),
    ]  # fmt: skip
    factory.drive(conn, who, first, "propose_team", "put_to_director")
    assert running(conn, first)["reply"] == date(2026, 10, 20), "what runs already keeps its day"


def test_an_offices_own_rule_goes_before_the_one_for_all_and_ends_with_its_day(at, conn, who, administrator):
    ruled(conn, administrator, since="R8.10.5")
    own = ruled(conn, administrator, since="R8.10.5", days="5", office=who.office)
    ruled(conn, administrator, since="R8.10.5", days="7", office="hk-sorachi")
    assert running(conn, received(conn, who))["reply"] == date(2026, 10, 13)
    deadline_rules.end_rule(conn, administrator, own, "R8.10.5")
    at(6)
    assert running(conn, received(conn, who))["reply"] == date(2026, 10, 28)
    item = next(i for i in deadline_rules.listed(conn, administrator) if i.key == "dispatch.reply")
    assert item.says == "10営業日"
    assert {(rule["says"], rule["over"]) for rule in item.rules} == {
        ("15営業日", False),
        ("5営業日", True),
        ("7営業日", False),
    }


def test_a_day_of_the_year(conn, who, administrator):
    ruled(conn, administrator, since="R8.10.5", days="", on="10/31")
    assert running(conn, received(conn, who))["reply"] == date(2026, 10, 31)


def test_the_next_such_day_of_the_year_and_the_next_open_one_where_the_process_says_so():
    rolls = Deadline("d", "期限", "x", frozenset("a"), on=(1, 31), rolls=True)
    stays = Deadline("d", "期限", "x", frozenset("a"), on=(1, 31))
    days = Calendar()
    assert counted(stays, date(2026, 1, 31), days) == date(2026, 1, 31)  # a Saturday
    assert counted(rolls, date(2026, 1, 31), days) == date(2026, 2, 2)
    assert counted(stays, date(2026, 2, 1), days) == date(2027, 1, 31)
    leap = Deadline("d", "期限", "x", frozenset("a"), on=(2, 29))
    assert [counted(leap, date(year, 1, 1), days) for year in (2027, 2028)] == [date(2027, 2, 28), date(2028, 2, 29)]


def test_rules_leave_alone_what_a_case_dates_itself():
    dated = Deadline("d", "期限", "x", frozenset("a"), at=lambda f: None)
    moves = Deadline("m", "動き", "x", frozenset("a"), at=lambda f: None, move="go")
    assert declared([dated, moves], [["d", 3, None, None], ["m", 3, None, None]]) == (dated, moves)


@pytest.mark.parametrize(
    ("typed", "name", "sentence"),
    [
        ({"days": "", "on": ""}, "days", "どちらか一つ"),
        ({"days": "3", "on": "3/31"}, "days", "どちらか一つ"),
        ({"days": "0"}, "days", "1から250まで"),
        ({"days": "多い"}, "days", "1から250まで"),
        ({"days": "", "on": "2/30"}, "on", "ある日を"),
        ({"since": "R8.10.4"}, "since", "きょうより前"),
        ({"since": ""}, "since", "日付が書かれていません"),
        ({"reason": ""}, "reason", "理由を書いて"),
        ({"office": "hk-nowhere"}, "office", "選び直して"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_in_words(conn, administrator, typed, name, sentence):
    with pytest.raises(NotTaken) as refusal:
        ruled(conn, administrator, **typed)
    assert list(refusal.value.fields) == [name]
    assert sentence in refusal.value.fields[name]
    with pytest.raises(NotFound):
        ruled(conn, administrator, deadline="dispatch.begin")


def test_a_rule_that_has_not_begun_can_be_taken_back(at, conn, who, administrator):
    number = ruled(conn, administrator, since="R8.10.20")
    deadline_rules.end_rule(conn, administrator, number, "R8.10.6")
    at(20)
    assert running(conn, received(conn, who))["reply"] == Calendar().add_business_days(date(2026, 10, 20), 10)


# ── where the calendar ends ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def ends(monkeypatch):
    """No holidays are known of any year after 2026."""
    monkeypatch.setattr(law, "LAST_YEAR", 2026)
    law._national_holidays.cache_clear()
    yield
    law._national_holidays.cache_clear()


def test_an_act_whose_deadline_lies_beyond_the_calendar_is_refused_in_words(conn, who, administrator, ends):
    case = factory.opened(conn, who, first=date(2026, 11, 16))
    factory.drive(conn, who, case, "submit")
    ruled(conn, administrator, since="R8.10.5", days="100")
    with pytest.raises(Refused, match=r"期限を数えられません.*2027年の祝日は分かりません") as refusal:
        factory.drive(conn, who, case, "receive")
    assert refusal.value.kind == "guard"
    assert factory.version(conn, case) == 1


def test_one_deadline_beyond_the_calendar_stops_no_reminder_of_another(db, conn, who, ends, fresh_database):
    received(conn, who)
    late = received(conn, who)
    conn.execute(
        "UPDATE deadline SET due_at = '2026-12-31T15:00Z', opened_at = '2026-10-01T00:00Z' WHERE case_id = %s", (late,)
    )
    with pytest.raises(CalendarEnds):
        Calendar().add_business_days(date(2026, 12, 31), 3)
    for day, made in ((datetime(2026, 10, 13, 12, tzinfo=TOKYO), 1), (datetime(2026, 12, 22, 12, tzinfo=TOKYO), 1)):
        factory.set_clock(fresh_database.owner_url, day)
        assert watch.remind(db) == made
    assert cases.look(conn, who.bureau, late).version == 2
