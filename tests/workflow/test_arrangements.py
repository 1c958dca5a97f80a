"""A municipality that approves its own requests first: who settles it, from which day, and what it changes."""

from datetime import timedelta

import pytest

from tests import factory
from workflow import arrangements, cases
from workflow.arrangements import NotSettled
from workflow.loading import NotFound, load


@pytest.fixture
def administrator(conn):
    return factory.reader(conn, factory.person(conn, "administrator", factory.HEADQUARTERS))


def asked(conn, who) -> bool:
    case = factory.opened(conn, who)
    return bool(load(conn, case, who.municipality).facts.registers["own_approval"])


def test_it_holds_from_its_day_on_and_until_it_is_ended(conn, who, administrator):
    factory.person(conn, "municipality_head", who.place)
    today = cases.today(conn)
    assert not asked(conn, who)
    arrangements.settle(conn, administrator, who.place, asked=True, since=(today + timedelta(days=1)).isoformat())
    assert not asked(conn, who)
    arrangements.settle(conn, administrator, who.place, asked=True, since=today.isoformat())
    assert asked(conn, who)
    arrangements.settle(conn, administrator, who.place, asked=False, since=today.isoformat())
    assert not asked(conn, who)


def test_nobody_waits_for_a_decider_who_is_not_there(conn, who, administrator):
    with pytest.raises(NotSettled, match=r"決裁する人.*まだ登録されていません"):
        arrangements.settle(conn, administrator, who.place, asked=True, since=cases.today(conn).isoformat())
    assert not asked(conn, who)


@pytest.mark.parametrize("since", ["", "R8.13.1", "令和元年5月1日", "\ud800", "9" * 400])
def test_a_day_that_cannot_be_meant_is_answered(conn, who, administrator, since):
    factory.person(conn, "municipality_head", who.place)
    with pytest.raises(NotSettled, match="何も変えていません"):
        arrangements.settle(conn, administrator, who.place, asked=True, since=since)


def test_a_decider_settles_it_for_the_own_municipality_alone(conn, who):
    head = factory.reader(conn, factory.person(conn, "municipality_head", who.place))
    assert head is not None
    assert [row["code"] for row in arrangements.listed(conn, head)] == [who.place]
    arrangements.settle(conn, head, who.place, asked=True, since=cases.today(conn).isoformat())
    with pytest.raises(NotFound):
        arrangements.settle(conn, head, "014583", asked=True, since=cases.today(conn).isoformat())


@pytest.mark.parametrize("role", ["municipality", "bureau", "director", "headquarters"])
def test_nobody_else_settles_it(conn, who, role):
    with pytest.raises(NotFound):
        arrangements.listed(conn, factory.reader(conn, getattr(who, role)))
