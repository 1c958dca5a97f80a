"""The search: every way of writing finds, words are found where they may be read and nowhere else, nothing stays stale."""

import random
import string
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from states.text import search_key
from tests import factory
from workflow import cases, comments, erase, excerpts, finding, search
from workflow.db import Database
from workflow.finding import BadWords, Wanted, words_of

ROAD = ("submit", "receive", "propose_team", "put_to_director", "approve")


def put_in(conn, who, *actions, **request) -> int:
    """A case driven so far, and ready for the search."""
    case_id = factory.opened(conn, who, **request)
    if actions:
        factory.drive(conn, who, case_id, *actions)
    search.refresh(conn, case_id)
    return case_id


def found(conn, who_asks: int, typed: str, **filters: Any) -> list[int]:
    """The cases that this person finds by what is typed, all of them."""
    reader, after, ids = factory.reader(conn, who_asks), "", list[int]()
    wanted = Wanted(words_of(typed), **filters)
    while True:
        page = finding.find(conn, reader, wanted, after=after, limit=3)
        ids += [row["case_id"] for row in page.rows]
        if not page.next:
            return ids
        after = page.next


def remark(conn, person: int, case_id: int, scope: str, body: str) -> None:
    comments.add(conn, factory.reader(conn, person), case_id, scope=scope, body=body, key=uuid4())


# ── ways of writing ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("髙橋さんのワークショップ", "高橋"), ("山﨑地区", "山崎"), ("渡邉邸の活用", "渡辺"), ("齋藤商店", "斎藤"), ("ﾆｾｺの景観", "ニセコ"),
        ("コンピューター教室", "こんぴゅーた"), ("コンピュータ教室", "コンピューター"), ("Ｗｏｒｋ Ｓｈｏｐ", "workshop"),
        ("葛\U000e0104の会", "葛の会"), ("海\u200b霧", "海霧"), ("ガイドマップ", "ｶﾞｲﾄﾞﾏｯﾌﾟ"), ("100%達成_計画\\案", "100%達成_計画\\案"),
        ("農と'食'の\"市\"", "'食'の\"市"), ("𠮷田", "吉田"), ("コーヒーの町", "ーヒー"), ("鰺ヶ沢", "鰺ケ沢"), ("🏔山の日", "🏔"),
    ],
)  # fmt: skip
def test_every_way_of_writing_finds(conn, who, written, typed):
    case_id = put_in(conn, who, "submit", title=written)
    assert found(conn, who.bureau, typed) == found(conn, who.municipality, typed) == [case_id]
    assert found(conn, who.bureau, typed + "無関係") == []


def test_wildcards_are_characters(conn, who):
    put_in(conn, who, "submit", title="道の駅")
    for typed in ("%", "_", "道%駅", "道_駅", "\\", "'", "道 & 海", "道|海", "!道", "道:*"):
        assert found(conn, who.bureau, typed) == [], typed


def test_offices_and_municipalities_are_found_by_reading_and_former_names(conn):
    okhotsk, oshima = factory.cast(conn, "hk-okhotsk", "012084"), factory.cast(conn, "hk-oshima", "013463")
    there, yakumo = put_in(conn, okhotsk, "submit"), put_in(conn, oshima, "submit")
    for typed in ("オホーツク", "ｵﾎｰﾂｸ", "おほーつく", "オホツク", "網走支庁", "オホーツク総合振興局"):
        assert found(conn, okhotsk.bureau, typed) == found(conn, okhotsk.auditor, typed) == [there], typed
    for typed in ("熊石町", "くまいし", "ｸﾏｲｼ", "八雲", "やくもちょう", "二海郡八雲町"):
        assert found(conn, oshima.bureau, typed) == found(conn, okhotsk.auditor, typed) == [yakumo], typed


def test_a_person_is_found_by_the_reading_of_the_name(conn, who):
    conn.execute("UPDATE person SET name = '髙橋(仮名)', kana = 'タカハシ ジロウ' WHERE id = %s", [who.staff])
    case_id = put_in(conn, who, *ROAD[:4])
    for typed in ("たかはし", "ﾀｶﾊｼ", "タカハシジロウ"):
        assert found(conn, who.director, typed) == [case_id], typed
        assert found(conn, who.municipality, typed) == []  # who is proposed is the office's own until it is decided
    factory.drive(conn, who, case_id, "approve")
    search.refresh(conn, case_id)
    assert found(conn, who.municipality, "たかはし") == [case_id]


