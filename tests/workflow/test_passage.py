"""How a consultation went from one to another: every step on record, in words on the page, and for the office alone."""

from typing import Any

import pytest

from tests import desk, factory
from workflow import cases, queries, verify
from workflow.web import declared


@pytest.fixture
def sections(conn: Any) -> dict[str, str]:
    """Two posts of the office, by section."""
    found = {}
    for section in ("商工労働観光課", "農務課"):
        person = factory.person(conn, "bureau", factory.OFFICE, section=section, title="係長")
        (post,) = conn.execute("SELECT post_id FROM tenure WHERE person_id = %s", (person,)).fetchone()
        found[section] = str(post)
    return found


def said(conn: Any, person: int, case: int) -> list[str]:
    reader = declared.Reader(conn, cases.look(conn, person, case), str, {})
    lines = [line for part in reader.sections() for table in part.tables for line in table.lines]
    assert all(day for day, _ in lines)
    return [text for _, text in lines]


def test_each_step_is_told_in_a_sentence(db, conn, who, sections):
    tourism, farming = sections["商工労働観光課"], sections["農務課"]
    case = desk.received(conn, who, "農家の納屋を宿に")
    desk.act(conn, who.bureau, case, "keep", reason="どの課か調べる。")
    desk.act(conn, who.bureau, case, "assign", post=tourism, section="観光係")
    desk.act(conn, who.bureau, case, "refuse", reason="納屋は農務課の所管である。")
    desk.act(conn, who.bureau, case, "assign", post=farming)
    desk.act(conn, who.bureau, case, "accept")
    desk.act(conn, who.bureau, case, "hand_over", post=tourism, reason="宿の話になった。")
    assert said(conn, who.bureau, case) == [
        "担当が決まらず、窓口が預かりました(どの課か調べる。)",
        "窓口が、商工労働観光課 係長・観光係に割り振りました",
        "商工労働観光課 係長が断り、窓口に戻しました(納屋は農務課の所管である。)",
        "窓口が、農務課 係長に割り振りました",
        "農務課 係長が受けました",
        "農務課 係長が、商工労働観光課 係長に引き継ぎました(宿の話になった。)",
    ]
    assert said(conn, who.municipality, case) == []
    assert said(conn, who.headquarters, case) == []
    assert not verify.run(db).breaks


def test_a_section_goes_with_the_post_that_it_was_named_with(conn, who, sections):
    case = desk.received(conn, who)
    desk.act(conn, who.bureau, case, "assign", post=sections["商工労働観光課"], section="観光係")
    desk.act(conn, who.bureau, case, "accept")
    desk.act(conn, who.bureau, case, "hand_over", post=sections["農務課"], reason="所管が違う。")
    owner = cases.look(conn, who.bureau, case).form["owner"]
    assert (owner["post"], owner["section"]) == (sections["農務課"], "")


def test_only_what_sends_somebody_on_is_counted(conn, who, sections):
    """Kept, assigned and accepted: nobody was turned away, so the head is not asked."""
    case = desk.received(conn, who)
    desk.act(conn, who.bureau, case, "keep", reason="調べる。")
    desk.act(conn, who.bureau, case, "assign", post=sections["農務課"])
    desk.act(conn, who.bureau, case, "refuse", reason="所管でない。")
    assert case not in {row["case_id"] for row in queries.inbox(conn, who.director).rows}
    desk.act(conn, who.bureau, case, "take")
    desk.act(conn, who.bureau, case, "hand_over", post=sections["農務課"], reason="やはり。")
    desk.act(conn, who.bureau, case, "refuse", reason="所管でない。")
    assert case in {row["case_id"] for row in queries.inbox(conn, who.director).rows}
