"""Earlier cases beside the one at hand: the most alike first, only those the reader may see, with how they ended."""

from typing import Any

from states import catalogue
from tests import factory
from workflow import search, similar

ROAD = ("submit", "receive", "propose_team", "put_to_director")
PROCESS = catalogue.process("dispatch")


def put_in(conn: Any, who: Any, *actions: Any, **request: Any) -> int:
    case_id = factory.opened(conn, who, **request)
    if actions:
        factory.drive(conn, who, case_id, *actions)
    search.refresh(conn, case_id)
    return case_id


def beside(conn: Any, person: int, form: Any, **more: Any) -> list[dict[str, Any]]:
    return similar.earlier(conn, factory.reader(conn, person), PROCESS, form, **more)


def test_the_same_municipality_and_like_titles_come_first(conn, who):
    neighbour = factory.cast(conn, who.office, "014583")
    same = put_in(conn, who, *ROAD, "decline", title="漁港の景観")
    alike = put_in(conn, neighbour, "submit", title="空き家を生かす移住計画の助言")
    put_in(conn, neighbour, "submit", title="熊の出没への備え", ground="request.event")
    form = factory.request_form(conn, who, title="空き家を生かす移住計画づくり")
    assert [row["case_id"] for row in beside(conn, who.bureau, form)] == [alike, same]
    again = put_in(conn, who, *ROAD, title="空き家を生かす移住計画づくりの助言")
    assert [row["case_id"] for row in beside(conn, who.director, form)] == [again, alike, same]
    assert [row["case_id"] for row in beside(conn, who.director, form, besides=again)] == [alike, same]


def test_a_municipality_sees_its_own_and_nothing_of_its_neighbour(conn, who):
    neighbour = factory.cast(conn, who.office, "014583")
    own = put_in(conn, who, *ROAD, "decline")
    put_in(conn, neighbour, *ROAD, "decline")
    elsewhere = factory.cast(conn, "hk-sorachi", "012106")
    form = factory.request_form(conn, who)
    assert [row["case_id"] for row in beside(conn, who.municipality, form)] == [own]
    assert [row["case_id"] for row in beside(conn, who.municipality, {}, place=who.place)] == [own]
    assert beside(conn, elsewhere.director, form) == beside(conn, elsewhere.municipality, form) == []
    assert len(beside(conn, who.headquarters, form)) == 2


def test_how_it_ended_and_who_went_where_the_reader_may_know(conn, who):
    declined = put_in(conn, who, *ROAD, "decline")
    going = put_in(conn, who, *ROAD, "approve")
    form = factory.request_form(conn, who)
    told = {row["case_id"]: row for row in beside(conn, who.director, form)}
    assert (told[declined]["word"], told[declined]["final"]) == ("派遣しなかった", True)
    assert (told[going]["people"], told[going]["days"], told[going]["final"]) == (2, 6, False)
    told = {row["case_id"]: row for row in beside(conn, who.municipality, form)}
    assert (told[going]["people"], told[going]["days"]) == (2, 6)
    assert (told[declined]["people"], told[declined]["days"]) == (0, 0)  # a proposal is the office's own


def test_drafts_and_blank_forms_name_nothing(conn, who):
    put_in(conn, who)
    assert beside(conn, who.municipality, {}) == beside(conn, who.municipality, {}, place=who.place) == []
    assert beside(conn, who.bureau, factory.request_form(conn, who, title="ー%_\\'")) == []