def test_several_words_are_all_there_wherever_they_stand(conn, who):
    first = put_in(conn, who, *ROAD[:4], title="空き家の活用")
    put_in(conn, who, "submit", title="空き家の解体")
    remark(conn, who.bureau, first, "internal", "人員の都合を確かめる")
    search.refresh(conn, first)
    assert found(conn, who.bureau, "空き家　活用 美瑛") == [first]
    assert found(conn, who.director, "空き家 人員の都合") == [first]  # one is shared, the other stays inside
    assert found(conn, who.municipality, "空き家 人員の都合") == []
    assert found(conn, who.bureau, "活用空き家") == []  # a word never reaches from one text into another


def test_the_number_and_numbers_of_one_character(conn, who):
    case_id = put_in(conn, who, *ROAD[:2], title="川と湖")
    number = conn.execute("SELECT number FROM cases WHERE id = %s", [case_id]).fetchone()[0]
    assert found(conn, who.bureau, number) == found(conn, who.municipality, number.lower()) == [case_id]
    assert found(conn, who.bureau, "湖") == [case_id]
    assert found(conn, who.bureau, "竜") == []


@pytest.mark.parametrize("typed", ["", " ", "　", "\u200b", "\u200b \u3000"])
def test_nothing_typed_narrows_nothing(conn, who, typed):
    case_id = put_in(conn, who, "submit")
    assert words_of(typed) == ()
    assert found(conn, who.bureau, typed) == [case_id]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("x" * 10_000, "200字まで"), ("海\x00霧", "NUL"), ("\ud800", "サロゲート"), ("\x1b[31m", "エスケープ"), (" ".join(string.ascii_lowercase), "10語まで"),
    ],
)  # fmt: skip
def test_what_cannot_be_looked_for_is_told_in_a_sentence(typed, told):
    with pytest.raises(BadWords) as refused:
        words_of(typed)
    assert told in refused.value.sentence
    assert "ください" in refused.value.sentence


# ── who finds what ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_stays_inside_the_offices_is_found_by_nobody_outside(conn, who):
    case_id = put_in(conn, who, *ROAD[:3])
    longer = {"inputs": {"note": "起案の白樺", "reasons": {}}}
    factory.drive(conn, who, case_id, ("put_to_director", longer))
    back = {"inputs": {"reason": "見直しの水芭蕉"}}
    factory.drive(conn, who, case_id, ("send_back", back))
    remark(conn, who.bureau, case_id, "internal", "庁内の蝦夷松")
    remark(conn, who.bureau, case_id, "shared", "共有の蒲公英")
    search.refresh(conn, case_id)
    inside, shared = ("白樺", "水芭蕉", "蝦夷松"), ("蒲公英", "空き家")
    for person in (who.bureau, who.director, who.headquarters, who.auditor, who.records):
        assert all(found(conn, person, word) == [case_id] for word in (*inside, *shared)), person
    for word in inside:
        assert found(conn, who.municipality, word) == []
    for word in shared:
        assert found(conn, who.municipality, word) == [case_id]
    elsewhere = factory.cast(conn, "hk-sorachi", "012106")
    assert all(found(conn, who.staff, word) == [] for word in inside)
    other = factory.person(conn, "administrator", who.office)
    for person in (elsewhere.bureau, elsewhere.municipality, elsewhere.records, elsewhere.staff, other):
        assert all(found(conn, person, word) == [] for word in (*inside, *shared)), person


def test_who_goes_finds_the_case_but_not_what_was_deliberated(conn, who):
    case_id = put_in(conn, who, *ROAD)
    assert found(conn, who.staff, "空き家") == [case_id]
    assert found(conn, who.staff, "職員2名で対応できる") == []
    assert found(conn, who.director, "職員2名で対応できる") == [case_id]


def test_reasons_told_to_the_municipality_are_found_by_it(conn, who):
    case_id = put_in(conn, who, *ROAD[:4], "decline")
    assert found(conn, who.municipality, "時期が重なるため") == [case_id]
    assert found(conn, who.municipality, "人員が足りない") == []
    assert found(conn, who.bureau, "人員が足りない") == [case_id]


