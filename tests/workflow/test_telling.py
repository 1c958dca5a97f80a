"""Who will be told is said before the act, by the code that tells afterwards."""

from datetime import date

import pytest

from tests import desk, factory
from tests.factory import Cast, drive, opened
from workflow import cases, outbox, telling
from workflow.db import Database, type_connection


def said(conn: type_connection, person: int, case: int) -> dict[str, str]:
    view = cases.look(conn, person, case)
    return telling.before(conn, person, case, view.offers)


def told(conn: type_connection, case: int, seq: int) -> set[str]:
    """The organisations of those who were mailed of one event."""
    text = """SELECT DISTINCT o.name FROM message m JOIN outbox x ON x.id = m.outbox_id JOIN tenure t ON t.person_id = m.person_id
      JOIN post p ON p.id = t.post_id JOIN organisation o ON o.code = p.org_code AND o.valid_to IS NULL WHERE x.case_id = %s AND x.seq = %s"""
    return {row[0] for row in conn.execute(text, (case, seq))}


ROAD = ("submit", "receive", "consult", "agree", "propose_team", "put_to_director", "approve")


def test_what_is_said_before_is_what_happens(db: Database, conn: type_connection, who: Cast) -> None:
    case = opened(conn, who, own_affairs="unknown")
    for action in ROAD:
        person = getattr(who, factory.DOES.get(action, "bureau"))
        line = said(conn, person, case)[action]
        done = drive(conn, who, case, action)
        outbox.deliver(db)
        names = {part.partition("(")[0].split(" ")[0] for part in line.split("、")} - {telling.NOBODY}
        assert names == told(conn, case, done.version), action


def test_posts_and_what_they_are_asked_are_named_and_nobodys_name(conn: type_connection, who: Cast) -> None:
    conn.execute("UPDATE post SET section = '地域政策課' WHERE org_code = %s AND role = 'bureau'", (who.office,))
    case = opened(conn, who)
    assert said(conn, who.municipality, case)["submit"] == "上川総合振興局"
    drive(conn, who, case, "submit")
    line = said(conn, who.bureau, case)["receive"]
    assert line == "上川総合振興局 地域政策課(検討して判断を求める)、美瑛町"
    drive(conn, who, case, "receive", "propose_team")
    assert said(conn, who.bureau, case)["put_to_director"] == "上川総合振興局(派遣を判断する)"


def test_an_empty_post_and_a_missing_address_are_said(conn: type_connection, who: Cast) -> None:
    case = opened(conn, who)
    drive(conn, who, case, "submit", "receive", "propose_team")
    conn.execute("UPDATE person SET mail = '' WHERE id = %s", (who.director,))
    line = said(conn, who.bureau, case)["put_to_director"]
    assert line == "上川総合振興局(派遣を判断する。メールアドレスの登録なし、受信箱にだけ出ます)"
    conn.execute("UPDATE tenure SET valid_to = %s WHERE person_id = %s", (date(2026, 1, 1), who.director))
    line = said(conn, who.bureau, case)["put_to_director"]
    assert line == "上川総合振興局「派遣を判断する」(いま就いている方がいません)"


def test_what_is_chosen_with_the_act_is_said_to_be_so(conn: type_connection, who: Cast) -> None:
    case = opened(conn, who)
    drive(conn, who, case, "submit", "receive")
    line = said(conn, who.bureau, case)["forward"]
    assert telling.CHOSEN in line
    assert "検討して" not in line


def test_a_municipality_or_a_post_that_is_picked_with_the_act_is_said_to_be_chosen_here(
    conn: type_connection, who: Cast
) -> None:
    case, answer = desk.received(conn, who), desk.published(conn, who, "空き家の補助", "補助があります。")
    for made, act in ((answer, "send_answer"), (case, "assign")):
        line = said(conn, who.bureau, made)[act].split("、")
        assert telling.CHOSEN in line, act
        assert not any("…" in part or "就いている方がいません" in part for part in line), act
    assert "受けるか" not in said(conn, who.bureau, case)["assign"], "it is the chosen post that is asked"


@pytest.mark.parametrize("kept", [("submit", "receive"), ("submit", "receive", "ask_correction"), ROAD])
def test_it_is_said_of_every_act_that_anybody_has(conn: type_connection, who: Cast, kept: tuple[str, ...]) -> None:
    case = opened(conn, who, own_affairs="unknown" if "consult" in kept else "no")
    drive(conn, who, case, *kept)
    readers = (who.municipality, who.bureau, who.director, who.headquarters)
    for person in (*readers, who.staff) if "approve" in kept else readers:
        view = cases.look(conn, person, case)
        lines = telling.before(conn, person, case, view.offers)
        assert set(lines) == {offer.action.name for offer in view.offers}
        assert all(lines.values())
