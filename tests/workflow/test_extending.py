"""A running deadline is moved by who answers for it: once, with a reason, in the history, and everybody concerned is told."""

import json
from datetime import date, datetime
from uuid import uuid4

import pytest

from states.calendar import Calendar
from states.kernel import Refused
from states.places import Directory
from states.terms import Deadline, Facts
from tests import factory
from workflow import cases, extending, outbox, queries, story, verify, watch
from workflow.cases import Conflict, KeyReused
from workflow.deadlines import TOKYO, Standing, due_day, end_of, plan
from workflow.loading import NotFound

REASON = "災害の対応のため。"
ROAD = ("submit", "receive")


@pytest.fixture(autouse=True)
def at(fresh_database):
    """It is noon of a day in October 2026; called with another day, it is that."""

    def shift(day: int) -> None:
        factory.set_clock(fresh_database.owner_url, datetime(2026, 10, day, 12, tzinfo=TOKYO))

    shift(5)
    return shift


@pytest.fixture
def case(conn, who):
    """A request that the bureau is to answer by 20 October (the 12th is a holiday)."""
    made = factory.opened(conn, who, first=date(2026, 11, 16))
    factory.drive(conn, who, made, *ROAD)
    return made


def extend(conn, person: int, case: int, kind: str = "reply", to: str = "R8.10.27", reason: str = REASON, **how):
    version = how.get("version", factory.version(conn, case))
    key = how.get("key") or uuid4()
    return extending.extend(conn, person, case, kind, to, reason, version=version, key=key)


def running(conn, case: int) -> dict[str, date]:
    text = "SELECT kind, due_at FROM deadline WHERE case_id = %s AND closed_at IS NULL"
    return {kind: due_day(due) for kind, due in conn.execute(text, (case,)).fetchall()}


def test_the_bureau_moves_its_reply_and_all_of_it_is_one_event(at, db, conn, who, case):
    item = conn.execute("SELECT id, opened_at FROM step WHERE closed_at IS NULL").fetchone()
    at(7)
    done = extend(conn, who.bureau, case)
    assert (done.version, done.replayed) == (3, False)
    assert running(conn, case) == {"reply": date(2026, 10, 27)}
    # The item in the inbox is the same one, only its day is another.
    assert conn.execute("SELECT id, opened_at FROM step WHERE closed_at IS NULL").fetchone() == item
    row = queries.inbox(conn, who.bureau).rows[0]
    assert (row["due_day"], row["days_used"], row["days_given"]) == (date(2026, 10, 27), 2, 15)
    action, state = conn.execute(
        "SELECT e.action, c.state FROM event e JOIN cases c ON c.id = e.case_id AND c.version = e.seq"
    ).fetchone()
    assert (action, state) == ("extend_deadline", "municipal_request")
    assert verify.verify(db).whole


def test_the_story_says_it_in_words_to_the_office_and_to_the_other_side(conn, who, case):
    extend(conn, who.bureau, case)
    for person in (who.bureau, who.municipality, who.auditor):
        line = story.timeline(conn, cases.look(conn, person, case))[0]
        assert line["action_label"] == "期限を動かす"
        (part,) = line["shown"]
        assert part["text"] == "「市町村への回答期限」10月20日(火) → 10月27日(火)。理由: 災害の対応のため。"
        assert line["actor_name"]


def test_an_inner_deadline_is_nobody_elses_affair(conn, who, case):
    factory.drive(conn, who, case, "propose_team", "put_to_director")
    extend(conn, who.director, case, "judgement", "R8.10.15")
    assert running(conn, case)["judgement"] == date(2026, 10, 15)
    assert story.timeline(conn, cases.look(conn, who.bureau, case))[0]["shown"]
    assert story.timeline(conn, cases.look(conn, who.municipality, case))[0]["shown"] == []
    told = conn.execute("SELECT payload FROM outbox WHERE kind = 'notice' ORDER BY id DESC LIMIT 1").fetchone()[0]
    assert told["tells"] == ["bureau", "director"]


