"""Every business day of a case has one holder, whatever the moves; everybody reads the same sums; past cases give figures."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from states import catalogue
from states.calendar import Calendar
from states.routes import OPEN, RUNNING, STOPPED
from tests import factory, offices
from workflow import cases, durations, story, turns
from workflow.deadlines import TOKYO, local_day
from workflow.turns import DAY, LINE, NOBODY, Hand, Ledger, Move, hand_of, ledger, moves_of
from workflow.web import evidence

DISPATCH = catalogue.process("dispatch")
ORIGIN = "municipality_request"
SHUT = Calendar(frozenset({date(2026, 10, 14)}))
ROAD = ("submit", "receive", "propose_team", "put_to_director")


def test_whoever_may_have_the_turn_or_a_date_has_a_name_and_a_column():
    """Of every process in the house: the page of the months, its legend and the list of what is late know them all."""
    for process in catalogue.newest().values():
        asked = {state.holder for state in process.states} | set(process.holders.values())
        for holder in (asked | {due.holder for due in process.deadlines}) - {""}:
            assert holder in turns.HOLDERS, (process.key, holder)
            assert holder in story.HOLDERS, (process.key, holder)
    assert {holder for holder in turns.HOLDERS if holder not in evidence.FILLS} == {"bureau"}, (
        "two of them of one colour"
    )
    assert len(set(evidence.FILLS.values())) == len(evidence.FILLS)


# ── any sequence of moves ───────────────────────────────────────────────────────────────────────────────────────────

STATES = [state.name for state in DISPATCH.states]
KINDS = ("review", "consent", "decide", "")
hands = st.builds(
    Hand, st.sampled_from([m.key for m in DISPATCH.matters]), st.sampled_from(KINDS), st.integers(1, 3), st.just("職")
)


@st.composite
def courses(draw: st.DrawFn) -> list[Move]:
    """Events in any order of states, on any instants from one on, some of them the clock's, some that stay."""
    begin, end = datetime(2026, 4, 1), datetime(2026, 12, 31)  # noqa: DTZ001 - the strategy adds the zone
    at = draw(st.datetimes(begin, end, timezones=st.just(UTC)))
    state, found = DISPATCH.initial.name, []
    for _ in range(draw(st.integers(1, 12))):
        dest = draw(st.sampled_from([*STATES, state]))
        found.append(Move(at, "", state, dest, draw(st.booleans()), draw(st.none() | st.just(NOBODY) | hands)))
        at += draw(st.timedeltas(timedelta(), timedelta(days=40)))
        state = dest
    return found


def open_states(moves: list[Move]) -> list[Move]:
    """The moves from the first that is told outside to the last before an end, and the one that ends it."""
    known = [DISPATCH.state(move.dest) for move in moves]
    begin = next((n for n, s in enumerate(known) if not s.private and s is not DISPATCH.initial), len(moves))
    end = next((n for n in range(begin, len(moves)) if known[n].final), len(moves) - 1)
    return moves[begin : end + 1]


@settings(deadline=None)
@given(courses(), st.integers(0, 90))
def test_the_days_add_up_and_none_is_counted_twice_or_missing(moves: list[Move], later: int) -> None:
    today = local_day(moves[-1].at) + timedelta(days=later)
    found = ledger(moves, DISPATCH, ORIGIN, SHUT, today)
    days = [stay.first + timedelta(days=n) for stay in found.stays for n in range((stay.until - stay.first).days)]
    assert len(days) == len(set(days)), "a day with two holders"
    shown = open_states(moves)
    if not shown or DISPATCH.state(shown[0].dest).final:
        assert found.stays == ()
        return
    first = local_day(shown[0].at) + (timedelta() if shown[0].by_clock else DAY)
    assert days == [first + timedelta(days=n) for n in range(len(days))], "a day without a holder"
    ended = DISPATCH.state(shown[-1].dest).final
    if not ended:
        assert not days or days[-1] == max(today, first - DAY)
    assert sum(found.days.values()) == sum(map(SHUT.is_business_day, days))
    assert sum(span.days for span in found.spans) == sum(found.days.values()) == sum(found.outside().days.values())
    months = {day.replace(day=1) for day in days}
    ends = {month: (month + timedelta(days=31)).replace(day=1) - DAY for month in months}
    assert sum(sum(found.within(m, ends[m], SHUT).values()) for m in months) == sum(found.days.values())
    assert (found.now is None) == ended


