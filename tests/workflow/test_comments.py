"""Remarks: shared or inside, told without their words, part of no version; what is inside reaches no municipality at all."""

import re
import threading
from typing import Any
from uuid import uuid4

import pytest

from states.kernel import Refused
from tests import factory
from tests.papers import remark, rows
from workflow import cases, comments, outbox
from workflow.comments import LONGEST
from workflow.loading import NotFound
from workflow.reach import reach
from workflow.verify import verify


@pytest.fixture
def case(conn, who):
    made = factory.opened(conn, who)
    factory.drive(conn, who, made, "submit", "receive")
    return made


def seen(db, conn, person_id, case_id):
    view = cases.look(conn, person_id, case_id)
    beside = reach(view.roles, view.may_read, view.version if view.ended else None)
    return [found.body for found in comments.listed(conn, case_id, beside)]


def test_remarks_are_read_by_whom_they_are_for(db, conn, who, case):
    factory.drive(conn, who, case, "propose_team", "put_to_director", "approve")
    remark(db, who.bureau, case, "局内の相談", scope="internal")
    remark(db, who.municipality, case, "日程が決まりました")
    remark(db, who.staff, case, "準備を始めました", scope="internal")
    for inner in (who.bureau, who.director, who.headquarters, who.staff, who.auditor, who.records):
        assert seen(db, conn, inner, case) == ["準備を始めました", "日程が決まりました", "局内の相談"]
    for outer in (who.municipality, who.municipality_colleague):
        assert seen(db, conn, outer, case) == ["日程が決まりました"]