def test_the_later_day_stands_whatever_is_done_next(at, conn, who, case):
    extend(conn, who.bureau, case)
    at(8)
    factory.drive(conn, who, case, "propose_team", "put_to_director")
    assert running(conn, case)["reply"] == date(2026, 10, 27)
    factory.drive(conn, who, case, "send_back", "ask_correction")
    # The clock stops for the municipality with the days of the later day left over.
    assert conn.execute("SELECT left_days FROM deadline WHERE left_days IS NOT NULL").fetchone() == (12,)


def test_a_dated_deadline_stays_where_it_was_moved_until_its_date_is_another():
    declared = [Deadline("d", "期限", "x", frozenset("a"), at=lambda f: f.form["day"])]
    day, later = date(2026, 10, 20), date(2026, 10, 27)
    stands = [Standing(7, "d", end_of(later), open=True, left=None, planned=end_of(day))]

    def facts(told: date) -> Facts:
        return Facts("a", {"day": told}, None, day, Directory.from_csv(), Calendar())

    same = plan(declared, "go", "a", facts(day), stands)
    assert (same.open, same.close, same.due) == ((), (), {"d": end_of(later)})
    other = plan(declared, "go", "a", facts(date(2026, 11, 4)), stands)
    assert other.open == (("d", "x", "", end_of(date(2026, 11, 4))),)


def test_both_sides_are_told_once_with_the_new_day_and_the_reason_stays_inside(db, conn, who, case):
    outbox.deliver(db)
    before = conn.execute("SELECT coalesce(max(id), 0) FROM message").fetchone()[0]
    extend(conn, who.bureau, case)
    outbox.deliver(db)
    outbox.deliver(db)
    mails = conn.execute("SELECT person_id, subject, body FROM message WHERE id > %s", (before,)).fetchall()
    assert {who.bureau_colleague, who.municipality, who.municipality_colleague} == {row[0] for row in mails}
    assert len(mails) == 3
    for person, subject, body in mails:
        assert REASON not in body
        assert "期限を動かす" in subject + body or "10月27日" in subject + body, (person, subject)


def test_reminders_run_anew_by_the_new_day(at, db, conn, who, case):
    at(13)  # five business days before 20 October
    assert watch.remind(db) == 1
    extend(conn, who.bureau, case)
    assert watch.remind(db) == 0
    at(20)  # five before the 27th; nothing is due today any more
    assert watch.remind(db) == 1
    rows = conn.execute("SELECT rung, due_at FROM reminder ORDER BY id").fetchall()
    assert [(rung, due_day(due)) for rung, due in rows] == [(-5, date(2026, 10, 20)), (-5, date(2026, 10, 27))]


def test_a_rung_of_the_new_day_that_is_today_reminds_today_though_the_day_was_swept(at, db, conn, who, case):
    at(19)  # the day before the 20th
    assert watch.remind(db) == 1
    assert watch.remind(db) == 0, "the day has been swept"
    extend(conn, who.bureau, case, to="R8.10.26")  # five business days from here
    assert watch.remind(db) == 1
    assert watch.remind(db) == 0
    rows = conn.execute("SELECT rung, due_at FROM reminder ORDER BY id").fetchall()
    assert [(rung, due_day(due)) for rung, due in rows] == [(-1, date(2026, 10, 20)), (-5, date(2026, 10, 26))]
    outbox.deliver(db)
    told = conn.execute(
        "SELECT m.person_id FROM message m JOIN outbox o ON o.id = m.outbox_id WHERE o.kind LIKE 'reminder:%%:-5' ORDER BY 1"
    ).fetchall()
    assert told == [(who.bureau,), (who.bureau_colleague,)]


def test_a_rung_before_the_day_of_the_move_was_told_of_by_its_notice(at, db, conn, who, case):
    at(19)
    assert watch.remind(db) == 1
    at(20)
    extend(conn, who.bureau, case, to="R8.10.26")  # whose first rung was yesterday
    assert watch.remind(db) == 0
    at(23)
    assert watch.remind(db) == 1


def test_what_opens_by_itself_on_its_rungs_day_is_told_of_by_its_own_notice(at, db, conn, who, case):
    at(19)
    assert watch.remind(db) == 1
    factory.drive(conn, who, case, "propose_team", "put_to_director")  # the judgement is due on the 22nd
    at(21)
    assert watch.remind(db) == 2  # of the reply nothing for today; of both the last rung that was reached
    factory.drive(conn, who, case, "send_back", "put_to_director")
    assert watch.remind(db) == 0