def test_a_post_of_an_office_and_one_of_a_municipality_read_each_case_in_its_own_way(conn, who):
    """One person with two posts: inside here, outside there."""
    elsewhere = factory.cast(conn, "hk-sorachi", "012106")
    factory.post(conn, who.bureau, "municipality", elsewhere.place)
    here, there = put_in(conn, who, *ROAD[:4]), put_in(conn, elsewhere, *ROAD[:4])
    assert found(conn, who.bureau, "空き家") == [there, here]
    assert found(conn, who.bureau, "職員2名で対応できる") == [here]


def test_a_draft_is_found_by_its_office_alone(conn, who):
    draft = put_in(conn, who)
    assert found(conn, who.municipality, "空き家") == found(conn, who.municipality_colleague, "空き家") == [draft]
    for person in (who.bureau, who.director, who.headquarters, who.auditor):
        assert found(conn, person, "空き家") == []


def test_counts_come_from_what_one_may_see(conn, who):
    elsewhere = factory.cast(conn, "hk-sorachi", "012106")
    mine, _ = put_in(conn, who, "submit"), put_in(conn, elsewhere, "submit")
    draft = put_in(conn, who)
    page = finding.find(conn, factory.reader(conn, who.bureau), Wanted(words_of("空き家")))
    assert page.total == 1
    assert page.facets["office"] == {who.office: 1}
    assert page.facets["place"] == {who.place: 1}
    page = finding.find(conn, factory.reader(conn, who.auditor), Wanted(words_of("空き家")))
    assert page.facets["office"] == {who.office: 1, "hk-sorachi": 1}
    page = finding.find(conn, factory.reader(conn, who.municipality), Wanted(words_of("空き家")))
    assert {row["case_id"] for row in page.rows} == {mine, draft}
    assert page.facets["ended"] == {"running": 2}


def test_where_a_word_stands_is_shown_from_what_the_reader_may_read(conn, who):
    case_id = put_in(conn, who, *ROAD[:4], title="丘の計画", purpose="丘の道と白樺並木を\n活かしたい。")
    remark(conn, who.bureau, case_id, "internal", "白樺は切らない")
    search.refresh(conn, case_id)

    def shown(person: int, typed: str) -> list[tuple[str, list[str]]]:
        page = finding.find(conn, factory.reader(conn, person), Wanted(words_of(typed)))
        told = excerpts.excerpts(conn, page.rows, words_of(typed))[case_id]
        return [(e.label, [text for text, hit in e.pieces if hit]) for e in told]

    assert shown(who.municipality, "白樺") == [("困っていること", ["白樺"])]
    assert shown(who.bureau, "切らない 並木") == [("困っていること", ["並木"]), ("庁内のやりとり", ["切らない"])]
    assert excerpts.marked("髙橋さんの丘", words_of("高橋 丘")) == [("髙橋", True), ("さんの", False), ("丘", True)]


def test_reports_are_looked_through_by_themselves(conn, who):
    case_id = put_in(conn, who, *ROAD, first=cases.today(conn), days=1, title="空き家")
    assert found(conn, who.bureau, "空き家", reports=True) == []
    form = {"result": {"results": "骨子ができた。白樺の道も決まった。"}}
    conn.execute(
        "UPDATE cases SET form = form || %s::jsonb, saves = saves + 1 WHERE id = %s",
        [psycopg.types.json.Jsonb(form), case_id],
    )
    search.refresh(conn, case_id)
    assert found(conn, who.bureau, "白樺", reports=True) == found(conn, who.bureau, "白樺の道 空き家") == [case_id]
    assert found(conn, who.bureau, "白樺 空き家", reports=True) == []


# ── filters and order ───────────────────────────────────────────────────────────────────────────────────────────────


def test_filters_narrow_words_and_lists_alike(conn, who):
    first, second = put_in(conn, who, *ROAD[:2]), put_in(conn, who, *ROAD[:4], ground="request.event")
    for typed in ("空き家", ""):
        assert found(conn, who.bureau, typed, states=("director_judgement",)) == [second]
        assert found(conn, who.bureau, typed, kind="request.plan") == [first]
        assert found(conn, who.bureau, typed, office=who.office, place=who.place, process="dispatch") == [second, first]
        assert found(conn, who.bureau, typed, origin="director") == found(conn, who.bureau, typed, year=1999) == []
        for person in (who.bureau, who.staff):
            assert found(conn, person, typed, person=who.staff) == [second]
        assert found(conn, who.municipality, typed, person=who.staff) == []  # who is proposed is the office's own


