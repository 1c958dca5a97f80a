"""What became of a notice is seen on the case: all of it by the offices, by a municipality what concerns its own people."""

from datetime import date, datetime
from uuid import uuid4

import pytest

from tests.conftest import Database as Urls
from tests.factory import Cast, drive, opened, reader, set_clock
from tests.mail_server import MailServer, free_port
from tests.workflow.conftest import Clock
from workflow import comments, deliveries, outbox, preferences, watch
from workflow.db import Database, type_connection
from workflow.deadlines import TOKYO
from workflow.preferences import MORNING, Preference
from workflow.settings import settings


def told(conn: type_connection, case: int, seq: int, orgs: list[str] | None = None) -> str:
    return deliveries.of_events(conn, case, [seq], orgs=orgs).get(seq, "")


def test_sent_and_not_yet_and_refused(
    db: Database, conn: type_connection, who: Cast, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = opened(conn, who)
    drive(conn, who, case, "submit")
    assert told(conn, case, 1) == "届け中(まもなく送ります)"
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{free_port()}")
    settings.cache_clear()
    outbox.deliver(db)
    assert told(conn, case, 1).startswith("届け中(メールサーバーに渡せません")
    assert told(conn, case, 1).endswith("上川総合振興局 2人")
    monkeypatch.setenv("SMTP_URL", server.url)
    settings.cache_clear()
    server.handler.refuse = lambda address: "550 no such user" if address.startswith("bureau.3") else None
    conn.execute("UPDATE outbox SET next_at = now() WHERE done_at IS NULL")
    outbox.deliver(db)
    said = told(conn, case, 1)
    assert "届いた: 上川総合振興局 1人" in said
    assert (
        "届かなかった(メールサーバーが受け取りません(550 no such user))・係が確かめています: 上川総合振興局 1人" in said
    )
    assert told(conn, case, 1, [who.place]) == ""  # nobody of the municipality was told of it
    drive(conn, who, case, "receive")
    server.handler.refuse = lambda address: None
    outbox.deliver(db)
    assert told(conn, case, 2, [who.place]) == "届いた: 美瑛町 2人"
    assert told(conn, case, 2) == "届いた: 上川総合振興局 1人、美瑛町 2人"


def test_what_is_gathered_says_when_and_a_missing_address_is_said(
    db: Database, conn: type_connection, who: Cast, fresh_database: Urls
) -> None:
    set_clock(fresh_database.owner_url, datetime(2026, 11, 2, 9, tzinfo=TOKYO))
    preferences.choose(conn, who.bureau, Preference(MORNING))
    conn.execute("UPDATE person SET mail = '' WHERE id = %s", (who.bureau_colleague,))
    case = opened(conn, who)
    drive(conn, who, case, "submit")
    outbox.deliver(db)
    # The 3rd is a holiday.
    assert "届け中(11月4日(水) 8:45 にまとめて送ります): 上川総合振興局 1人" in told(conn, case, 1)
    conn.execute("UPDATE message SET gathered = false, sent_at = now()")
    assert "届かなかった(メールアドレスの登録がありません)・係が確かめています" in told(conn, case, 1)
    assert "メールアドレス" not in told(conn, case, 1, [who.office])  # to those outside only what concerns their own


def test_what_failed_is_somebody_s_only_while_it_is_called(
    db: Database, conn: type_connection, who: Cast, server: MailServer
) -> None:
    server.handler.refuse = lambda address: "550 no such user" if address.startswith("municipality") else None
    case = opened(conn, who)
    drive(conn, who, case, "submit", "receive")
    outbox.deliver(db)
    assert told(conn, case, 2, [who.place]) == "届かなかった・係が確かめています: 美瑛町 2人"
    drive(conn, who, case, "propose_team")  # the next act has made it pointless
    assert told(conn, case, 2, [who.place]) == "届かなかった: 美瑛町 2人"


def test_remarks_are_told_in_the_same_words(db: Database, conn: type_connection, who: Cast, server: MailServer) -> None:
    case = opened(conn, who)
    drive(conn, who, case, "submit", "receive")
    outbox.deliver(db)
    shared = comments.add(
        conn, reader(conn, who.municipality), case, scope="shared", body="日程の相談です。", key=uuid4()
    )
    inner = comments.add(conn, reader(conn, who.bureau), case, scope="internal", body="局内の覚え。", key=uuid4())
    asked = [shared, inner]
    assert deliveries.of_remarks(conn, case, asked) == dict.fromkeys(asked, "届け中(まもなく送ります)")
    server.handler.refuse = lambda address: "550 gone" if address.startswith("bureau.3") else None
    outbox.deliver(db)
    said = deliveries.of_remarks(conn, case, asked)
    assert "届いた: 上川総合振興局 1人" in said[shared]
    assert (
        "届かなかった(メールサーバーが受け取りません(550 gone))・係が確かめています: 上川総合振興局 1人" in said[shared]
    )
    assert said[inner] == "届いた: 上川総合振興局 1人", "its writer is told of nothing"
    assert deliveries.of_remarks(conn, case, asked, orgs=[who.place]) == {}


def test_reminders_are_told_beside_the_events(
    db: Database, conn: type_connection, clock: Clock, who: Cast, server: MailServer
) -> None:
    clock.at(date(2041, 6, 3))  # a Monday to come: while a demonstration plays in the past, nothing is sent
    case = opened(conn, who)
    drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director")
    outbox.deliver(db)
    clock.at(date(2041, 6, 5))  # the director has until the 6th
    watch.remind(db)
    (one,) = deliveries.of_reminders(conn, case)
    assert (one.kind, one.holder, one.rung, one.said) == ("judgement", "director", -1, "届け中(まもなく送ります)")
    server.handler.refuse = lambda address: "550 gone" if address.startswith("director") else None
    conn.execute("UPDATE outbox SET next_at = now() WHERE done_at IS NULL")
    outbox.deliver(db)
    assert [one.said for one in deliveries.of_reminders(conn, case)] == [
        "届かなかった(メールサーバーが受け取りません(550 gone))・係が確かめています: 上川総合振興局 1人"
    ]
    assert deliveries.of_reminders(conn, case, orgs=[who.place]) == []
    other = opened(conn, who)
    drive(conn, who, other, "submit")
    assert deliveries.of_reminders(conn, other) == []