@settings(deadline=None)
@given(courses())
def test_a_day_is_the_holder_s_of_its_beginning(moves: list[Move]) -> None:
    """Said another way: whoever had the turn at 0:00, where what time itself does counts as done by then."""
    today = local_day(moves[-1].at)
    found = ledger(moves, DISPATCH, ORIGIN, SHUT, today)
    shown = open_states(moves)
    for stay in found.stays:
        for n in range((stay.until - stay.first).days):
            day = stay.first + timedelta(days=n)
            # A clock's move behind a person's of the same day waits for that one: the order of the events stands.
            before = [m for m in shown if local_day(m.at) < day]
            begun = before[-1] if before else None
            for move in shown[len(before) :]:
                if local_day(move.at) != day or not move.by_clock:
                    break
                begun = move
            assert begun is not None
            asked = NOBODY
            for move in moves[: next(n for n, move in enumerate(moves) if move is begun) + 1]:
                asked = asked if move.hand is None else move.hand
            matter, holder = DISPATCH.matter(begun.dest), DISPATCH.holder(begun.dest, ORIGIN)
            asked = asked if matter and matter.key == asked.matter else NOBODY
            assert (stay.under, stay.post, stay.title) == (holder, asked.post, asked.title)
            before_it = {"review": LINE, "consent": LINE, "": "bureau"}
            assert stay.holder == (before_it.get(asked.kind, holder) if asked.post else holder)


def test_of_several_asked_at_once_the_day_is_the_first_s_in_the_table_who_has_not_answered() -> None:
    route = {
        "matter": "dispatch", "status": RUNNING, "drafter_post": 9, "drafter_title": "主事",
        "steps": [
            {"no": 1, "kind": "review", "post": 1, "title": "課長", "state": "done"},
            {"no": 2, "kind": "consent", "post": 2, "title": "総務課長", "state": OPEN},
            {"no": 3, "kind": "consent", "post": 3, "title": "室長", "state": OPEN},
            {"no": 5, "kind": "circulate", "post": 5, "title": "係長", "state": OPEN},
        ],
    }  # fmt: skip
    assert hand_of(route) == Hand("dispatch", "consent", 2, "総務課長")
    route["steps"][1]["state"] = "done"  # type: ignore[index]
    assert hand_of(route) == Hand("dispatch", "consent", 3, "室長")
    assert hand_of(route | {"status": STOPPED}) == Hand("dispatch", "", 9, "主事")
    assert hand_of(route | {"steps": []}) == hand_of(route | {"status": "decided"}) == hand_of(None) == NOBODY


def held(*told: tuple[str, str, str, str], today: str) -> Ledger:
    """A ledger of (local time, action, from, to); a clock's action begins with @."""
    moves = [
        Move(datetime.fromisoformat(at).replace(tzinfo=TOKYO), action.removeprefix("@"), source, dest, action[0] == "@")
        for at, action, source, dest in told
    ]
    return ledger(moves, DISPATCH, ORIGIN, Calendar(), date.fromisoformat(today))


def test_the_day_of_handing_over_is_his_who_hands_over_and_the_first_day_is_not_counted() -> None:
    found = held(
        ("2026-10-05T16:00", "submit", "draft", "municipal_request"),
        ("2026-10-08T09:00", "ask_correction", "municipal_request", "correction"),
        ("2026-10-08T17:00", "resubmit", "correction", "municipal_request"),
        today="2026-10-09",
    )
    assert found.days == {"bureau": 4, "municipality": 0}
    assert found.now is not None
    assert (found.now.holder, found.now.days) == ("bureau", 1)


def test_what_the_clock_does_is_done_as_the_day_begins_however_late_it_runs() -> None:
    for hour in ("00:00", "13:00"):
        found = held(
            ("2026-10-05T10:00", "approve", "director_judgement", "preparing"),
            (f"2026-10-07T{hour}", "@begin", "preparing", "dispatched"),
            today="2026-10-08",
        )
        assert found.days == {"bureau": 1, "staff": 2}


def test_days_in_which_nothing_is_asked_are_not_counted_against_a_deadline_of_a_later_act() -> None:
    """A published answer lies with the bureau; its three days run only once it was corrected."""
    process = catalogue.process("qa_answer")
    moves = [
        Move(datetime(2026, 10, day, 10, tzinfo=TOKYO), name, source, dest, False)
        for day, name, source, dest in (
            (1, "propose", "qa_new", "qa_candidate"), (5, "record_consent", "qa_candidate", "qa_consented"),
            (6, "publish_answer", "qa_consented", "qa_published"),
        )
    ]  # fmt: skip
    found = ledger(moves, process, "bureau", Calendar(), date(2026, 11, 30))
    assert [(span.holder, span.counted > 0) for span in found.spans] == [
        ("bureau", True),
        ("director", True),
        ("bureau", False),
    ]
    assert found.spans[-1].days > 30