def test_the_next_due_come_first_and_ended_ones_not_at_all(conn, who):
    put = [
        put_in(conn, who, *ROAD[:2]),
        put_in(conn, who, "submit"),
        put_in(conn, who, *ROAD[:4], "decline"),
        put_in(conn, who, "submit"),
    ]
    for typed in ("空き家", ""):
        assert found(conn, who.bureau, typed, due_first=True) == [put[1], put[3], put[0]]


def test_long_lists_are_counted_to_the_cap_and_read_to_the_end(conn, who, monkeypatch):
    monkeypatch.setattr(finding, "MOST", 4)
    put = [put_in(conn, who, "submit") for _ in range(7)]
    for typed in ("空き家", ""):
        page = finding.find(conn, factory.reader(conn, who.bureau), Wanted(words_of(typed)), limit=2)
        assert (page.total, page.more, page.facets["process"]) == (4, True, {"dispatch": 4})
        assert found(conn, who.bureau, typed) == put[::-1]


def test_stretches_of_cases_leave_none_out(conn, who, monkeypatch):
    """Whatever blocks the cases fall into, and however long the stretches become."""
    monkeypatch.setattr(search, "BLOCKS", (0, 1, 2))
    put = [put_in(conn, who, "submit", title="丘" if number % 3 else "海") for number in range(14)]
    assert found(conn, who.bureau, "丘") == [case for number, case in enumerate(put) if number % 3][::-1]
    assert found(conn, who.bureau, "海") == put[::3][::-1]
    assert found(conn, who.bureau, "空") == put[::-1]


# ── freshness ───────────────────────────────────────────────────────────────────────────────────────────────────────


def entries(conn, case_id: int) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = conn.execute(
        "SELECT inside, mark, text FROM search_entry WHERE case_id = %s ORDER BY inside", [case_id]
    ).fetchall()
    return rows


def test_what_a_process_left_behind_is_caught_up(conn, who, db):
    old = put_in(conn, who, "submit")
    new = factory.opened(conn, who, title="後から")
    factory.drive(conn, who, old, "receive")
    remark(conn, who.bureau, old, "shared", "忘れられた藤")
    assert found(conn, who.bureau, "藤") == found(conn, who.municipality, "後から") == []
    assert search.catch_up(db) == 2
    assert found(conn, who.bureau, "藤") == [old]
    assert found(conn, who.municipality, "後から") == [new]
    assert search.catch_up(db) == 0


def test_every_old_entry_is_found_in_the_end(conn, who, db, monkeypatch):
    monkeypatch.setattr(search, "CHUNK", 2)
    put = [put_in(conn, who, "submit") for _ in range(7)]
    monkeypatch.setattr(search, "LATELY", "SELECT 1 WHERE false")
    conn.execute("UPDATE search_entry SET mark = '' WHERE case_id = ANY (%s)", [put[:3]])
    conn.execute("DELETE FROM search_entry WHERE case_id = %s AND inside", [put[4]])
    done = 0
    for _ in range(10):
        done += search.catch_up(db)
    assert done == 4
    assert all(len(entries(conn, case)) == 2 and entries(conn, case)[0][1] for case in put)


def test_an_older_state_never_covers_a_newer_one(conn, who):
    case_id = put_in(conn, who, "submit")
    (late,) = search.sources(conn, [case_id])
    factory.drive(conn, who, case_id, "receive")
    search.refresh(conn, case_id)
    before = entries(conn, case_id)
    text, grams = search.entry(search.of_entry(late.parts, inside=False), late.tags)
    row = {"case": [case_id], "inside": [False], "mark": [late.mark], "text": [text], "grams": ["[]"]}
    conn.execute(search.KEEP, row)
    assert entries(conn, case_id) == before
    assert grams


def test_one_bad_case_never_stops_the_others(conn, who, db, monkeypatch):
    put = [factory.opened(conn, who) for _ in range(3)]
    whole = search.sources

    def failing(conn: Any, some: Any) -> Any:
        if put[1] in some:
            raise psycopg.DataError
        return whole(conn, some)

    monkeypatch.setattr(search, "sources", failing)
    search.catch_up(db)
    assert [len(entries(conn, case)) for case in put] == [2, 0, 2]


