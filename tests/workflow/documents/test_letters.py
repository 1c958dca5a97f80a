"""Letters: words from the case as it stood, filed once however many deliver, shown as filed, erased when erased."""

import threading
from typing import Any

import pytest

from tests.factory import drive, opened, person
from tests.workflow.documents.year import Bureau
from workflow import cases
from workflow.db import Database
from workflow.documents import letters
from workflow.erase import erase
from workflow.loading import NotFound
from workflow.verify import verify

KEY = "decision_notice"


def approved(bureau: Bureau, **request: Any) -> int:
    days = ["2025-06-02〜2025-06-03", "2025-06-03"]
    return bureau.decided(
        "2025-05-07", days, period=("2025-06-02", "2025-06-04"), title="<b>計画</b>&づくりの助言", **request
    )


def decision_seq(bureau: Bureau, case_id: int, action: str = "approve") -> int:
    row = bureau.conn.execute("SELECT seq FROM event WHERE case_id = %s AND action = %s", (case_id, action)).fetchone()
    assert row is not None
    return int(row[0])


def filed(bureau: Bureau, case_id: int) -> list[Any]:
    return bureau.conn.execute(
        "SELECT seq, ord FROM content WHERE case_id = %s AND kind LIKE 'letter:%%' ORDER BY seq", (case_id,)
    ).fetchall()


def test_the_letter_says_who_to_whom_what_and_when(bureau: Bureau) -> None:
    case_id = approved(bureau)
    page = letters.render(bureau.conn, case_id, KEY, None)
    for text in (
        "上川第1号", "令和7年5月7日", "美瑛町長 様", "北海道上川総合振興局長", "下記のとおり職員を派遣することに決定しました",
        "&lt;b&gt;計画&lt;/b&gt;&amp;づくりの助言", "令和7年6月2日(月)から令和7年6月4日(水)まで", "6月2日〜3日", "上川-R7-001",
    ):  # fmt: skip
        assert text in page
    assert "<b>" not in page
    assert "まだ綴じられていません" in page


def test_a_letter_is_filed_once_as_an_event_of_its_own(bureau: Bureau) -> None:
    case_id = approved(bureau)
    seq = decision_seq(bureau, case_id)
    version = cases.look(bureau.conn, bureau.who.bureau, case_id).version
    assert letters.file(bureau.conn, case_id, KEY, seq)
    assert letters.file(bureau.conn, case_id, KEY, seq)
    assert [row[0] for row in filed(bureau, case_id)] == [version + 1]
    page = letters.render(bureau.conn, case_id, KEY, bureau.who.municipality)
    assert f"記録{version + 1}号に綴じた文書" in page
    assert "まだ綴じられていません" not in page
    assert verify(bureau.db).whole


def test_however_many_deliver_one_letter_is_filed(bureau: Bureau) -> None:
    case_id = approved(bureau)
    seq, start = decision_seq(bureau, case_id), threading.Barrier(8)
    db = Database(bureau.app_url, pool_size=8)

    def deliver() -> None:
        with db.connection() as conn:
            start.wait()
            while not letters.file(conn, case_id, KEY, seq):
                pass

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.close()
    assert len(filed(bureau, case_id)) == 1


def test_a_filed_letter_stays_as_it_was_when_the_case_goes_on(bureau: Bureau) -> None:
    case_id = approved(bureau)
    seq = decision_seq(bureau, case_id)
    members = bureau.team(["2025-06-02〜2025-06-03", "2025-06-03"])
    members["team"]["members"][0]["name"] = "あとで代わった人"
    drive(bureau.conn, bureau.who, case_id, ("record_consent", {"form": members}))
    # Filed late: it is written from the case as it stood at the decision.
    assert letters.file(bureau.conn, case_id, KEY, seq)
    page = letters.render(bureau.conn, case_id, KEY, None)
    assert "派遣1（仮名）" in page
    assert "あとで代わった人" not in page


def test_declining_gives_the_reason_for_outside_and_never_the_one_for_inside(bureau: Bureau) -> None:
    bureau.on("2025-05-07")
    case_id = opened(bureau.conn, bureau.who)
    reasons = {"reason": "同じ時期の派遣が重なるため。\nご了承ください。", "internal_reason": "局内だけの事情"}
    drive(
        bureau.conn, bureau.who, case_id, "submit", "receive", "propose_team", "put_to_director", ("decline", {"inputs": reasons})
    )  # fmt: skip
    for _ in range(2):
        page = letters.render(bureau.conn, case_id, "decline_notice", bureau.who.municipality)
        assert "同じ時期の派遣が重なるため。<br>ご了承ください。" in page
        assert "派遣しないことに決定しました" in page
        assert "局内だけの事情" not in page
        assert letters.file(bureau.conn, case_id, "decline_notice", decision_seq(bureau, case_id, "decline"))
    with pytest.raises(NotFound):
        letters.render(bureau.conn, case_id, KEY, None)


