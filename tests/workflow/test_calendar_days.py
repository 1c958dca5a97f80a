"""The administrator's days and rules: counted from then on, shown beforehand, refused in words; and where the calendar ends."""

from datetime import date, datetime

import psycopg
import pytest

from states import calendar as known
from states.calendar import Calendar, CalendarEnds
from states.kernel import Refused
from states.terms import Deadline
from tests import factory
from workflow import calendar_days, cases, deadline_rules, deadlines, moving, settled, watch
from workflow.calendar_days import Change, NotTaken
from workflow.deadlines import TOKYO, declared, due_day
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
    calendar_days.drop(conn, administrator, number, "停電は延期になった。")
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


# ── what the Act brings along ───────────────────────────────────────────────────────────────────────────────────────


def law(conn, administrator, day: str, kind: str) -> Change:
    typed = {"day": day, "kind": kind, "office": "", "reason": "祝日法の改正のため。"}
    return calendar_days.read(conn, administrator, typed)


def along(conn, change: Change) -> list[tuple[str, str, bool]]:
    return [(one.sentence, one.kind, bool(one.entry)) for one in calendar_days.follows(conn, change)]


def table(conn) -> list[tuple[date, str, bool]]:
    found: list[tuple[date, str, bool]] = conn.execute("SELECT day, kind, derived FROM closure ORDER BY day").fetchall()
    return found


def test_a_holiday_on_a_sunday_brings_its_substitute_and_takes_it_back(conn, who, administrator):
    change = law(conn, administrator, "R8.10.18", "holiday")
    assert along(conn, change) == [("10月19日(月)を休日にする", "holiday", False)]
    number = calendar_days.add(conn, administrator, change, along=True)
    assert table(conn) == [(date(2026, 10, 18), "holiday", False), (date(2026, 10, 19), "holiday", True)]
    # Ten business days from the 5th, without the 12th and the 19th.
    assert running(conn, received(conn, who)) == {"reply": date(2026, 10, 21)}
    back = calendar_days.entry(conn, administrator, number)
    assert along(conn, back) == [("10月19日(月)を開庁日にする", "holiday", True)]
    calendar_days.drop(conn, administrator, number, "改正が取りやめになった。", along=True)
    assert table(conn) == []
    assert deadlines.calendar(conn, who.office).is_business_day(date(2026, 10, 19))


def test_without_the_tick_the_day_goes_in_alone(conn, administrator):
    number = calendar_days.add(conn, administrator, law(conn, administrator, "R8.10.18", "holiday"))
    assert table(conn) == [(date(2026, 10, 18), "holiday", False)]
    assert along(conn, calendar_days.entry(conn, administrator, number)) == [], "nothing is there to be taken back"


def test_a_day_between_two_holidays_is_one_too(conn, administrator):
    change = law(conn, administrator, "R8.10.14", "holiday")  # two days after スポーツの日
    assert along(conn, change) == [("10月13日(火)を休日にする", "holiday", False)]
    calendar_days.add(conn, administrator, change, along=True)
    # One more national holiday next to it: the 15th is between the 14th and the 16th.
    assert along(conn, law(conn, administrator, "R8.10.16", "holiday")) == [
        ("10月15日(木)を休日にする", "holiday", False)
    ]
    # The derived 13th is no national holiday: nothing lies between it and the 11th.
    assert along(conn, law(conn, administrator, "R8.10.11", "holiday")) == []


def test_a_holiday_taken_back_takes_its_substitute_along_and_brings_it_again(at, conn, administrator):
    change = law(conn, administrator, "R9.3.21", "working")  # 春分の日 of 2027, a Sunday
    assert along(conn, change) == [("3月22日(月)を開庁日にする", "working", False)]
    number = calendar_days.add(conn, administrator, change, along=True)
    days = deadlines.calendar(conn, "hk-kamikawa")
    assert days.is_business_day(date(2027, 3, 22))
    assert along(conn, calendar_days.entry(conn, administrator, number)) == [
        ("3月22日(月)を休日にする", "working", True)
    ]
    calendar_days.drop(conn, administrator, number, "改正が取りやめになった。", along=True)
    assert not deadlines.calendar(conn, "hk-kamikawa").is_business_day(date(2027, 3, 22))


def test_a_holiday_on_a_substitutes_day_moves_the_substitute_on(conn, administrator):
    change = law(conn, administrator, "R9.3.22", "holiday")
    assert along(conn, change) == [("3月23日(火)を休日にする", "holiday", False)]


def test_a_day_that_stays_a_holiday_all_the_same_is_refused_with_what_moves_instead(conn, administrator):
    with pytest.raises(NotTaken) as refusal:
        law(conn, administrator, "R10.5.4", "working")  # みどりの日 of 2028, a Thursday between two holidays
    assert (
        refusal.value.fields["day"]
        == "5月4日(木)は、祝日でなくなっても「国民の休日」になります。入れる日はありません。"
    )


