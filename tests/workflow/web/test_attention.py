"""The 要対応 board, and the page on which everybody says how they want to be told."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from tests import factory
from tests.factory import Cast, drive, opened
from tests.mail_server import MailServer, serving
from workflow import accounts, comments, db, digests, outbox, troubles, watch
from workflow.db import Database
from workflow.deadlines import TOKYO
from workflow.settings import settings
from workflow.web import attention as board


@pytest.fixture
def server(web: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    with serving() as made:
        monkeypatch.setenv("SMTP_URL", made.url)
        settings.cache_clear()
        yield made


@pytest.fixture
def base(web: Any) -> Database:
    return db.database()


def signed(web: Any, conn: Any, person: int) -> tuple[TestClient, str]:
    conn.execute(
        "INSERT INTO account (person_id, login, password_hash, failures, disabled) VALUES (%s, %s, '', 0, false)",
        (person, f"p{person}"),
    )
    session = accounts.open_session(conn, person)
    client: TestClient = web.client()
    client.cookies.set("tobidashi", session.token)
    return client, session.csrf


def failing(conn: Any) -> list[int]:
    return [row[0] for row in conn.execute("SELECT id FROM outbox WHERE done_at IS NOT NULL AND trouble IS NOT NULL")]


def test_a_refused_address_has_an_owner_and_is_sent_again_to_the_address_as_it_is_now(
    web: Any, base: Database, conn: Any, who: Cast, server: MailServer
) -> None:
    server.handler.refuse = lambda address: "550 no such user" if address.startswith("bureau.3") else None
    case = opened(conn, who, title="知られてはならない件名")
    drive(conn, who, case, "submit", "receive", "propose_team", ("ask_correction", {"by": who.bureau_colleague}))
    drive(conn, who, case, "resubmit")
    outbox.deliver(base)
    administrator, csrf = signed(web, conn, factory.person(conn, "administrator", factory.HEADQUARTERS))
    shown = administrator.get("/attention")
    assert "上川総合振興局" in shown.text
    assert "550 no such user" in shown.text
    assert "上川-R8-001" in shown.text or "R8-001" in shown.text
    assert "知られてはならない件名" not in shown.text
    assert f"/cases/{case}" not in shown.text
    (row,) = failing(conn)
    conn.execute("UPDATE person SET mail = 'new.address@example.lg.jp' WHERE id = %s", (who.bureau,))
    before = len(server.handler.ids)
    answer = administrator.post(f"/attention/{row}/retry", data={"csrf": csrf})
    assert (answer.status_code, answer.headers["location"]) == (303, "/attention?done=again")
    assert administrator.post(f"/attention/{row}/retry", data={"csrf": csrf}).headers["location"].endswith("already")
    assert conn.execute("SELECT count(*) FROM outbox WHERE done_at IS NULL").fetchone() == (1,)  # never a storm
    outbox.deliver(base)
    assert server.handler.recipients[-1] == "new.address@example.lg.jp"
    assert len(server.handler.ids) == before + 1  # whom it had reached gets it no second time
    assert failing(conn) == []
    assert "届けられなかった知らせはありません" in administrator.get("/attention").text


def test_an_office_sees_its_own_and_sends_them_again(web: Any, base: Database, conn: Any, who: Cast) -> None:
    conn.execute("UPDATE person SET mail = '' WHERE id = %s", (who.bureau_colleague,))
    case = opened(conn, who)
    drive(conn, who, case, "submit")
    outbox.deliver(base)
    (row,) = failing(conn)
    officer, csrf = signed(web, conn, who.bureau)
    shown = officer.get("/attention")
    assert f"/cases/{case}" in shown.text
    assert "メールアドレスの登録がありません" in shown.text
    assert "動いているか" not in shown.text
    assert "届けられなかった知らせを見て" in officer.get("/inbox").text
    other, other_csrf = signed(web, conn, factory.person(conn, "bureau", "hk-sorachi"))
    assert "届けられなかった知らせはありません" in other.get("/attention").text
    assert other.post(f"/attention/{row}/retry", data={"csrf": other_csrf}).status_code == 404
    conn.execute("UPDATE person SET mail = 'found@example.lg.jp' WHERE id = %s", (who.bureau_colleague,))
    assert officer.post(f"/attention/{row}/retry", data={"csrf": csrf}).status_code == 303
    outbox.deliver(base)
    found = conn.execute("SELECT address FROM message WHERE person_id = %s", (who.bureau_colleague,)).fetchall()
    assert found == [("found@example.lg.jp",)]
    assert conn.execute("SELECT count(*) FROM attention WHERE closed_at IS NULL").fetchone() == (0,)
    municipality, _ = signed(web, conn, who.municipality)
    assert municipality.get("/attention").status_code == 404


def test_a_digest_that_failed_is_one_line_and_one_row(
    web: Any, base: Database, conn: Any, who: Cast, server: MailServer
) -> None:
    conn.execute("INSERT INTO preference VALUES (%s, 'morning', true, now())", (who.bureau,))
    for _ in range(3):
        drive(conn, who, opened(conn, who), "submit")
    outbox.deliver(base)
    conn.execute("UPDATE message SET made_at = now() - interval '20 days' WHERE gathered")
    digests.gather(base)
    server.handler.refuse = lambda address: "550 gone" if address.startswith("bureau.3") else None
    outbox.deliver(base)
    administrator, csrf = signed(web, conn, factory.person(conn, "administrator", factory.HEADQUARTERS))
    assert administrator.get("/attention").text.count("もう一度送る") == 1
    server.handler.refuse = lambda address: None
    (row,) = failing(conn)
    administrator.post(f"/attention/{row}/retry", data={"csrf": csrf})
    outbox.deliver(base)
    assert failing(conn) == []
    assert "すること 3件" in server.handler.accepted[-1]["Subject"]
    assert conn.execute("SELECT count(*) FROM attention WHERE closed_at IS NULL").fetchone() == (0,)


def test_what_waits_and_what_is_late_is_counted_by_office(web: Any, base: Database, conn: Any, who: Cast) -> None:
    drive(conn, who, opened(conn, who), "submit")
    conn.execute("UPDATE outbox SET next_at = now() - interval '20 minutes'")
    conn.execute("UPDATE deadline SET due_at = now() - interval '3 days'")
    conn.execute(
        """INSERT INTO report_job (process, report, office, fiscal_year, asked_by, asked_at, tries, done, total)
           VALUES ('x', 'y', %s, 2026, %s, now() - interval '1 hour', 0, 0, 0)""",
        (who.office, who.bureau),
    )
    administrator, _ = signed(web, conn, factory.person(conn, "administrator", factory.HEADQUARTERS))
    text = administrator.get("/attention").text
    assert "知らせと文書 1件が、10分より長く手を付けられていません" in text
    assert "上川総合振興局の報告の様式 1件が10分より長く待っています" in text
    assert [(r["office"], r["holder"], r["count"]) for r in troubles.overdue(conn)] == [("上川総合振興局", "bureau", 1)]
    assert "まだ一度も動いていません" in text
    for name in board.WORKS:
        watch.beat(base, name)
    assert administrator.get("/attention").text.count("動いています") >= len(board.WORKS)


def test_signs_say_what_stands_still_and_what_to_do() -> None:
    fresh = dict.fromkeys(board.WORKS, 3.0)
    assert {sign.kind for sign in board.signs(fresh, "ok", 0.0)} == {"ok"}
    assert any("2時間前" in sign.advice for sign in board.signs(dict.fromkeys(board.WORKS, 7200.0), "ok", 0.0))
    (one, *_) = board.signs(fresh | {"deliver": 600.0}, "ok", 0.0)
    assert (one.what, one.kind) == ("知らせと文書の配送", "stop")
    assert "worker の記録" in one.advice
    (away, *_) = board.signs(fresh, "away", 0.0)
    assert "Redis" in away.what
    assert any("5秒進んで" in sign.advice for sign in board.signs(fresh, "ok", 5.2))


TICKED = frozenset(board.WORKS) - {watch.BEAT, "check"}  # what beat sends and a worker does


@pytest.mark.parametrize(
    ("still", "broker", "at_fault", "advice"),
    [
        (TICKED | {watch.BEAT}, "ok", {"時計(beat)。仕事を時刻どおりに送り出す"}, "beat を1つ起動し直してください"),
        (TICKED, "ok", {"裏方(worker)。送り出された仕事を行う"}, "worker を起動し直してください"),
        (TICKED, "away", {"仕事の受け渡し(Redis)"}, "Redis(または Valkey)を起動し直してください"),
        (TICKED | {watch.BEAT}, "away", {"仕事の受け渡し(Redis)"}, "Redis(または Valkey)を起動し直してください"),
        ({"compile"}, "ok", {"報告の様式の作成"}, "worker の記録"),
    ],
)
def test_the_board_names_the_one_that_is_at_fault(
    still: set[str], broker: str, at_fault: set[str], advice: str
) -> None:
    pulses = {name: 600.0 if name in still else 3.0 for name in board.WORKS}
    found = board.signs(pulses, broker, 0.0)
    stopped = [sign for sign in found if sign.kind == "stop"]
    assert {sign.what for sign in stopped} == at_fault
    assert all(advice in sign.advice for sign in stopped)
    waiting = [sign for sign in found if sign.kind == "warn"]
    assert len(waiting) + len(stopped) == len(still) + (broker != "ok")
    assert all("先に" in sign.advice or "worker を起動すると" in sign.advice for sign in waiting)


def test_beat_is_missed_before_what_it_sends() -> None:
    """Else a dead beat would for some seconds look like a dead worker, whose last sign is ten seconds older at most."""
    assert board.WORKS[watch.BEAT][1] + 10 < board.WORKS[watch.WORKER][1]


def test_a_remark_and_a_reminder_to_a_bad_address_have_an_owner_and_are_sent_again(
    web: Any, base: Database, conn: Any, who: Cast, server: MailServer, fresh_database: Any
) -> None:
    factory.set_clock(fresh_database.owner_url, datetime(2041, 6, 3, 9, tzinfo=TOKYO))
    case = opened(conn, who)
    drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director")
    outbox.deliver(base)
    server.handler.refuse = lambda address: "550 no such user" if address.startswith(("director", "bureau.3")) else None
    factory.set_clock(fresh_database.owner_url, datetime(2041, 6, 5, 9, tzinfo=TOKYO))
    watch.remind(base)
    comments.add(
        conn, factory.reader(conn, who.municipality), case, scope="shared", body="日程の相談です。", key=uuid4()
    )
    outbox.deliver(base)
    officer, csrf = signed(web, conn, who.bureau)
    shown = officer.get("/attention").text
    for told in ("期限の知らせ", "やりとりの知らせ", "550 no such user", f'href="/cases/{case}"', "上川総合振興局"):
        assert told in shown, told
    assert (
        "メールが届かなかった" in officer.get("/inbox").text or "受け取られませんでした" in officer.get("/inbox").text
    )
    conn.execute(
        "UPDATE person SET mail = 'mended.' || id || '@example.lg.jp' WHERE id = ANY (%s)",
        ([who.director, who.bureau],),
    )
    before, rows = len(server.handler.ids), failing(conn)
    assert len(rows) == 2
    for row in rows:
        assert officer.post(f"/attention/{row}/retry", data={"csrf": csrf}).headers["location"].endswith("again")
    outbox.deliver(base)
    assert sorted(server.handler.recipients[before:]) == sorted(
        f"mended.{person}@example.lg.jp" for person in (who.director, who.bureau)
    )
    assert failing(conn) == []
    assert conn.execute("SELECT count(*) FROM attention WHERE closed_at IS NULL").fetchone() == (0,)


def test_a_wrong_clock_of_the_host_is_seen(web: Any, conn: Any) -> None:
    assert troubles.clock_difference(conn) == 0.0
    ahead = troubles.clock_difference(conn, lambda: datetime.now(UTC) + timedelta(seconds=30))
    assert 29 < ahead < 31


def test_everybody_says_how_they_want_to_be_told(web: Any, conn: Any, who: Cast) -> None:
    client, csrf = signed(web, conn, who.municipality)
    first = client.get("/preferences")
    assert 'value="at_once" id="mail" checked' in first.text
    assert "/preferences" in client.get("/inbox").text
    refused = client.post("/preferences", data={"csrf": csrf, "mail": "pigeon"})
    assert refused.status_code == 422
    assert "受け取り方を選んでください" in refused.text
    kept = client.post("/preferences", data={"csrf": csrf, "mail": "twice"})
    assert kept.status_code == 303
    again = client.get(kept.headers["location"])
    assert 'value="twice" checked' in again.text
    assert 'name="informed" value="yes" id="informed" checked' not in again.text
    assert "次のまとめは" in again.text
    rows = conn.execute("SELECT person_id, mail, informed FROM preference").fetchall()
    assert rows == [(who.municipality, "twice", False)]