def test_a_remark_moves_no_version_and_keeps_the_names_of_that_day(db, conn, who, case, owner):
    before = rows(conn, "SELECT version, head, acted_at, form FROM cases")
    remark(db, who.bureau, case, "電話で聞きました")
    owner.execute("UPDATE person SET name = '改姓した人' WHERE id = %s", (who.bureau,))
    assert rows(conn, "SELECT version, head, acted_at, form FROM cases") == before
    ((names, org),) = rows(conn, "SELECT names, org_code FROM comment")
    assert names["office"] == "上川総合振興局"
    assert names["actor"] not in ("", "改姓した人")
    assert org == who.office
    assert verify(db).whole


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "何も書かれていません"), (" \n\t ", "何も書かれていません"), ("あ" * (LONGEST + 1), "4,001文字"), ("a\x00b", "NUL"), ("a\x07b", "ベル"),
        ("a\x1bb", "エスケープ"), ("a\ud800b", "サロゲート"), ("a\ufffe", "U+FFFE"), ("a" * 11_000, "11,000文字"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_with_its_field(db, conn, who, case, body, said):
    with pytest.raises(Refused, match=re.escape(said)) as refusal:
        remark(db, who.bureau, case, body)
    assert [v.field for v in refusal.value.verdicts] == ["text"]
    assert rows(conn, "SELECT 1 FROM comment") == rows(conn, "SELECT 1 FROM outbox WHERE kind = 'remark'") == []


@pytest.mark.parametrize(
    "body",
    ["あ" * LONGEST, "  字下げ\n\t表\n\n末尾  ", "<b>&amp;</b> =1+1 \u202e髙﨑𠮷 👨‍👩‍👧", "'; DROP TABLE cases; --"],
)
def test_what_was_typed_is_kept_to_the_letter(db, conn, who, case, body):
    remark(db, who.bureau, case, body)
    assert seen(db, conn, who.municipality, case) == [body]


def test_the_same_form_twice_is_one_remark_and_one_mail(db, conn, who, case):
    key = uuid4()
    made = [remark(db, who.bureau, case, "一度だけ", key=key) for _ in range(2)]
    assert made[0] == made[1]
    assert rows(conn, "SELECT count(*) FROM comment") == [(1,)]
    assert rows(conn, "SELECT count(*) FROM outbox WHERE kind = 'remark'") == [(1,)]
    with pytest.raises(cases.KeyReused):
        remark(db, who.bureau, case, "ほかの内容", key=key)


def test_two_windows_at_once_write_one_remark(db, conn, who, case):
    key, barrier, made = uuid4(), threading.Barrier(4), []

    def write() -> None:
        barrier.wait(30)
        made.append(remark(db, who.bureau, case, "同時に", key=key))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(made) == 4
    assert len(set(made)) == 1
    assert rows(conn, "SELECT count(*) FROM comment") == [(1,)]


@pytest.mark.parametrize(("who_else", "scope"), [("auditor", "shared"), ("auditor", "internal"), ("records", "internal"), ("municipality", "internal"), ("municipality", ""), ("bureau", "public")])  # fmt: skip
def test_nobody_writes_where_he_does_not_belong(db, conn, who, case, who_else, scope):
    with pytest.raises(Refused) as refusal:
        remark(db, getattr(who, who_else), case, "書けない", scope=scope)
    assert refusal.value.kind == "role"
    assert rows(conn, "SELECT 1 FROM comment") == []


def test_a_draft_has_no_remarks_and_a_foreign_case_does_not_exist(db, conn, who, case):
    draft = factory.opened(conn, who)
    with pytest.raises(Refused):
        remark(db, who.municipality, draft, "まだ早い")
    for stranger in (factory.person(conn, "municipality", "014583"), factory.person(conn, "bureau", "hk-sorachi")):
        with pytest.raises(NotFound):
            remark(db, stranger, case, "よその案件")


def test_an_ended_party_reads_nothing_newer_and_writes_nothing(db, conn, who, case, owner):
    remark(db, who.bureau, case, "前のこと")
    factory.drive(conn, who, case, "propose_team")
    owner.execute("UPDATE party SET valid_to = CURRENT_DATE, until_seq = 3 WHERE part = 'requester'")
    remark(db, who.bureau, case, "後のこと")
    assert seen(db, conn, who.municipality, case) == ["前のこと"]
    with pytest.raises(Refused):
        remark(db, who.municipality, case, "もう書けない")


def test_an_erased_remark_keeps_its_place(db, conn, who, case):
    made = remark(db, who.bureau, case, "消すべき氏名")
    comments.erase(conn, case, made, 3)
    assert seen(db, conn, who.municipality, case) == [None]
    assert rows(conn, "SELECT body, erased_seq, names ->> 'office' FROM comment") == [(None, 3, "上川総合振興局")]


# ── told ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def told(db: Any, conn: Any, made: int) -> dict[int, str]:
    """Person → the whole mail about this remark."""
    outbox.deliver(db)
    text = """SELECT m.person_id, m.subject || m.body FROM message m JOIN outbox o ON o.id = m.outbox_id
              WHERE o.kind = 'remark' AND (o.payload ->> 'remark')::bigint = %s"""
    return dict(rows(conn, text, made))


def test_a_shared_remark_tells_the_other_side_and_not_a_word_of_it(db, conn, who, case):
    mails = told(db, conn, remark(db, who.bureau, case, "電話番号は0166です"))
    assert set(mails) == {who.municipality, who.municipality_colleague}
    number = rows(conn, "SELECT number FROM cases")[0][0]
    for text in mails.values():
        assert number in text
        assert "やりとり" in text
        assert "0166" not in text
        assert "氏名" not in text
        assert f"/cases/{case}" in text


def test_a_municipalitys_remark_tells_the_bureaus_desk(db, conn, who, case):
    made = remark(db, who.municipality, case, "日程が決まりました")
    assert set(told(db, conn, made)) == {who.bureau, who.bureau_colleague}


def test_headquarters_remark_tells_both(db, conn, who, case):
    made = remark(db, who.headquarters, case, "資料をお送りします")
    assert set(told(db, conn, made)) == {who.municipality, who.municipality_colleague, who.bureau, who.bureau_colleague}


@pytest.mark.parametrize("writer", ["bureau", "director", "headquarters"])
def test_an_internal_remark_tells_the_offices_desk_alone_but_its_writer(db, conn, who, case, writer):
    made = remark(db, getattr(who, writer), case, "局内の検討", scope="internal")
    assert set(told(db, conn, made)) == {who.bureau, who.bureau_colleague} - {getattr(who, writer)}


def test_a_joint_requests_partners_and_co_offices_are_told_and_ended_ones_are_not(db, conn, who, case, owner):
    partner = factory.person(conn, "municipality", "014583")
    gone = factory.person(conn, "municipality", "014605")
    helping = factory.person(conn, "bureau", "hk-sorachi")
    for org, part, until in (
        ("014583", "partner", None),
        ("014605", "partner", "2026-04-01"),
        ("hk-sorachi", "co_office", None),
    ):
        owner.execute(
            "INSERT INTO party (case_id, org_code, part, valid_from, valid_to, until_seq) VALUES (%s, %s, %s, '2026-04-01', %s, %s)",
            (case, org, part, until, 1 if until else None),
        )  # fmt: skip
    mails = told(db, conn, remark(db, who.municipality, case, "三町で相談しました"))
    assert set(mails) == {partner, helping, who.bureau, who.bureau_colleague}
    assert gone not in mails
    inner = told(db, conn, remark(db, who.bureau, case, "局内の相談", scope="internal"))
    assert set(inner) == {helping, who.bureau_colleague}
    assert seen(db, conn, helping, case) == ["局内の相談", "三町で相談しました"]
    assert seen(db, conn, partner, case) == ["三町で相談しました"]