def test_an_offices_closed_day_brings_nothing_along(conn, administrator):
    change = calendar_days.read(
        conn, administrator, {"day": "R8.10.14", "kind": "closed", "office": "hk-sorachi", "reason": "停電"}
    )
    assert calendar_days.follows(conn, change) == []


def test_the_figures_shown_beforehand_count_what_comes_along(at, conn, who, administrator):
    received(conn, who)  # by the 20th
    at(6)
    change = law(conn, administrator, "R8.10.18", "holiday")
    assert calendar_days.effects(conn, change) == []
    (effect,) = calendar_days.effects(conn, change, calendar_days.follows(conn, change))
    assert (effect.due, effect.instead) == (date(2026, 10, 20), date(2026, 10, 21))


# ── what was settled stays readable ─────────────────────────────────────────────────────────────────────────────────


def test_who_took_a_day_out_when_and_why_stays(conn, administrator):
    number = entered(conn, administrator, "R8.10.14")
    with pytest.raises(NotTaken, match="理由を書いて"):
        calendar_days.drop(conn, administrator, number, " ")
    calendar_days.drop(conn, administrator, number, "停電は延期になった。")
    with pytest.raises(NotFound):
        calendar_days.drop(conn, administrator, number, "もう一度")
    again = entered(conn, administrator, "R8.10.14", office="hk-sorachi")
    said = [(s.did, s.what, s.office, s.reason) for s in settled.listed(conn, administrator, 2026)]
    assert said == [
        ("日を入れた", "令和8年10月14日 閉庁日(窓口を閉める日)", "空知総合振興局", "庁舎の停電のため。"),
        ("日を消した", "令和8年10月14日 閉庁日(窓口を閉める日)", "すべての局", "停電は延期になった。"),
        ("日を入れた", "令和8年10月14日 閉庁日(窓口を閉める日)", "すべての局", "庁舎の停電のため。"),
    ]
    assert again != number
    assert {s.by for s in settled.listed(conn, administrator, 2026)} == {administrator.name}
    assert settled.listed(conn, administrator, 2025) == []


