"""Codes that were picked from lists are read by their names: in what an act wrote, in differences, in what an auditor takes out."""

import csv
import io
from datetime import date

import pytest

from states import catalogue
from states.kernel import Refused
from tests import desk, factory
from workflow import cases, differences, export, story
from workflow.access import actor
from workflow.called import Called, teller

OTHER = "014583"  # 東川町
SOMU, NOSEI = "hk-somu", "hk-nosei"


def written(conn, person: int, case: int) -> list[tuple[str, str]]:
    return [
        (p["label"], p["text"]) for line in story.timeline(conn, cases.look(conn, person, case)) for p in line["shown"]
    ]


def name_of(conn, code: str) -> str:
    found = conn.execute("SELECT name FROM organisation WHERE code = %s AND valid_to IS NULL", (code,)).fetchone()
    return str(found[0])


def test_what_was_picked_with_an_act_stands_by_its_name_in_the_story_and_in_the_file(db, conn, who) -> None:
    made = desk.published(conn, who, "空き家の補助", "補助があります。")
    desk.act(conn, who.bureau, made, "send_answer", to=OTHER)
    told = written(conn, who.bureau, made)
    assert ("市町村", "東川町") in told
    assert OTHER not in {text for _, text in told}
    conn.commit()
    reader = actor(conn, who.auditor)
    assert reader
    keys = export.take(conn, who.auditor, "events.csv")
    lines = list(csv.reader(io.StringIO(b"".join(export.as_csv(db, reader, keys)).decode("utf-8-sig"))))
    assert [line[11] for line in lines if line[5] == "市町村に渡す"] == ["市町村: 東川町"]


def test_an_office_that_a_case_was_given_to_stands_by_its_name(conn, who) -> None:
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit")
    desk.act(conn, who.bureau, case, "forward", office="hk-sorachi", reason="管内の団体です")
    assert ("転送先の振興局", name_of(conn, "hk-sorachi")) in written(conn, who.municipality, case)


def test_differences_are_told_by_names_in_rows_and_fields(conn, who) -> None:
    post = factory.post(conn, who.bureau_colleague, "bureau", factory.OFFICE, title="主査", section="商工労働観光課")
    lines = differences.between(
        teller(conn, catalogue.process("coordination")),
        {"distribution": {"items": [{"department": SOMU}]}, "request": {"municipality": factory.MUNICIPALITY}},
        {"distribution": {"items": [{"department": NOSEI}]}, "request": {"municipality": OTHER}},
    )
    assert {line[1:] for line in lines} == {
        ("美瑛町", "東川町"),
        (f"部: {name_of(conn, SOMU)}", f"部: {name_of(conn, NOSEI)}"),
    }
    told = differences.between(
        teller(conn, catalogue.process("opinion")),
        {"handling": {"owner": ""}},
        {"handling": {"owner": str(post)}},
    )
    assert told == [("担当の職", "", "商工労働観光課 主査")]
    plan = teller(conn, catalogue.process("round_table"))("plan.municipalities", f"{factory.MUNICIPALITY} {OTHER}")
    assert plan[1] == "美瑛町、東川町"


def test_what_is_no_code_and_what_nobody_knows_stays_as_it_was_written(conn) -> None:
    called = Called(conn)
    assert [called("post", "12x"), called("text", OTHER), called("department", "?"), called("person", "9" * 30)] == [
        "12x", OTHER, "?", "9" * 30,
    ]  # fmt: skip
    assert [called("post", None), called("tick", True), called("municipality", "")] == [None, True, ""]


def test_what_no_list_offers_is_refused_and_nothing_is_changed(conn, who) -> None:
    table = cases.open_case(conn, who.bureau, "round_table", "office", {"plan": {"name": "丘の会", "municipalities": factory.MUNICIPALITY, "held_on": "2027-01-20"}})  # fmt: skip
    desk.act(conn, who.bureau, table, "plan")
    desk.act(conn, who.bureau, table, "request_help", what="制度の説明")
    (asked,) = conn.execute("SELECT id FROM cases WHERE parent_id = %s", (table,)).fetchone()
    before = cases.look(conn, who.headquarters, asked).version
    for strange in ("hk-nowhere", factory.OFFICE, "hk-somu "):
        with pytest.raises(Refused) as refusal:
            desk.act(conn, who.headquarters, asked, "distribute", {"distribution": {"items": [{"department": NOSEI}, {"department": strange}]}})  # fmt: skip
        assert "「部」に、いまは選べないものが入っています" in refusal.value.sentence
        assert [verdict.field for verdict in refusal.value.verdicts] == ["distribution.items.1.department"]
    assert cases.look(conn, who.headquarters, asked).version == before
    desk.act(conn, who.headquarters, asked, "distribute", {"distribution": {"items": [{"department": SOMU}]}})
    # A department that is closed down stays where it was asked; another time it is not chosen any more.
    closed = date(2020, 3, 31)
    conn.execute("UPDATE organisation SET valid_to = %s WHERE code = %s", (closed, SOMU))
    both = {"distribution": {"items": [{"department": NOSEI}, {"department": SOMU}], "due": "2027-03-01"}}
    desk.act(conn, who.headquarters, asked, "redistribute", both)
    assert cases.look(conn, who.headquarters, asked).form["distribution"]["items"] == both["distribution"]["items"]