def test_who_answers_for_it_moves_it_and_nobody_else(conn, who, case):
    for person in (who.municipality, who.director, who.headquarters, who.auditor):
        with pytest.raises(Refused, match="動かす役目を、いまのあなたの職は持っていません"):
            extend(conn, person, case)
    with pytest.raises(NotFound):
        extend(conn, factory.person(conn, "bureau", "hk-sorachi"), case, version=2)
    assert [due.kind for due in extending.dues(cases.look(conn, who.bureau, case))] == ["reply"]
    assert extending.dues(cases.look(conn, who.municipality, case)) == []
    factory.drive(conn, who, case, "ask_correction")
    extend(conn, who.bureau, case, "correction")
    assert running(conn, case) == {"correction": date(2026, 10, 27)}
    step = conn.execute("SELECT org_code, due_at FROM step WHERE closed_at IS NULL").fetchone()
    assert step == (who.place, end_of(date(2026, 10, 27)))


def test_headquarters_moves_its_own(conn, who):
    case = factory.opened(conn, who, first=date(2026, 11, 16), own_affairs="yes")
    factory.drive(conn, who, case, *ROAD, "propose_team", "consult")
    with pytest.raises(Refused, match="役目"):
        extend(conn, who.bureau, case, "consultation")
    extend(conn, who.headquarters, case, "consultation")
    assert running(conn, case)["consultation"] == date(2026, 10, 27)


@pytest.mark.parametrize(
    ("to", "reason", "field", "sentence"),
    [
        ("", REASON, "to", "日付が書かれていません"),
        ("R8.13.1", REASON, "to", "月は1から12まで"),
        ("R8.10.20", REASON, "to", "いまの期限の10月20日(火)より後の日"),
        ("R8.10.24", REASON, "to", "10月24日(土)は閉庁日です。次の開庁日は10月26日(月)です。"),
        ("R10.10.20", REASON, "to", "1年より先"),
        ("R8.10.27", "  ", "reason", "理由を書いてください"),
        ("R8.10.27", "長" * 501, "reason", "500字まで"),
        ("R8.10.27", "鳴る\x07", "reason", "取り除いて"),
    ],
)
def test_what_cannot_be_is_refused_in_words_for_its_field(conn, who, case, to, reason, field, sentence):
    with pytest.raises(Refused) as refusal:
        extend(conn, who.bureau, case, to=to, reason=reason)
    assert [v.field for v in refusal.value.verdicts] == [field]
    assert sentence in refusal.value.verdicts[0].sentence
    assert factory.version(conn, case) == 2


@pytest.mark.parametrize("kind", ["begin", "nothing", "correction"])
def test_what_does_not_run_is_not_moved(conn, who, case, kind):
    with pytest.raises(Refused, match="いまは動いていません") as refusal:
        extend(conn, who.bureau, case, kind)
    assert refusal.value.kind == "state"


def test_sent_twice_it_is_done_once_and_an_older_page_is_told_who_acted(conn, who, case):
    key = uuid4()
    first = extend(conn, who.bureau, case, key=key, version=2)
    again = extend(conn, who.bureau, case, key=key, version=2)
    assert (first.version, again.version, again.replayed) == (3, 3, True)
    with pytest.raises(KeyReused):
        extend(conn, who.bureau, case, to="R8.10.28", key=key, version=2)
    with pytest.raises(Conflict) as conflict:
        extend(conn, who.bureau_colleague, case, version=2)
    assert conflict.value.action_label == "期限を動かす"


def test_the_event_holds_old_new_reason_and_person(conn, who, case):
    extend(conn, who.bureau, case)
    data, actor = conn.execute(
        "SELECT x.data, e.actor FROM content x JOIN event e USING (case_id, seq) WHERE x.kind = 'extension'"
    ).fetchone()
    assert json.loads(bytes(data)) == {
        "moves": [{"kind": "reply", "label": "市町村への回答期限", "from": "2026-10-20", "to": "2026-10-27"}], "reason": REASON,
    }  # fmt: skip
    assert actor == str(who.bureau)
