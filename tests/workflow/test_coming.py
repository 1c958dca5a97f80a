"""Without any act, who comes to a post hears once of the queue there, and a deputy of what an absence brings."""

from datetime import date

import pytest

from tests import factory, offices
from tests.offices import act
from workflow import coming, digests, outbox, preferences
from workflow.preferences import Preference

CHANGE = date(2026, 12, 1)


@pytest.fixture
def office(clock, conn, who):
    made = offices.line(conn, who)
    offices.rule(conn, made)
    return made


def mails(conn, person):
    """Subjects and bodies of what was mailed without any case, the oldest first."""
    text = "SELECT m.subject, m.body FROM message m WHERE m.person_id = %s AND m.case_id IS NULL ORDER BY m.id"
    return conn.execute(text, (person,)).fetchall()


def ticks(db, times=2):
    """The clock goes round, and what it wrote goes out."""
    for _ in range(times):
        coming.tell(db)
        outbox.deliver(db)


def seated(conn, office, key, person, since=CHANGE):
    conn.execute(
        "UPDATE tenure SET valid_to = %s::date - 1 WHERE post_id = %s AND valid_to IS NULL", (since, office.posts[key])
    )
    conn.execute(
        "INSERT INTO tenure (person_id, post_id, valid_from) VALUES (%s, %s, %s)", (person, office.posts[key], since)
    )


def up_to_decision(conn, office, case):
    for key, verb in (
        ("chief", "approve_step"),
        ("head", "approve_step"),
        ("general", "agree_step"),
        ("health", "agree_step"),
    ):
        act(conn, office.people[key], case, verb)


# ── a post newly held ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_new_holder_hears_once_of_the_queue_that_came_to_the_post(db, conn, office, clock):
    for n in range(2):
        offices.put_up(conn, office, first=factory.first_day(conn, after=40 + 6 * n))
    new = factory.person(conn, "staff", office.who.office, title="主任")
    ticks(db)
    seated(conn, office, "chief", new)
    assert mails(conn, new) == []
    clock.at(CHANGE)
    ticks(db, 3)
    ((subject, body),) = mails(conn, new)
    assert "就いた職の手番が 2件あります" in subject
    assert "回議する 2件" in body
    assert "「地域政策課 係長」" in body
    assert "計画" not in body
    assert "(仮名)" not in body
    assert mails(conn, office.chief) == [], "who left"


def test_an_empty_post_and_one_s_own_post_again_bring_no_mail(db, conn, office, clock):
    case = offices.put_up(conn, office)
    new = factory.person(conn, "staff", office.who.office, title="主任")
    seated(conn, office, "head", new)
    seated(conn, office, "chief", office.chief)
    clock.at(CHANGE)
    ticks(db)
    assert (mails(conn, new), mails(conn, office.chief)) == ([], [])
    act(conn, office.chief, case, "approve_step")
    ticks(db)
    assert mails(conn, new) == [], "what comes later is told by its own notice"


def test_the_desk_of_the_office_is_the_queue_of_an_officer_who_comes_but_not_of_one_who_only_moves(
    db, conn, office, clock
):
    case = factory.opened(conn, office.who)
    factory.drive(conn, office.who, case, "submit", "receive")
    new = factory.person(conn, "staff", office.who.office, title="主任")
    seated(conn, office, "officer", new)
    other = factory.post(conn, office.who.bureau_colleague, "bureau", office.who.office, title="専門員")
    conn.execute("UPDATE tenure SET valid_from = %s WHERE post_id = %s", (CHANGE, other))
    clock.at(CHANGE)
    ticks(db)
    ((subject, _),) = mails(conn, new)
    assert "1件" in subject
    assert mails(conn, office.who.bureau_colleague) == []


def test_who_wants_a_digest_finds_the_queue_in_it(db, conn, office, clock):
    case = offices.put_up(conn, office)
    new = factory.person(conn, "staff", office.who.office, title="主任")
    preferences.choose(conn, new, Preference(preferences.MORNING))
    seated(conn, office, "chief", new)
    clock.at(CHANGE, 7)
    ticks(db)
    clock.at(CHANGE, 9)
    digests.gather(db)
    outbox.deliver(db)
    told = [body for subject, body in mails(conn, new) if "まとめて" in subject]
    assert len(told) == 1
    assert "回議する(就いた職に来ていたもの) 1件" in told[0]
    assert f"/cases/{case}" in told[0]


# ── an absent holder ────────────────────────────────────────────────────────────────────────────────────────────────


def away(conn, person, first, last):
    conn.execute(
        "INSERT INTO absence (person_id, valid_from, valid_to, entered_by, kind) VALUES (%s, %s, %s, %s, 'illness')",
        (person, first, last, person),
    )


def test_a_deputy_hears_once_that_an_absence_has_begun_over_what_waits(db, conn, office, clock):
    case = offices.put_up(conn, office)
    up_to_decision(conn, office, case)
    away(conn, office.director, CHANGE, date(2026, 12, 4))
    ticks(db)
    assert mails(conn, office.vice) == [], "it has not begun"
    clock.at(CHANGE)
    ticks(db, 3)
    ((subject, body),) = mails(conn, office.vice)
    assert "代決できる件が 1件あります" in subject
    assert "「局長」" in body
    assert "病気" not in body
    assert mails(conn, office.department) == [], "the first in the order alone"
    away(conn, office.vice, date(2026, 12, 2), date(2026, 12, 2))
    clock.at(date(2026, 12, 2))
    ticks(db)
    assert len(mails(conn, office.department)) == 1, "the first deputy is away as well"
    assert len(mails(conn, office.vice)) == 1


def test_who_was_told_with_the_item_is_not_told_again(db, conn, office, clock):
    case = offices.put_up(conn, office)
    away(conn, office.director, CHANGE, date(2026, 12, 4))
    clock.at(CHANGE)
    up_to_decision(conn, office, case)
    outbox.deliver(db)
    ticks(db)
    assert mails(conn, office.vice) == []


def test_what_no_deputy_may_do_is_told_to_nobody(db, conn, office, clock):
    case = offices.put_up(conn, office, inputs={"mark": "important"})
    up_to_decision(conn, office, case)
    away(conn, office.director, CHANGE, date(2026, 12, 4))
    clock.at(CHANGE)
    ticks(db)
    assert mails(conn, office.vice) == mails(conn, office.department) == []
