"""What became of a notice is seen on the case: all of it by the offices, by a municipality what concerns its own people."""

from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.conftest import Database as Urls
from tests.factory import Cast, drive, opened, set_clock
from tests.mail_server import MailServer, free_port, serving
from workflow import deliveries, mail, outbox, preferences
from workflow.db import Database, type_connection
from workflow.deadlines import TOKYO
from workflow.preferences import MORNING, Preference
from workflow.settings import settings


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    monkeypatch.setattr(mail, "SECONDS", 0.5)
    with serving() as made:
        monkeypatch.setenv("SMTP_URL", made.url)
        settings.cache_clear()
        yield made
    settings.cache_clear()


def told(conn: type_connection, case: int, seq: int, orgs: list[str] | None = None) -> str:
    return deliveries.of_events(conn, case, [seq], orgs=orgs).get(seq, "")


def test_sent_and_not_yet_and_refused(
    db: Database, conn: type_connection, who: Cast, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = opened(conn, who)
    drive(conn, who, case, "submit")
    assert told(conn, case, 1) == "これから送ります"
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{free_port()}")
    settings.cache_clear()
    outbox.deliver(db)
    assert told(conn, case, 1).startswith("まだ送れていません(メールサーバーに渡せません")
    assert told(conn, case, 1).endswith("上川総合振興局 2人")
    monkeypatch.setenv("SMTP_URL", server.url)
    settings.cache_clear()
    server.handler.refuse = lambda address: "550 no such user" if address.startswith("bureau.3") else None
    conn.execute("UPDATE outbox SET next_at = now() WHERE done_at IS NULL")
    outbox.deliver(db)
    said = told(conn, case, 1)
    assert "送りました: 上川総合振興局 1人" in said
    assert "送れませんでした(メールサーバーが受け取りません(550 no such user)): 上川総合振興局 1人" in said
    assert told(conn, case, 1, [who.place]) == ""  # nobody of the municipality was told of it
    drive(conn, who, case, "receive")
    server.handler.refuse = lambda address: None
    outbox.deliver(db)
    assert told(conn, case, 2, [who.place]) == "送りました: 美瑛町 2人"
    assert told(conn, case, 2) == "送りました: 上川総合振興局 1人、美瑛町 2人"


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
    assert "まとめて送ります(11月4日(水) 8:45): 上川総合振興局 1人" in told(conn, case, 1)
    conn.execute("UPDATE message SET gathered = false, sent_at = now()")
    assert "送れませんでした(メールアドレスの登録がありません)" in told(conn, case, 1)
    assert "メールアドレス" not in told(conn, case, 1, [who.office])  # to those outside only what concerns their own