def test_what_was_taken_out_is_not_rewritten_by_the_application(conn, administrator):
    calendar_days.drop(conn, administrator, entered(conn, administrator, "R8.10.14"), "停電は延期になった。")
    for statement in (
        "UPDATE closure_ended SET ended_reason = ''",
        "DELETE FROM closure_ended",
        "TRUNCATE closure_ended",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(statement)


def test_the_auditor_reads_what_was_settled_and_the_desks_do_not(conn, who, administrator):
    entered(conn, administrator, "R8.10.14")
    moved = {"first": "R8.10.20", "last": "", "office": "", "to": "R8.10.22", "reason": "システムが止まっていたため。"}
    moving.place(conn, administrator, moving.read(conn, administrator, moved))
    for person in (who.auditor, who.records):
        said = settled.listed(conn, factory.reader(conn, person), 2026)
        assert [s.did for s in said] == ["期限をまとめて動かした", "日を入れた"]
        assert said[0].what == "令和8年10月20日が期限のものを、令和8年10月22日に"
    for person in (who.bureau, who.director, who.headquarters, who.municipality):
        with pytest.raises(NotFound):
            settled.listed(conn, factory.reader(conn, person), 2026)


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
    deadline_rules.end_rule(conn, administrator, own, "R8.10.5", "試しは終わった。")
    at(6)
    assert running(conn, received(conn, who))["reply"] == date(2026, 10, 28)
    item = next(i for i in deadline_rules.listed(conn, administrator) if i.key == "dispatch.reply")
    assert item.says == "10営業日"
    assert {(rule["says"], rule["over"]) for rule in item.rules} == {
        ("15営業日", False),
        ("5営業日", True),
        ("7営業日", False),
    }


@pytest.mark.parametrize(
    ("typed", "due"),
    [("10/31", date(2026, 10, 31)), ("11月4日、10月30日", date(2026, 10, 30)), ("9.1・10.5・12.1", date(2026, 10, 5))],
)
def test_days_of_the_year(conn, who, administrator, typed, due):
    ruled(conn, administrator, since="R8.10.5", days="", on=typed)
    assert running(conn, received(conn, who))["reply"] == due


def test_what_a_case_dates_itself_is_nobodys_to_set_and_what_is_counted_is(conn, administrator):
    items = {item.key for item in deadline_rules.listed(conn, administrator)}
    assert {"dispatch.evaluation", "dispatch.year_end", "dispatch.march_request"} <= items
    process = next(i.process for i in deadline_rules.listed(conn, administrator) if i.process.key == "dispatch")
    assert deadline_rules.unsettable(process) == ["再検討の日", "派遣の初めの日", "派遣の終わりの日"]


def test_who_ended_a_rule_when_and_why_stays(at, conn, administrator):
    number = ruled(conn, administrator)
    for typed, name, sentence in (
        (("R8.10.5", " "), "why", "理由を書いて"),
        (("x", "試し"), "until", "日付として読めません"),
    ):
        with pytest.raises(NotTaken) as refusal:
            deadline_rules.end_rule(conn, administrator, number, *typed)
        assert list(refusal.value.fields) == [name]
        assert sentence in refusal.value.fields[name]
    deadline_rules.end_rule(conn, administrator, number, "R8.10.31", "改正が見送られた。")
    item = next(i for i in deadline_rules.listed(conn, administrator) if i.key == "dispatch.reply")
    assert [(r["ended_by"], r["ended_reason"]) for r in item.rules] == [(administrator.person_id, "改正が見送られた。")]
    said = [(s.did, s.what, s.reason) for s in settled.listed(conn, administrator, 2026)]
    assert said == [
        ("変えた日数を終えた", "「飛び出し隊 派遣 ・ 市町村への回答期限」を15営業日に。令和8年10月31日まで", "改正が見送られた。"),
        ("期限の日数を変えた", "「飛び出し隊 派遣 ・ 市町村への回答期限」を15営業日に。令和8年10月6日から", "要領の改正"),
    ]  # fmt: skip


def test_the_next_such_day_of_the_year_and_the_next_open_one_where_the_process_says_so():
    rolls = Deadline("d", "期限", "x", frozenset("a"), on=((1, 31),), rolls=True)
    stays = Deadline("d", "期限", "x", frozenset("a"), on=((1, 31),))
    days = Calendar()
    assert stays.counted_from(date(2026, 1, 31), days) == date(2026, 1, 31)  # a Saturday
    assert rolls.counted_from(date(2026, 1, 31), days) == date(2026, 2, 2)
    assert stays.counted_from(date(2026, 2, 1), days) == date(2027, 1, 31)
    leap = Deadline("d", "期限", "x", frozenset("a"), on=((2, 29),))
    assert [leap.counted_from(date(year, 1, 1), days) for year in (2027, 2028)] == [
        date(2027, 2, 28),
        date(2028, 2, 29),
    ]


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2026-04-20", "2027-03-10"), ("2027-03-10", "2027-03-10"), ("2027-03-11", "2027-04-10"), ("2027-04-10", "2027-04-10"),
        ("2027-04-11", "2028-03-10"), ("2027-12-31", "2028-03-10"),
    ],
)  # fmt: skip
def test_of_several_days_of_the_year_the_next_one_counts_however_they_are_written(start, due):
    for on in (((3, 10), (4, 10)), ((4, 10), (3, 10))):
        item = Deadline("d", "期限", "x", frozenset("a"), on=on)
        assert item.counted_from(date.fromisoformat(start), Calendar()) == date.fromisoformat(due)


def test_rules_leave_alone_what_a_case_dates_itself():
    dated = Deadline("d", "期限", "x", frozenset("a"), at=lambda f: None)
    moves = Deadline("m", "動き", "x", frozenset("a"), at=lambda f: None, move="go")
    assert declared([dated, moves], [["d", 3, None], ["m", 3, None]]) == (dated, moves)


def test_a_rule_replaces_days_by_days_of_the_year_and_the_other_way_round():
    days = Deadline("d", "期限", "x", frozenset("a"), 3)
    yearly = Deadline("y", "期限", "x", frozenset("a"), on=((3, 10), (4, 10)))
    first, second = declared([days, yearly], [["d", None, [310, 1231]], ["y", 5, None]])
    assert (first.days, first.on) == (0, ((3, 10), (12, 31)))
    assert (second.days, second.on) == (5, ())


@pytest.mark.parametrize(
    ("typed", "name", "sentence"),
    [
        ({"days": "", "on": ""}, "days", "どちらか一つ"),
        ({"days": "3", "on": "3/31"}, "days", "どちらか一つ"),
        ({"days": "0"}, "days", "1から250まで"),
        ({"days": "多い"}, "days", "1から250まで"),
        ({"days": "", "on": "2/30"}, "on", "ある日を"),
        ({"days": "", "on": "3/10、13/1"}, "on", "ある日を"),
        ({"days": "", "on": "3/10 4"}, "on", "ある日を"),
        ({"days": "", "on": "、".join(f"1/{n}" for n in range(1, 14))}, "on", "12日まで"),
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
    deadline_rules.end_rule(conn, administrator, number, "R8.10.6", "改正が見送られた。")
    at(20)
    assert running(conn, received(conn, who))["reply"] == Calendar().add_business_days(date(2026, 10, 20), 10)


# ── where the calendar ends ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def ends(monkeypatch):
    """No holidays are known of any year after 2026."""
    monkeypatch.setattr(known, "LAST_YEAR", 2026)
    known._national_holidays.cache_clear()
    yield
    known._national_holidays.cache_clear()


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
