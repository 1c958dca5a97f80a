"""The register of recognised bodies: who keeps it, what it refuses, and what it means for a case."""

from datetime import timedelta
from uuid import uuid4

import pytest

from states.kernel import Refused
from tests import factory
from tests.conftest import Database as Fresh
from workflow import access, cases, recognitions
from workflow.db import Database, type_connection
from workflow.loading import NotFound

BODY = {"name": "丘のまち観光協議会（架空）", "reference": "上地第1号", "scope": "観光計画づくりの助言に限る。"}


def _actor(conn: type_connection, person: int) -> access.Actor:
    found = access.actor(conn, person)
    assert found is not None
    return found


def test_only_the_director_keeps_the_register_and_only_his_office_reads_it(fresh_database: Fresh) -> None:
    db = Database(fresh_database.app_url)
    with db.connection() as conn:
        who, elsewhere = factory.cast(conn), factory.cast(conn, "hk-tokachi", "016462")
        today = cases.today(conn).isoformat()
        with pytest.raises(NotFound):
            recognitions.register(conn, _actor(conn, who.bureau), BODY | {"decided_on": today})
        entry = recognitions.register(conn, _actor(conn, who.director), BODY | {"decided_on": today})
        assert [row["id"] for row in recognitions.listed(conn, who.bureau)] == [entry]
        assert [row["id"] for row in recognitions.listed(conn, who.headquarters)] == [entry]
        assert not recognitions.listed(conn, elsewhere.director)
        with pytest.raises(NotFound):
            recognitions.end(conn, _actor(conn, elsewhere.director), entry, today)
    db.close()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": " "}, "name"),
        ({"decided_on": "令和8年2月30日"}, "decided_on"),
        ({"scope": ""}, "scope"),
        ({"scope": "あ" * 401}, "scope"),
    ],
)
def test_an_entry_that_says_too_little_is_not_taken_in(
    fresh_database: Fresh, typed: dict[str, str], field: str
) -> None:
    db = Database(fresh_database.app_url)
    with db.connection() as conn:
        who = factory.cast(conn)
        with pytest.raises(recognitions.NotRegistered) as refusal:
            recognitions.register(
                conn, _actor(conn, who.director), BODY | {"decided_on": cases.today(conn).isoformat()} | typed
            )
        assert list(refusal.value.fields) == [field]
        assert not recognitions.listed(conn, who.director)
    db.close()


def test_a_body_is_a_destination_only_while_it_is_recognised(fresh_database: Fresh) -> None:
    db = Database(fresh_database.app_url)
    with db.connection() as conn:
        who = factory.cast(conn)
        place = {
            "type": "organization",
            "municipality_code": who.place,
            "municipality_name": "美瑛町",
            "organization_name": "丘のまち観光協議会(架空)",
        }
        case = factory.opened(conn, who, destination=place)
        factory.drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director")
        with pytest.raises(Refused) as refusal:
            cases.act(conn, who.director, case, "approve", version=factory.version(conn, case), key=uuid4())
        assert [v.rule for v in refusal.value.verdicts] == ["D-04"]
        entry = recognitions.register(
            conn, _actor(conn, who.director), BODY | {"decided_on": cases.today(conn).isoformat()}
        )
        recognitions.end(conn, _actor(conn, who.director), entry, (cases.today(conn) + timedelta(days=1)).isoformat())
        with pytest.raises(Refused):
            factory.drive(conn, who, case, "approve")
        recognitions.register(conn, _actor(conn, who.director), BODY | {"decided_on": cases.today(conn).isoformat()})
        assert factory.drive(conn, who, case, "approve").state == "preparing"
    db.close()
