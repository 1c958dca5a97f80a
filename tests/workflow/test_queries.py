"""The read side: what each person sees, in which order, page by page; what one may not see does not exist."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests import factory
from tests.papers import attach
from workflow import cases, finding, narrowing, queries
from workflow.deadlines import local_day
from workflow.finding import Found, Wanted
from workflow.queries import BadCursor, Page, cursor_of

TO_JUDGEMENT = ("submit", "receive", "propose_team", "put_to_director")


def put_in(conn, who, *actions, **request):
    case_id = factory.opened(conn, who, **request)
    factory.drive(conn, who, case_id, *(actions or ("submit",)))
    return case_id


def pages(ask: Callable[[str], Page | Found]) -> Iterator[Any]:
    """Every row of a list, following its cursors."""
    after, turns = "", 0
    while True:
        found = ask(after)
        yield from found.rows
        if not found.next:
            return
        after, turns = found.next, turns + 1
        assert turns < 100, "the list does not end"


# ── inbox ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("limit", [1, 2, 5, 30])
def test_the_inbox_is_paged_without_gap_or_repeat_the_most_urgent_first(conn, who, limit):
    put = [put_in(conn, who) for _ in range(3)]
    factory.drive(conn, who, put[0], "receive")  # due later than the two that wait for their receipt
    put += [put_in(conn, who) for _ in range(2)]
    rows = list(pages(lambda after: queries.inbox(conn, who.bureau, after=after, limit=limit)))
    assert [row["case_id"] for row in rows] == [put[1], put[2], put[3], put[4], put[0]]
    assert [row["due_at"] for row in rows] == sorted(row["due_at"] for row in rows)


def test_two_posts_at_one_desk_show_an_item_once(conn, who):
    factory.post(conn, who.bureau, "bureau", who.office, title="主幹")
    case_id = put_in(conn, who)
    found = queries.inbox(conn, who.bureau)
    assert [row["case_id"] for row in found.rows] == [case_id]
    assert found.counts["all"] == queries.waiting(conn, who.bureau) == 1


def test_an_item_waits_at_its_desk_and_nowhere_else(conn, who):
    case_id = put_in(conn, who)
    elsewhere = factory.cast(conn, "hk-sorachi", "012106")
    assert [r["case_id"] for r in queries.inbox(conn, who.bureau_colleague).rows] == [case_id]
    for person in (
        who.municipality,
        who.director,
        who.staff,
        who.headquarters,
        who.auditor,
        who.records,
        elsewhere.bureau,
    ):
        assert list(queries.inbox(conn, person).rows) == []
    factory.drive(conn, who, case_id, "receive", "propose_team", "put_to_director")
    assert list(queries.inbox(conn, who.bureau).rows) == []
    (row,) = queries.inbox(conn, who.director).rows
    assert (row["ask"], row["holder"], row["municipality"], row["lead_name"]) == (
        "派遣を判断する",
        "director",
        "美瑛町",
        "上川",
    )


def test_a_report_waits_for_each_person_alone(conn, who, owner, fresh_database):
    factory.set_clock(fresh_database.owner_url, None)
    case_id = put_in(conn, who, *TO_JUDGEMENT, "approve")
    later = factory.first_day(conn) + timedelta(days=30)
    owner.execute("UPDATE installation SET clock_offset = %s", [later - cases.today(conn)])
    assert cases.act_by_clock(conn, case_id, "begin")
    assert cases.act_by_clock(conn, case_id, "end")
    for person in (who.staff, who.staff_colleague):
        (row,) = queries.inbox(conn, person).rows
        assert row["ask"] == "復命する"
    factory.drive(conn, who, case_id, ("file_trip_report", {"by": who.staff}))
    assert list(queries.inbox(conn, who.staff).rows) == []
    assert queries.waiting(conn, who.staff_colleague) == 1


def test_counts_and_windows_agree_from_long_before_the_deadline_to_long_after(conn, who, owner, fresh_database):
    factory.set_clock(fresh_database.owner_url, None)
    put_in(conn, who)  # to be received within two business days
    received = put_in(conn, who)
    factory.drive(conn, who, received, "receive")  # to be answered within ten
    seen = set()
    for days in range(21):
        owner.execute("UPDATE installation SET clock_offset = %s", [timedelta(days=days)])
        everything = queries.inbox(conn, who.bureau)
        for due in ("over", "today", "soon", "later"):
            rows = queries.inbox(conn, who.bureau, due=due).rows
            assert len(rows) == everything.counts[due]
            assert {row["due_kind"] for row in rows} <= {due}
            seen |= {row["due_kind"] for row in rows}
        assert everything.counts["all"] == len(everything.rows) == 2
        today = local_day(queries.database_now(conn))
        for row in everything.rows:
            assert (row["due_day"] < today) == (row["due_kind"] == "over")
            assert (row["due_day"] == today) == (row["due_kind"] == "today")
            assert row["business_days_left"] <= 2 or row["due_kind"] == "later"
    assert seen == {"over", "today", "soon", "later"}


def test_filters_leave_what_they_say_and_take_words_literally(conn, who):
    other = factory.cast(conn, "hk-kamikawa", "014605")
    percent = put_in(conn, who, title="利用率100%をめざす_計画")
    plain = put_in(conn, who, title="観光の計画づくり")
    place = put_in(conn, other, "submit", title="別の町の計画")
    factory.drive(conn, who, plain, "receive")
    number = conn.execute("SELECT number FROM cases WHERE id = %s", [plain]).fetchone()[0]

    def found(**filters: Any) -> set[int]:
        return {row["case_id"] for row in queries.inbox(conn, who.bureau, **filters).rows}

    assert found(q="100%") == found(q="%") == found(q="_") == {percent}
    assert found(q="計画") == {percent, plain, place}
    assert found(q=number) == {plain}
    assert found(q="\\") == set()
    assert found(org="014605") == {place}
    assert found(ask="収受する") == {percent, place}
    assert found(office="hk-kamikawa", ask="検討して判断を求める") == {plain}
    assert found(office="hk-sorachi") == set()
    choices = narrowing.choices(conn, who.bureau)
    assert choices["ask"] == [("収受する", "収受する"), ("検討して判断を求める", "検討して判断を求める")]
    assert [code for code, _ in choices["org"]] == [who.place, "014605"]
    assert choices["office"] == [("hk-kamikawa", "上川")]


def test_clues_come_from_the_verdicts_of_the_last_act(conn, who):
    clean, warned = put_in(conn, who, *TO_JUDGEMENT), put_in(conn, who, days=10)
    reason = {"note": "長くなるが必要。", "reasons": {"D-08": "二つの集落を続けて回るため。"}}
    factory.drive(conn, who, warned, "receive", "propose_team", ("put_to_director", {"inputs": reason}))
    clues = {row["case_id"]: row["clues"] for row in queries.inbox(conn, who.director).rows}
    assert clues[clean] == [("ok", "規則はすべて適合")]
    assert clues[warned] == [("warn", "注意 2")]  # one for each person


def test_a_file_added_meanwhile_takes_no_clue_away(db, conn, who):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director")
    attach(db, who.bureau, case)
    (row,) = queries.inbox(conn, who.director).rows
    assert row["clues"] == [("ok", "規則はすべて適合")]


def test_headquarters_sees_since_when_and_how_many_of_its_days_are_used(conn, who, owner, fresh_database):
    factory.set_clock(fresh_database.owner_url, None)
    put_in(conn, who, "submit", "receive", "consult", own_affairs="yes")
    (row,) = queries.inbox(conn, who.headquarters, role="headquarters").rows
    assert (row["days_used"], row["days_given"], row["lead_name"]) == (0, 10, "上川")
    asked = row["asked_at"]
    owner.execute("UPDATE installation SET clock_offset = %s", [row["due_day"] - cases.today(conn)])
    (row,) = queries.inbox(conn, who.headquarters).rows
    assert (row["days_used"], row["days_given"], row["business_days_left"], row["asked_at"]) == (10, 10, 0, asked)
    none = queries.inbox(conn, who.headquarters, role="bureau")
    assert (list(none.rows), none.counts["all"]) == ([], 0)


def test_what_the_clock_could_not_do_stands_before_its_office(conn, who):
    case_id = put_in(conn, who)
    elsewhere = factory.cast(conn, "hk-sorachi", "012106")
    conn.execute(
        "INSERT INTO attention (case_id, kind, sentence, opened_at) VALUES (%s, 'clock', 'まだ始められません。', now())",
        [case_id],
    )
    assert [a["sentence"] for a in queries.inbox(conn, who.bureau).attention] == ["まだ始められません。"]
    for person in (who.municipality, elsewhere.bureau):
        assert list(queries.inbox(conn, person).attention) == []


def test_effects_that_nobody_delivers_are_counted(conn, who):
    put_in(conn, who)
    assert queries.late_effects(conn) == 0
    waiting = conn.execute("UPDATE outbox SET next_at = now() - interval '11 minutes' WHERE done_at IS NULL").rowcount
    assert queries.late_effects(conn) == waiting > 0


# ── lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_case_one_may_see_is_listed_once_the_newest_first(conn, who):
    mine = [put_in(conn, who) for _ in range(5)]
    draft = factory.opened(conn, who)
    elsewhere = factory.cast(conn, "hk-sorachi", "012106")
    foreign = put_in(conn, elsewhere)

    def listed(person: int, **filters: Any) -> list[int]:
        reader, wanted = factory.reader(conn, person), Wanted(**filters)
        return [row["case_id"] for row in pages(lambda after: finding.find(conn, reader, wanted, after=after, limit=2))]

    assert listed(who.bureau) == mine[::-1]
    assert listed(who.municipality) == [draft, *mine[::-1]]
    assert listed(who.auditor) == listed(who.headquarters) == [foreign, *mine[::-1]]
    assert listed(elsewhere.bureau) == [foreign]
    assert listed(who.staff) == []
    assert listed(who.auditor, office="hk-sorachi") == listed(who.auditor, place="012106") == [foreign]
    assert listed(who.municipality, states=("draft",)) == [draft]
    assert listed(who.bureau, states=("director_judgement",)) == []


def test_the_fiscal_year_of_a_case_is_that_of_its_opening(conn, who, owner, fresh_database):
    factory.set_clock(fresh_database.owner_url, None)
    case_id = put_in(conn, who)
    opened = cases.today(conn)
    year = opened.year - (opened.month < 4)
    for wanted, expected in ((year, [case_id]), (year - 1, []), (year + 1, [])):
        found = finding.find(conn, factory.reader(conn, who.bureau), Wanted(year=wanted))
        assert [row["case_id"] for row in found.rows] == expected


def test_an_ended_tenure_gives_nothing(conn, who):
    put_in(conn, who)
    former = factory.person(conn, "bureau", who.office, until=cases.today(conn) - timedelta(days=1))
    leaving = factory.person(conn, "bureau", who.office, until=cases.today(conn))
    assert [finding.find(conn, factory.reader(conn, p), Wanted()).total for p in (former, leaving)] == [0, 1]
    assert [queries.waiting(conn, p) for p in (former, leaving)] == [0, 1]
    assert [len(queries.events(conn, p).rows) for p in (former, leaving)] == [0, 1]


# ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_every_event_in_scope_is_listed_once_the_newest_first(conn, who, limit):
    for _ in range(3):
        put_in(conn, who, *TO_JUDGEMENT)
    rows = list(pages(lambda after: queries.events(conn, who.auditor, after=after, limit=limit)))
    keys = [(row["at"], row["case_id"], row["seq"]) for row in rows]
    assert len(rows) == 12
    assert keys == sorted(keys, reverse=True)
    assert queries.event_keys(conn, who.auditor, limit=100) == [key[1:] for key in keys[::-1]]


def test_events_are_found_by_period_office_person_post_action_and_case(conn, who):
    case_id = put_in(conn, who, *TO_JUDGEMENT, "approve")
    elsewhere = factory.cast(conn, "hk-sorachi", "012106")
    foreign = put_in(conn, elsewhere)
    today = cases.today(conn)
    number, name, staff_no, post = conn.execute(
        """SELECT c.number, n.name, n.staff_no, t.post_id FROM cases c, person n JOIN tenure t ON t.person_id = n.id
           WHERE c.id = %s AND n.id = %s""",
        [case_id, who.director],
    ).fetchone()

    def found(**wanted: Any) -> list[tuple[int, str]]:
        rows = queries.events(conn, who.auditor, **wanted).rows
        assert (
            queries.event_keys(conn, who.auditor, limit=100, **wanted) == [(r["case_id"], r["seq"]) for r in rows][::-1]
        )
        return [(row["case_id"], row["action"]) for row in rows]

    decided = [(case_id, "approve")]
    assert (
        found(action="approve")
        == found(person=name)
        == found(person=staff_no)
        == found(person=str(who.director))
        == decided
    )
    assert found(post="局長") == found(post=str(post)) == decided
    assert found(office="hk-sorachi") == [(foreign, "submit")]
    assert found(office=who.place) == [(case_id, "submit")]
    assert len(found(case=number)) == 5
    assert len(found(since=today, until=today)) == 6
    assert found(until=today - timedelta(days=1)) == found(since=today + timedelta(days=1)) == []
    assert found(person="%") == []


def test_events_stay_within_scope_and_are_told_with_the_names_of_their_day(conn, who):
    put_in(conn, who)
    elsewhere = factory.cast(conn, "hk-sorachi", "012106")
    assert list(queries.events(conn, elsewhere.records).rows) == []
    conn.execute("UPDATE person SET name = '改姓（仮名）' WHERE id = %s", [who.municipality])
    (row,) = queries.events(conn, who.records).rows
    assert row["actor_name"] != "改姓（仮名）"
    assert (row["org_name"], row["action_label"], row["to_label"]) == ("美瑛町", "要請を提出する", "受付・検討")
    assert list(queries.case_names(conn, elsewhere.records, [row["case_id"]])) == []
    assert list(queries.case_names(conn, who.records, [row["case_id"]])) == [row["case_id"]]


# ── mails, cursors ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_mails_are_read_by_whom_they_are_for(conn, who):
    case_id = put_in(conn, who)
    outbox = conn.execute("SELECT id FROM outbox LIMIT 1").fetchone()[0]
    for number, person in enumerate((who.bureau, who.bureau_colleague)):
        conn.execute(
            """INSERT INTO message (outbox_id, case_id, person_id, address, message_id, subject, body, made_at)
               VALUES (%s, %s, %s, 'a@example.invalid', %s, '題', '文', now())""",
            [outbox, case_id, person, f"<{number}>"],
        )
    assert len(queries.messages(conn, who.bureau).rows) == 1
    assert list(queries.messages(conn, who.director).rows) == []
    assert (
        len(list(pages(lambda after: queries.messages(conn, who.director, everybody=True, after=after, limit=1)))) == 2
    )


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


BAD = [
    "x", "=", "あ", "\udc80", "A" * 100_000, encoded({}), encoded([]), encoded(["1", "2", "3", "4"]), encoded([1]), encoded([1, 2]),
    cursor_of("²"), cursor_of("-1"), cursor_of("9" * 30), cursor_of(2**63), cursor_of("昨日", "1"), cursor_of("2026-01-01T00:00:00", "1"),
    cursor_of("2026-01-01T00:00:00+00:00", "一"), cursor_of("2026-13-01T00:00:00+00:00", "1", "1"), encoded(["["] * 1000),
]  # fmt: skip


@pytest.mark.parametrize("cursor", BAD)
def test_a_cursor_that_no_list_gave_out_is_refused(conn, who, cursor):
    for ask in (queries.inbox, queries.events, queries.messages):
        with pytest.raises(BadCursor):
            ask(conn, who.auditor, after=cursor)
    for wanted in (Wanted(), Wanted(("x",)), Wanted(due_first=True)):
        with pytest.raises(BadCursor):
            finding.find(conn, factory.reader(conn, who.auditor), wanted, after=cursor)


def test_actions_are_known_by_their_verbs(conn):
    known = dict(queries.actions_known())
    assert known["erase"] == "内容を消去する"
    assert known["propose_team"] == "隊の案をつくる"
    assert "派遣を決定する" in known["approve"].split(" / "), "several processes decide by that name"