def test_what_is_erased_is_gone_from_the_search_in_the_same_moment(conn, who, db: Database):
    case_id = put_in(conn, who, *ROAD[:2], title="消す件名", purpose="消す白樺")
    ((seq, ord_),) = conn.execute(
        "SELECT seq, ord FROM content WHERE case_id = %s AND kind = 'form:request'", [case_id]
    ).fetchall()
    assert found(conn, who.bureau, "白樺") == [case_id]
    erase.erase(db, who.records, case_id, [(seq, ord_)], ground="誤記のため")
    for person in (who.bureau, who.municipality, who.auditor):
        assert found(conn, person, "白樺") == found(conn, person, "消す件名") == []
    assert "白樺" not in str(entries(conn, case_id))
    (lexemes,) = conn.execute(
        "SELECT string_agg(grams::text, ' ') FROM search_entry WHERE case_id = %s", [case_id]
    ).fetchone()
    assert "白樺" not in lexemes


def test_a_draft_that_is_dropped_leaves_no_entry(conn, who):
    draft = put_in(conn, who)
    cases.delete_draft(conn, who.municipality, draft)
    assert entries(conn, draft) == []
    search.refresh(conn, draft)
    assert entries(conn, draft) == []


def test_names_of_files_are_found_by_who_may_have_the_file(conn, who):
    case_id = put_in(conn, who, "submit")
    for scope, name in (("shared", "藤の図面.pdf"), ("internal", "樅の見積.xlsx")):
        conn.execute(
            """INSERT INTO attachment (case_id, scope, label, name, media_type, size, sha256, org_code, added_by, added_at)
               VALUES (%s, %s, '', %s, 'application/pdf', 0, '', %s, %s, now())""",
            (case_id, scope, name, who.office, who.bureau),
        )
    search.refresh(conn, case_id)
    assert found(conn, who.bureau, "藤の図面 樅の見積") == found(conn, who.municipality, "藤の図面") == [case_id]
    assert found(conn, who.municipality, "樅") == []
    conn.execute("UPDATE attachment SET erased_seq = 1 WHERE name LIKE '藤%%'")
    search.refresh(conn, case_id)
    assert found(conn, who.bureau, "藤の図面") == []


def test_a_text_with_more_pairs_than_an_entry_holds_is_still_found(conn, who, monkeypatch):
    monkeypatch.setattr(search, "MOST_GRAMS", 60)
    kanji = [chr(code) for code in range(0x4E00, 0x4E00 + 500)]
    random.Random(1).shuffle(kanji)
    case_id = put_in(conn, who, "submit", purpose="".join(kanji))
    for at in (0, 250, 480):
        assert found(conn, who.bureau, "".join(kanji[at : at + 5])) == [case_id]
    assert found(conn, who.bureau, kanji[0] + kanji[2]) == []


# ── properties ──────────────────────────────────────────────────────────────────────────────────────────────────────

ANYTHING = st.text(st.characters(codec=None, categories=None, exclude_categories=()), max_size=60)
WRITTEN = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=40)
quick = settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(ANYTHING)
def test_whatever_is_typed_is_searched_for_or_refused_by_name(conn, who, typed):
    if not conn.execute("SELECT 1 FROM cases").fetchone():
        put_in(conn, who, "submit")
    try:
        words = words_of(typed)
    except BadWords:
        return
    page = finding.find(conn, factory.reader(conn, who.bureau), Wanted(words))
    excerpts.excerpts(conn, page.rows, words)
    finding.find(conn, factory.reader(conn, who.auditor), Wanted(words, reports=True))


@quick
@given(WRITTEN, st.data())
def test_any_part_of_what_one_may_read_is_found_and_nothing_else(conn, who, written, data):
    """A part is cut where the text may be cut: not between a character and the mark that belongs to it."""
    row = conn.execute("SELECT max(id) FROM cases").fetchone()
    draft = row[0] or factory.opened(conn, who)
    form = factory.request_form(conn, who, purpose=written)
    conn.execute(
        "UPDATE cases SET form = %s::jsonb, saves = saves + 1 WHERE id = %s", [psycopg.types.json.Jsonb(form), draft]
    )
    search.refresh(conn, draft)
    start = data.draw(st.integers(0, len(written) - 1))
    part = written[start : data.draw(st.integers(start + 1, len(written)))]
    whole, words = search_key(written), words_of(part)
    if all(word in whole for word in words):
        assert found(conn, who.municipality, part) == [draft]
    shown = {key for source in search.sources(conn, [draft]) for key in (search_key(p.text) for p in source.parts)}
    if not all(any(word in key for key in shown) for word in words):
        assert found(conn, who.municipality, part) == []
    assert found(conn, who.bureau, part) == []
