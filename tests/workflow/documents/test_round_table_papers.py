"""The papers of a round table: the report and the list of opinions, each for the offices and to be given out."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from docx import Document
from docx.table import Table
from docx.text.paragraph import Paragraph
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from states import catalogue
from states.kernel import Refused
from tests import factory, round_table
from tests.papers import PNG, attach
from tests.round_table import NOTES, PLAN, act
from tests.workflow.test_round_table import children, days
from workflow import attachments, cases, erase, finding, karte, search, verify
from workflow.db import Database
from workflow.documents import records
from workflow.finding import Wanted, words_of
from workflow.loading import NotFound, load
from workflow.queries import database_now
from workflow.reach import reach

NAME, CONSENTING, SPOKEN, SECRET = "丘上太郎", "丘下花子", "いやあ困る", "要件を緩めてほしい"
SECTIONS = (
    "日時", "場所・視察先", "テーマ", "出席者", "実施形態", "主な意見", "把握した資源・人材・種や芽", "今後の対応", "本庁調整を要する事項", "写真", "所感",
)  # fmt: skip
PUBLIC_SECTIONS = (*SECTIONS[:7], "いただいた御意見への対応", "写真")
PEOPLE: list[dict[str, Any]] = [
    {"role": "農業者A", "name": f"{NAME}（仮名）", "affiliation": "丘の会"},
    {"role": "保護者B", "name": f"{CONSENTING}（仮名）", "by_name": True, "photo": True},
]


@pytest.fixture
def told(conn: Any, who: Any) -> int:
    """Held and confirmed: three opinions, of which the first and the second may be published; photos of two people."""
    plan = PLAN | {"plan": PLAN["plan"] | {"from": "13:30", "to": "15:00", "visit": "丘の道"}}
    plan["region_side"] = {"items": [{"role": row["role"], "kind": "key_person"} for row in PEOPLE]}
    plan["people"] = {"items": PEOPLE}
    case = round_table.invited(conn, who, plan)
    round_table.hold(conn, who, case, [row | {"public": number < 2} for number, row in enumerate(NOTES)])
    round_table.report(
        conn, who, case,
        report={"summary": "農道と観光について意見があった。", "resources": "丘の会の案内人", "impressions": "次は冬に。", "masked": True},
        photos={"items": [{"file": "丘.png", "who": "なし", "public": True}, {"file": "内輪.png", "who": "農業者A"}]},
    )  # fmt: skip
    return case


@pytest.fixture
def take(conn: Any) -> Callable[[int, int, str], bytes]:
    def taken(person: int, case: int, key: str) -> bytes:
        return records.taken(conn, person, cases.look(conn, person, case), key)[2]

    return taken


def text(data: bytes) -> str:
    """Everything that stands in the document, in its order."""
    return "\n".join(_blocks(data))


def _blocks(data: bytes) -> Iterator[str]:
    book = Document(io.BytesIO(data))
    for part in book.iter_inner_content():
        if isinstance(part, Paragraph):
            yield part.text
        else:
            assert isinstance(part, Table)
            yield from ("\t".join(cell.text for cell in row.cells) for row in part.rows)


def headings(data: bytes) -> list[str]:
    lines = [line.text for line in Document(io.BytesIO(data)).paragraphs]
    return [line.partition(" ")[2] for line in lines if line[:1].isdigit()]


def book(data: bytes) -> Workbook:
    return load_workbook(io.BytesIO(data))


def rows(found: Workbook) -> list[dict[str, Any]]:
    head, *lines = list(found["意見一覧"].iter_rows(min_row=4, values_only=True))
    return [dict(zip(map(str, head), line, strict=True)) for line in lines]


def whole(found: Workbook) -> str:
    return "\n".join(str(cell.value or "") for sheet in found for row in sheet.iter_rows() for cell in row)


def test_the_report_has_its_sections_and_says_names_to_the_bureau_alone(who, told, take):
    bureau, headquarters = (take(person, told, "report") for person in (who.bureau, who.headquarters))
    assert headings(bureau) == headings(headquarters) == [*SECTIONS]
    for words in (
        "13:30〜15:00",
        "視察先: 丘の道",
        "農道と観光",
        "局長",
        "振興局長",
        "座談会・円卓会議",
        "丘の会の案内人",
        "国の制度を確かめる",
        "次は冬に。",
        "内輪.png",
    ):
        assert words in text(bureau), words
        assert words in text(headquarters), words
    for words in (NAME, SPOKEN, "局内限り", "名前を出す同意なし"):
        assert words in text(bureau), words
        assert words not in text(headquarters), words


def test_what_is_given_out_is_the_same_for_everybody_and_names_only_who_agreed(conn, who, told, take):
    given = {person: take(person, told, "report_public") for person in (who.bureau, who.headquarters, who.municipality)}
    assert len({text(data) for data in given.values()}) == 1
    said = text(given[who.municipality])
    assert headings(given[who.municipality]) == [*PUBLIC_SECTIONS]
    for words in (CONSENTING, "農道に車が停まる", "講習の日程をお伝えした", "丘.png", "対応を進めています"):
        assert words in said, words
    for words in (NAME, SPOKEN, SECRET, "所感", "次は冬に", "内輪.png", "国の制度を確かめる"):
        assert words not in said, words
    offered = {r.key for r in records.offered(cases.look(conn, who.municipality, told))}
    assert offered == {"report_public", "opinions_public"}
    for key in ("report", "opinions"):
        with pytest.raises(NotFound):
            take(who.municipality, told, key)


def test_before_the_report_stands_only_the_bureau_has_it(conn, who, take):
    case = round_table.invited(conn, who)
    round_table.hold(conn, who, case, [NOTES[0] | {"public": True}, NOTES[2]])
    assert SPOKEN in text(take(who.director, case, "report"))
    public = text(take(who.director, case, "report_public"))
    assert NOTES[0]["summary"] in public
    assert NOTES[2]["summary"] not in public
    for person in (who.headquarters, who.municipality):
        assert records.offered(cases.look(conn, person, case)) == []


def test_the_list_has_a_row_for_each_opinion_and_a_sheet_for_machines(conn, who, told, take):
    bureau, headquarters = (book(take(person, told, "opinions")) for person in (who.bureau, who.headquarters))
    assert [row["番号"] for row in rows(bureau)] == ["1", "2", "3"]
    assert rows(bureau)[0]["言葉のまま"] == SPOKEN
    assert "言葉のまま" not in rows(headquarters)[0]
    assert rows(headquarters)[0]["いま"] == "取扱い未定"
    head, *data = headquarters["データ"].iter_rows(values_only=True)
    assert [dict(zip(head, row, strict=True))["種類コード"] for row in data] == ["issue", "chance", "request"]
    given = book(take(who.municipality, told, "opinions_public"))
    assert [row["意見の要旨"] for row in rows(given)] == ["農道に車が停まる", "案内をしたい"]
    for words in (NAME, SPOKEN, SECRET):
        assert words not in whole(given)


def test_the_answers_are_given_out_once_the_region_was_told(conn, who, told, take):
    first, *others, follow_up = children(conn, told)
    act(conn, who.bureau, first, "handle", {"handling": {"way": "bureau", "due": days(conn)}})
    act(conn, who.bureau, first, "report", text="看板を立てた。")
    act(conn, who.bureau, first, "answer", {"answer": {"grade": "A", "text": "看板を立てました。"}})
    for one in others:
        act(conn, who.bureau, one, "handle", {"handling": {"way": "information"}})
    act(conn, who.headquarters, follow_up, "return_request", reason="局の所管である。")
    assert rows(book(take(who.headquarters, told, "opinions")))[0]["地域への回答"] == "看板を立てました。"
    assert rows(book(take(who.municipality, told, "opinions_public")))[0]["地域への回答"] is None
    act(conn, who.bureau, told, "tell_region", {"feedback": {"text": "1 看板を立てました。", "way": "letter"}})
    assert rows(book(take(who.municipality, told, "opinions_public")))[0]["地域への回答"] == "看板を立てました。"
    assert "1 看板を立てました。" in text(take(who.municipality, told, "report_public"))


def test_a_merged_opinion_counts_where_it_went(conn, who, told, take):
    first, second, third = children(conn, told)[:3]
    number = {case: load(conn, case, who.bureau).row.number for case in (first, second, third)}
    act(conn, who.bureau, third, "merge", same_as=number[second])
    with pytest.raises(Refused, match="まとめる先を改めて"):
        act(conn, who.bureau, first, "merge", same_as=number[third])
    act(conn, who.bureau, second, "merge", same_as=number[first])
    listed = rows(book(take(who.headquarters, told, "opinions")))
    assert [row["同じ意見(件)"] for row in listed] == ["2", None, None]
    (given,) = rows(book(take(who.municipality, told, "opinions_public")))
    assert (given["意見の要旨"], given["同じ意見(件)"]) == ("農道に車が停まる(ほかに同じ意見2件)", "2")


def test_what_its_speaker_takes_back_is_gone_everywhere(db: Database, conn, who, told, take):
    """The bureau ends the opinion; the records officer erases its words from both cases, in one recorded act."""
    opinion = children(conn, told)[0]
    words = "農道に車が停まる"
    act(conn, who.bureau, opinion, "withdraw", reason="本人から電話があった。")
    given = text(take(who.municipality, told, "report_public")) + whole(
        book(take(who.municipality, told, "opinions_public"))
    )
    assert words not in given, "what was taken back is given out no more, before anything is erased"
    choices = {
        case: erase.Choice(
            frozenset(
                conn.execute(
                    "SELECT seq, ord FROM content WHERE case_id = %s AND convert_from(data, 'UTF8') LIKE %s",
                    (case, f"%{words}%"),
                ).fetchall()
            )
        )
        for case in (told, opinion)
    }
    erase.erase_all(db, who.records, choices, ground="発言した人の申出による。", words=[words, SPOKEN])
    papers = [take(who.bureau, told, key) for key in ("report", "report_public")]
    lists = [book(take(who.bureau, told, key)) for key in ("opinions", "opinions_public")]
    everything = "".join([*map(text, papers), *map(whole, lists)])
    assert words not in everything
    assert SPOKEN not in everything
    assert NOTES[1]["summary"] in everything, "the others stay"
    for case in (told, opinion):
        assert words not in str(cases.look(conn, who.bureau, case).form)
    search.catch_up(db)
    reader = factory.reader(conn, who.bureau)
    assert not finding.find(conn, reader, Wanted(words_of(words))).rows
    lines = karte.lines(conn, reader, [factory.MUNICIPALITY], database_now(conn))
    assert words not in str(lines)
    assert not verify.run(db).breaks


def test_a_picture_that_others_will_have_needs_the_consent_of_who_is_on_it(db, conn, who, told):
    """A picture for the bureau alone is taken; one for the municipality only as the bureau has written it down."""
    beside = reach(frozenset({"municipality"}), lambda kind: True)
    attach(db, who.bureau, told, PNG, name="内輪.png", scope="internal")
    for name in ("内輪.png", "知らない.png"):
        with pytest.raises(Refused, match="写っている人の同意"):
            attach(db, who.bureau, told, PNG + name.encode(), name=name)
    attach(db, who.bureau, told, PNG + b"1", name="丘.png")
    assert [file.name for file in attachments.listed(conn, told, beside)] == ["丘.png"]
    photos = {"photos": {"items": [{"file": "話.png", "who": "農業者A、保護者B", "public": True}]}}
    with pytest.raises(Refused, match=r"写真を出す同意を書いていない人が写っています\(農業者A\)"):
        act(conn, who.bureau, told, "list_photos", photos)
    agreed = {"people": {"items": [row | {"photo": True} for row in PEOPLE]}}
    act(conn, who.bureau, told, "list_photos", photos | agreed)
    attach(db, who.bureau, told, PNG + b"2", name="話.png")


def test_no_record_of_another_kind_is_offered(conn, who, told):
    assert records.offered(cases.look(conn, who.bureau, children(conn, told)[0])) == []
    assert {r.key for r in catalogue.process("round_table").documents.records} == {
        "report", "report_public", "opinions", "opinions_public",
    }  # fmt: skip
