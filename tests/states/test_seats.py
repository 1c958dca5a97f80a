"""Posts as they are held on a day, and the law of 代決: absence, order, no chain; a vacant post is no absence."""

import pytest

from states.authority import Address
from states.seats import ACTING, CHARGE, Holder, Seat, Seats, seats_of

AWAY = "trip"


def seat(post, title, *people, deputies=(), section="", org="o"):
    return Seat(post, org, "局", section, title, None, tuple(people), deputies)


def seats(*found):
    return Seats({one.post: one for one in found})


def director(*people, deputies=(2, 3)):
    return seat(1, "局長", *people, deputies=deputies)


VICE, HEAD = seat(2, "副局長", Holder(20, "副")), seat(3, "部長", Holder(30, "部"))
GONE = Holder(10, "局長", absent=AWAY)


def test_the_first_deputy_present_stands_in_and_the_next_only_where_the_first_cannot():
    there = seats(director(GONE), VICE, HEAD)
    assert there.deputy(there.get(1), 20, ())[0].post == 2
    found, why = there.deputy(there.get(1), 30, ())
    assert (found, "「副局長」がいる" in why) == (None, True)
    assert there.deputy(there.get(1), 30, {20})[0].post == 3
    away = seats(director(GONE), seat(2, "副局長", Holder(20, "副", absent=AWAY)), HEAD)
    assert away.deputy(away.get(1), 30, ())[0].post == 3
    assert away.deputy(away.get(1), 20, ())[0] is None


@pytest.mark.parametrize(
    ("holder", "words"),
    [
        ((), "空いています"),
        ((Holder(10, "局長"),), "不在ではない"),
        ((Holder(10, "代理", ACTING, AWAY),), "さらに代わることはできません"),
        ((Holder(10, "取扱", CHARGE, AWAY),), "さらに代わることはできません"),
        ((GONE, Holder(11, "もう一人")), "不在ではない"),
    ],
)
def test_nobody_stands_in_for_a_vacant_or_present_or_acting_holder(holder, words):
    there = seats(director(*holder), VICE)
    found, why = there.deputy(there.get(1), 20, ())
    assert (found, words in why) == (None, True)


def test_who_stands_in_for_the_deputy_is_no_deputy_and_a_stranger_is_told_so():
    there = seats(director(GONE), seat(2, "副局長", Holder(20, "代理", ACTING)), HEAD)
    assert there.deputy(there.get(1), 20, ())[0] is None  # no chain
    assert there.deputy(there.get(1), 30, ())[0].post == 3
    found, why = there.deputy(there.get(1), 99, {30})
    assert (found, "いまのあなたの職はありません" in why) == (None, True)


def test_an_address_finds_its_post():
    there = seats(
        seat(1, "課長", section="総務課"),
        seat(2, "課長", section="地域政策課"),
        seat(3, "局長"),
        seat(4, "局長", org="hq"),
    )
    assert there.at(Address("課長", "="), "o", "地域政策課").post == 2
    assert there.at(Address("課長", "総務課"), "o", "地域政策課").post == 1
    assert there.at(Address("課長"), "o", "地域政策課").post == 1
    assert there.at(Address("局長", org="hq"), "o", "").post == 4
    assert there.at(Address("課長", "保健課"), "o", "") is None


def test_rows_become_seats():
    there = seats_of(
        [(1, "o", "局", "", "局長", 9, [[10, "人", "main", None]], None), (2, "o", "局", "課", "課長", None, None, [1])]
    )
    first, second = there.by_post[1], there.by_post[2]
    assert (first.sole, first.superior, first.away) == (10, 9, False)
    assert (second.sole, second.deputies, second.called) == (None, (1,), "課 課長")
    assert [one.post for one in there.held_by(10)] == [1]
    assert there.get(None) is None