def test_who_may_not_see_the_case_finds_no_letter(bureau: Bureau) -> None:
    case_id = approved(bureau)
    stranger = person(bureau.conn, "municipality", "014605")
    for key, reader in ((KEY, stranger), ("no_such_letter", bureau.who.bureau)):
        with pytest.raises(NotFound):
            letters.render(bureau.conn, case_id, key, reader)


def test_an_erased_letter_names_the_record_that_erased_it(bureau: Bureau) -> None:
    case_id = approved(bureau)
    seq = decision_seq(bureau, case_id)
    letters.file(bureau.conn, case_id, KEY, seq)
    gone = erase(bureau.db, bureau.who.records, case_id, filed(bureau, case_id), ground="誤記")
    page = letters.render(bureau.conn, case_id, KEY, bureau.who.municipality)
    assert f"消去済み(記録{gone}号)" in page
    assert "美瑛町長" not in page
    assert letters.file(bureau.conn, case_id, KEY, seq)
    assert len(filed(bureau, case_id)) == 1
    assert verify(bureau.db).whole


def test_a_letter_written_after_erasure_shows_what_was_erased(bureau: Bureau) -> None:
    case_id = approved(bureau)
    rows = bureau.conn.execute(
        "SELECT seq, ord FROM content WHERE case_id = %s AND kind = 'form:team'", (case_id,)
    ).fetchall()
    gone = erase(bureau.db, bureau.who.records, case_id, rows, ground="誤記")
    assert letters.file(bureau.conn, case_id, KEY, decision_seq(bureau, case_id))
    assert f"消去済み(記録{gone}号)" in letters.render(bureau.conn, case_id, KEY, None)


CHANGE = {
    "kind": "shorten",
    "reason_code": "municipality",
    "reason": "会場が1日だけになった。",
    "period": {"from": "", "to": "2025-06-02"},
}


def test_a_change_is_told_with_what_was_and_what_is(bureau: Bureau) -> None:
    case_id = approved(bureau)
    team = bureau.team(["2025-06-02"])["team"]["members"]
    drive(
        bureau.conn, bureau.who, case_id, ("propose_change", {"form": {"change": CHANGE | {"members": team}}}), ("approve_change", {"inputs": {}})
    )  # fmt: skip
    page = letters.render(bureau.conn, case_id, "change_notice", bureau.who.municipality)
    for text in (
        "上川第2号", "令和7年5月7日付け上川第1号で通知した職員の派遣について、", "短縮", "会場が1日だけになった。", "変更前 6月2日〜6月4日", "変更後 6月2日",
        "派遣2（仮名）の派遣日", "外れる",
    ):  # fmt: skip
        assert text in page, text
    assert letters.file(bureau.conn, case_id, "change_notice", decision_seq(bureau, case_id, "approve_change"))
    assert verify(bureau.db).whole


def test_a_cancellation_tells_its_reason_and_that_nobody_went(bureau: Bureau) -> None:
    case_id = approved(bureau)
    drive(bureau.conn, bureau.who, case_id, ("cancel", {"inputs": {"reason": "町の予定がなくなったため。"}}))
    page = letters.render(bureau.conn, case_id, "cancel_notice", bureau.who.municipality)
    for text in ("上川第2号", "中止することに決定しました", "町の予定がなくなったため。", "派遣した日はありません"):
        assert text in page, text


def test_a_cancellation_by_a_change_tells_the_reason_of_the_change(bureau: Bureau) -> None:
    case_id = bureau.begun(approved(bureau), "2025-06-02")
    given_up = {"kind": "cancel", "reason_code": "danger", "reason": "熊が出た。"}
    drive(
        bureau.conn,
        bureau.who,
        case_id,
        ("propose_change", {"form": {"change": given_up}}),
        ("approve_change", {"inputs": {}}),
    )
    page = letters.render(bureau.conn, case_id, "cancel_notice", bureau.who.municipality)
    for text in ("危険", "熊が出た。", "令和7年6月2日(月)まで"):
        assert text in page, text


def test_a_stop_is_told_when_it_is_ratified(bureau: Bureau) -> None:
    case_id = bureau.begun(approved(bureau), "2025-06-02")
    drive(bureau.conn, bureau.who, case_id, "stop", ("ratify", {"inputs": {"note": "またの機会に。"}}))
    page = letters.render(bureau.conn, case_id, "stop_notice", bureau.who.municipality)
    for text in ("緊急に停止し", "天候・災害", "暴風雪のため。", "令和7年6月2日(月)まで", "またの機会に。"):
        assert text in page, text
