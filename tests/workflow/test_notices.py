"""Who is told of an act, and in which words."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests import factory
from tests.conftest import Database as Urls
from tests.factory import Cast, cast, drive, opened, person, set_clock
from workflow import cases, outbox
from workflow.db import Database, type_connection
from workflow.deadlines import TOKYO
from workflow.notices import Row, message_id
from workflow.settings import settings

WHEN = datetime(2026, 11, 2, 9, 0, tzinfo=TOKYO)  # a Monday


@pytest.fixture(autouse=True)
def public_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PUBLIC_URL", "https://tobidashi.example.lg.jp/")
    monkeypatch.delenv("SMTP_URL", raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def db(fresh_database: Urls) -> Iterator[Database]:
    set_clock(fresh_database.owner_url, WHEN)
    made = Database(fresh_database.app_url)
    yield made
    made.close()


def told(conn: type_connection, case: int, seq: int) -> set[int]:
    """The persons told of one event of the case."""
    text = "SELECT m.person_id FROM message m JOIN outbox o ON o.id = m.outbox_id WHERE o.case_id = %s AND o.seq = %s"
    rows = conn.execute(text, (case, seq)).fetchall()
    assert len(rows) == len(set(rows))
    return {row[0] for row in rows}


def attention(conn: type_connection) -> dict[str, str]:
    return dict(conn.execute("SELECT kind, sentence FROM attention WHERE closed_at IS NULL").fetchall())


def test_each_act_tells_the_desk_it_asks_and_those_it_informs(db: Database, conn: type_connection, who: Cast) -> None:
    elsewhere = cast(conn, "hk-sorachi", "012106")
    case = opened(conn, who, own_affairs="unknown")
    office, place, staff = (
        {who.bureau, who.bureau_colleague},
        {who.municipality, who.municipality_colleague},
        {who.staff, who.staff_colleague},
    )
    for action, audience in (
        ("submit", office),
        ("receive", {who.bureau_colleague} | place),
        ("consult", {who.headquarters, elsewhere.headquarters}),
        ("agree", office),
        ("propose_team", set()),
        ("put_to_director", {who.director}),
        ("approve", office | place | staff),
    ):
        done = drive(conn, who, case, action)
        outbox.deliver(db)
        assert told(conn, case, done.version) == audience, action


def test_a_post_that_has_ended_or_not_begun_hears_nothing(db: Database, conn: type_connection, who: Cast) -> None:
    person(conn, "bureau", who.office, until=date(2026, 11, 1))
    person(conn, "bureau", who.office, since=date(2026, 11, 3))
    today = person(conn, "bureau", who.office, since=date(2026, 11, 2), until=date(2026, 11, 2))
    case = opened(conn, who)
    drive(conn, who, case, "submit")
    outbox.deliver(db)
    assert told(conn, case, 1) == {who.bureau, who.bureau_colleague, today}


def test_two_posts_at_the_desk_make_one_mail(db: Database, conn: type_connection, who: Cast) -> None:
    factory.post(conn, who.bureau, "bureau", who.office, title="課長補佐")
    factory.post(conn, who.bureau, "director", who.office, title="局長")
    case = opened(conn, who)
    drive(conn, who, case, "submit")
    outbox.deliver(db)
    assert told(conn, case, 1) == {who.bureau, who.bureau_colleague}


def test_nobody_is_asked_for_what_is_done_already(db: Database, conn: type_connection, who: Cast) -> None:
    case = opened(conn, who)
    drive(conn, who, case, "submit", "receive")
    outbox.deliver(db)
    subjects = [
        row[0] for row in conn.execute("SELECT subject FROM message WHERE person_id = %s", (who.bureau_colleague,))
    ]
    assert len(subjects) == 1
    assert "検討して判断を求める" in subjects[0]


def test_a_missing_address_is_seen_and_holds_nobody_up(db: Database, conn: type_connection, who: Cast) -> None:
    conn.execute("UPDATE person SET mail = ' ' WHERE id = %s", (who.bureau,))
    case = opened(conn, who)
    drive(conn, who, case, "submit")
    outbox.deliver(db)
    assert told(conn, case, 1) == {who.bureau_colleague}
    sentence = attention(conn)["no_address"]
    assert "上川総合振興局 主査" in sentence
    assert "氏名" not in sentence
    drive(conn, who, case, "receive")
    assert attention(conn) == {}


def test_a_desk_where_nobody_sits_is_seen(db: Database, conn: type_connection, who: Cast) -> None:
    conn.execute("UPDATE tenure SET valid_to = %s WHERE person_id = %s", (date(2026, 11, 1), who.director))
    case = opened(conn, who)
    done = drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director")
    outbox.deliver(db)
    assert told(conn, case, done.version) == set()
    assert "上川総合振興局「派遣を判断する」" in attention(conn)["no_holder"]


def read(conn: type_connection, person_id: int) -> tuple[str, str]:
    row = conn.execute(
        "SELECT subject, body FROM message WHERE person_id = %s ORDER BY id DESC", (person_id,)
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def test_a_mail_says_what_to_do_and_by_when_and_nothing_else(db: Database, conn: type_connection, who: Cast) -> None:
    case = opened(conn, who)
    drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director")
    outbox.deliver(db)
    subject, body = read(conn, who.director)
    assert subject == "【Tobidashi】[派遣を判断する] 上川-R8-001 美瑛町(期限 11月6日(金))"
    head = conn.execute("SELECT encode(hash, 'hex') FROM event WHERE case_id = %s AND seq = 4", (case,)).fetchone()
    assert head is not None
    receipt = " ".join(head[0][i : i + 4] for i in (0, 4, 8, 12))
    for line in (
        "上川総合振興局 局長 様",
        "■ 派遣を判断する",
        "期限 11月6日(金) ・ あと3営業日",  # 3 November is a holiday
        "案件 上川-R8-001 美瑛町",
        "段階 決定 ・ 担当 上川総合振興局",
        f"https://tobidashi.example.lg.jp/cases/{case}",
        f"記録の控え: 上川-R8-001 第4版 {receipt}",
    ):
        assert line in body, line
    form = conn.execute("SELECT form FROM cases WHERE id = %s", (case,)).fetchone()
    names = [row[0] for row in conn.execute("SELECT name FROM person")]
    assert form is not None
    for hidden in (
        *names,
        form[0]["request"]["title"],
        form[0]["request"]["purpose"],
        *factory.TYPED["put_to_director"].values(),
    ):
        assert hidden not in subject + body, hidden


def test_those_who_are_only_informed_are_told_so(db: Database, conn: type_connection, who: Cast) -> None:
    case = opened(conn, who)
    drive(conn, who, case, "submit", "receive")
    outbox.deliver(db)
    subject, body = read(conn, who.municipality)
    assert subject == "【Tobidashi】上川-R8-001 美瑛町 「収受する」が行われました"
    assert "あなたの手番ではありません" in body
    assert "期限" not in body


def test_what_hides_or_breaks_a_line_is_shown(db: Database, conn: type_connection, who: Cast) -> None:
    case = opened(conn, who)
    drive(conn, who, case, "submit")
    conn.execute(
        "UPDATE post SET title = E'主査\\r\\nBcc: x@example.com\u202e' WHERE org_code = %s AND role = 'bureau'",
        (who.office,),
    )
    conn.execute("UPDATE organisation SET name = E'美瑛町\\n\\nSubject: 偽物' WHERE code = %s", (who.place,))
    outbox.deliver(db)
    subject, body = read(conn, who.bureau)
    assert "美瑛町 Subject: 偽物" in subject
    assert "主査 Bcc: x@example.com⟦U+202E⟧ 様" in body
    assert not [line for line in body.splitlines() if line.startswith(("Bcc", "Subject"))]


def test_the_message_id_is_the_same_each_time_and_another_for_everybody() -> None:
    row = Row(1, 7, 3, "notice", {}, "7:3:notice", 1)
    first = message_id(row, b"\x01" * 32, 5)
    assert first == message_id(Row(99, 7, 3, "notice", {}, "7:3:notice", 8), b"\x01" * 32, 5)
    assert len({first, message_id(row, b"\x01" * 32, 6), message_id(row, b"\x02" * 32, 5)}) == 3
    assert first.startswith("<")
    assert first.endswith("@tobidashi.invalid>")


def test_an_ended_party_is_not_told(db: Database, conn: type_connection, who: Cast) -> None:
    case = opened(conn, who)
    drive(conn, who, case, "submit")
    yesterday = cases.today(conn) - timedelta(days=1)
    conn.execute("UPDATE party SET valid_to = %s WHERE case_id = %s AND part = 'requester'", (yesterday, case))
    done = drive(conn, who, case, "receive")
    outbox.deliver(db)
    assert told(conn, case, done.version) == {who.bureau_colleague}


def test_the_report_asks_each_of_the_staff_by_name(
    db: Database, conn: type_connection, who: Cast, fresh_database: Any
) -> None:
    case = opened(conn, who)
    drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director", "approve")
    first = factory.first_day(conn)
    bystander = person(conn, "staff", who.office)
    for day, action in ((first, "begin"), (first + timedelta(days=3), "end")):
        set_clock(fresh_database.owner_url, datetime(day.year, day.month, day.day, 9, tzinfo=TOKYO))
        done = cases.act_by_clock(conn, case, action)
    assert done is not None
    outbox.deliver(db)
    assert told(conn, case, done.version) == {who.staff, who.staff_colleague, who.bureau, who.bureau_colleague}
    assert "[復命する]" in read(conn, who.staff)[0]
    assert "[結果を報告する]" in read(conn, who.bureau)[0]
    assert bystander not in told(conn, case, done.version)