def test_a_case_that_is_over_counts_no_further_and_one_s_own_approval_is_nobody_else_s() -> None:
    found = held(
        ("2026-09-01T10:00", "ask_own_approval", "draft", "own_approval"),
        ("2026-10-05T10:00", "approve_own", "own_approval", "municipal_request"),
        ("2026-10-07T10:00", "withdraw", "municipal_request", "withdrawn"),
        today="2026-12-01",
    )
    assert (found.days, found.now) == ({"bureau": 2}, None)


def test_outside_an_office_and_its_head_are_one_holder_and_the_sums_are_the_same() -> None:
    found = held(
        ("2026-10-05T10:00", "submit", "draft", "municipal_request"),
        ("2026-10-06T10:00", "put_to_director", "municipal_request", "director_judgement"),
        ("2026-10-07T10:00", "consult", "director_judgement", "concurrent_appointment_consultation"),
        today="2026-10-09",
    )
    assert found.days == {"bureau": 1, "director": 1, "headquarters": 2}
    assert found.outside().days == {"bureau": 2, "headquarters": 2}


# ── from the database ───────────────────────────────────────────────────────────────────────────────────────────────

At = Callable[[int], None]


@pytest.fixture
def at(fresh_database: Any) -> At:
    """Move the clock to ten o'clock on a day of October 2026."""

    def move(day: int) -> None:
        factory.set_clock(fresh_database.owner_url, datetime(2026, 10, day, 10, tzinfo=TOKYO))

    move(5)
    return move


def test_every_day_of_a_route_is_the_post_s_that_was_asked(conn, who, at):
    office = offices.line(conn, who)
    offices.rule(conn, office)
    case = offices.put_up(conn, office, first=date(2026, 11, 9))
    at(7)
    offices.act(conn, office.chief, case, "approve_step")
    offices.act(conn, office.head, case, "approve_step")
    at(9)
    offices.act(conn, office.general, case, "agree_step")
    at(14)
    offices.act(conn, office.health, case, "disagree_step", remark="人の手当てがつかない。")
    at(15)
    offices.act(conn, office.officer, case, "go_on", remark="局長の判断を仰ぐ。")
    at(19)
    (found,) = turns.of_offices(conn, office.officer, [factory.OFFICE], date(2026, 10, 1), date(2026, 10, 31))
    told = [(stay.holder, stay.title, stay.days) for stay in found.ledger.stays if stay.days]
    assert told == [
        (LINE, "地域政策課 係長", 2), (LINE, "総務課 課長", 2), (LINE, "保健行政室 室長", 2),
        ("bureau", "地域政策課 主査", 1), ("director", "局長", 2),
    ]  # fmt: skip
    assert found.ledger.stays[-2].post == office.posts["officer"]
    assert sum(found.ledger.days.values()) == Calendar().business_days_between(date(2026, 10, 5), date(2026, 10, 19))
    posts = found.ledger.of_posts(date(2026, 10, 1), date(2026, 10, 31), found.days)
    assert posts == {(stay.post, stay.title): stay.days for stay in found.ledger.stays if stay.days}
    view = cases.look(conn, office.officer, case)
    lines = story.timeline(conn, view)
    assert ledger(moves_of(reversed(lines)), view.process, view.origin, found.days, view.facts.today) == found.ledger
    outside = cases.look(conn, who.municipality, case)
    known = ledger(
        moves_of(reversed(story.timeline(conn, outside))), view.process, view.origin, found.days, view.facts.today
    )
    assert known.outside().days == found.ledger.outside().days == {"bureau": sum(found.ledger.days.values())}
    assert turns.held_now(conn, office.officer, [case], inside=True)[case] == found.ledger.now
    assert found.ledger.now is not None
    assert (found.ledger.now.title, found.ledger.now.days) == ("局長", 2)


def walked(conn: Any, who: factory.Cast, at: At) -> int:
    case = factory.opened(conn, who, first=date(2026, 11, 9))
    factory.drive(conn, who, case, "submit", "receive")
    at(8)
    factory.drive(conn, who, case, "ask_correction")
    at(15)
    factory.drive(conn, who, case, "resubmit", "propose_team", "put_to_director")
    at(20)
    return case


def test_the_page_the_list_and_the_month_read_the_same_days(conn, who, at):
    case = walked(conn, who, at)
    view = cases.look(conn, who.bureau, case)
    lines = story.timeline(conn, view)
    own = ledger(moves_of(reversed(lines)), view.process, view.origin, view.facts.calendar, view.facts.today)
    told = [(span.holder, span.days) for span in own.spans]
    assert told == [("bureau", 3), ("municipality", 4), ("bureau", 0), ("director", 3)]
    assert sum(own.days.values()) == Calendar().business_days_between(date(2026, 10, 5), date(2026, 10, 20))
    (now,) = turns.held_now(conn, who.bureau, [case], inside=True).values()
    assert now == own.now
    (month,) = turns.of_offices(conn, who.bureau, [factory.OFFICE], date(2026, 10, 1), date(2026, 10, 31))
    assert month.ledger == own
    assert month.ledger.within(date(2026, 10, 1), date(2026, 10, 31), month.days) == own.days


def test_a_closure_of_the_leading_office_is_nobody_s_day(conn, owner, who, at):
    owner.execute("INSERT INTO closure (day, office, reason) VALUES ('2026-10-16', %s, '停電')", [factory.OFFICE])
    owner.execute("INSERT INTO closure (day, office, reason) VALUES ('2026-10-19', 'hk-soya', '停電')")
    case = walked(conn, who, at)
    (now,) = turns.held_now(conn, who.bureau, [case], inside=True).values()
    assert (now.holder, now.days) == ("director", 2)


def test_nobody_reads_the_days_of_a_case_that_is_not_theirs(conn, who, at):
    case = walked(conn, who, at)
    stranger = factory.person(conn, "bureau", "hk-soya")
    assert turns.held_now(conn, stranger, [case], inside=True) == {}
    assert turns.of_offices(conn, stranger, [factory.OFFICE], date(2026, 10, 1), date(2026, 10, 31)) == []
    own = factory.opened(conn, who)
    assert turns.held_now(conn, who.municipality, [own], inside=False) == {}, "a draft has no days"


def test_one_whose_part_has_ended_reads_no_day_of_what_came_after(conn, who, at):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit", "receive", "forward")
    assert turns.held_now(conn, who.bureau, [case], inside=True) == {}
    heir = factory.person(conn, "bureau", "hk-soya")
    assert set(turns.held_now(conn, heir, [case], inside=True)) == {case}


# ── how long it takes ───────────────────────────────────────────────────────────────────────────────────────────────


def test_fewer_than_ten_give_no_figure_and_ten_give_median_and_range(conn, who, at):
    for number in range(10):
        at(5)
        case = factory.opened(conn, who, first=date(2026, 11, 2) + timedelta(days=number))
        factory.drive(conn, who, case, "submit", "receive")
        at(6 + (number > 4) * 2 + (number > 8) * 7)
        factory.drive(conn, who, case, *ROAD[2:], "approve" if number % 2 else "decline")
        figure = durations.answer(conn, DISPATCH, factory.OFFICE, date(2026, 10, 20))
        assert figure.cases == number + 1
        assert (figure.typical is None) == (number < 9)
    assert figure.typical == durations.Typical(3, 1, 7, 10)
    # Another office has none of its own: it reads those of all, and is told so.
    other = durations.answer(conn, DISPATCH, "hk-soya", date(2026, 10, 20))
    assert other.typical == durations.Typical(3, 1, 7, 10, wide=True)
    found = durations.of_office(conn, DISPATCH, factory.OFFICE, date(2026, 10, 20))
    by_name = {figure.name: figure for figure in found.states}
    assert by_name["受付・検討"].typical == durations.Typical(3, 1, 7, 10)
    assert (by_name["派遣中"].typical, by_name["派遣中"].cases) == (None, 0)
    # Older than the fiscal year before: no longer told.
    assert durations.answer(conn, DISPATCH, factory.OFFICE, date(2028, 4, 1)).typical is None


def test_the_days_of_a_correction_are_not_the_office_s(conn, who, at):
    case = walked(conn, who, at)
    factory.drive(conn, who, case, "decline")
    at(21)
    (one,) = turns.of_offices(conn, who.bureau, [factory.OFFICE], date(2026, 10, 1), date(2026, 10, 31))
    assert durations.until_answer(one) == 3 + 3
    assert durations.in_states(one) == {"municipal_request": 3, "correction": 4, "director_judgement": 3}


def test_a_request_that_was_taken_back_had_no_answer(conn, who, at):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit", "receive", "withdraw")
    (one,) = turns.of_offices(conn, who.bureau, [factory.OFFICE], date(2026, 10, 1), date(2026, 10, 31))
    assert durations.until_answer(one) is None
    assert durations.is_answered(DISPATCH, "preparing")
    assert not durations.is_answered(DISPATCH, "director_judgement")
