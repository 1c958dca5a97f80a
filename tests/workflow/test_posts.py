"""Posts and who holds them: begun and ended from a day on, nothing written over, mistakes told in sentences."""

from datetime import date, timedelta

import pytest

from states.authority import Address
from tests import factory, offices
from workflow import posts, seating, tenures
from workflow.cases import today
from workflow.colleagues import NotTaken
from workflow.loading import NotFound

SOON, LATER = "2026-12-01", "2027-01-01"


@pytest.fixture
def office(clock, conn, who):
    return offices.line(conn, who)


@pytest.fixture
def keeper(conn, office):
    return factory.reader(conn, office.administrators[0])


def staff_no(conn, person):
    return conn.execute("SELECT staff_no FROM person WHERE id = %s", (person,)).fetchone()[0]


def told(conn, person, *, kind="main", first="2026-11-02", last="", order=""):
    return {"person": staff_no(conn, person), "kind": kind, "from": first, "to": last, "order": order}


def line(conn, keeper, office, post, day):
    (row,) = posts.listed(conn, keeper, "", day, office.posts[post])
    return row


def seat(conn, office, post, day):
    """The post as a route sees it on that day."""
    found = seating.seats(conn, [office.who.office], day).get(post)
    assert found is not None
    return found


def numbered(conn, typed):
    found = tenures.person_of(conn, typed)
    return found and found[1]


def tenure(conn, post):
    return conn.execute("SELECT id FROM tenure WHERE post_id = %s ORDER BY id LIMIT 1", (post,)).fetchone()[0]


def test_who_held_a_post_is_told_for_any_day_past_and_future(conn, office, keeper):
    successor = factory.person(conn, "bureau", office.who.office, title="参事")
    tenures.end(conn, keeper, (held := tenure(conn, office.posts["chief"])), {f"last-{held}": "2026-11-30"})
    tenures.begin(conn, keeper, office.posts["chief"], told(conn, successor, first=SOON, order="人発第12号"))
    for day, person in (
        (date(2021, 5, 1), office.chief),
        (date(2026, 11, 30), office.chief),
        (date(2026, 12, 1), successor),
    ):
        (one,) = line(conn, keeper, office, "chief", day)["holders"]
        assert one["person"] == person, day
        assert seat(conn, office, office.posts["chief"], day).sole == person
    assert line(conn, keeper, office, "chief", date(2026, 11, 2))["coming"][0]["order_no"] == "人発第12号"
    assert [record["said"][:2] for record in posts.records(conn, keeper, office.posts["chief"])] == ["「地", "「地"]


def test_a_vacant_post_says_so_and_takes_a_stand_in_only_then(conn, office, keeper):
    post = office.posts["chief"]
    with pytest.raises(NotTaken) as refusal:
        tenures.begin(conn, keeper, post, told(conn, office.general, kind="acting", first=SOON))
    assert "空いた職だけに置けます" in refusal.value.fields["kind"]
    tenures.end(conn, keeper, (held := tenure(conn, post)), {f"last-{held}": "2026-11-30"})
    assert line(conn, keeper, office, "chief", date(2026, 12, 1))["vacant"]
    tenures.begin(conn, keeper, post, told(conn, office.general, kind="acting", first=SOON, last="2026-12-31"))
    assert line(conn, keeper, office, "chief", date(2026, 12, 1))["stands_in"]
    assert line(conn, keeper, office, "chief", date(2027, 1, 1))["vacant"]
    with pytest.raises(NotTaken) as refusal:
        tenures.begin(conn, keeper, post, told(conn, office.officer, first="2026-12-15"))
    assert "職務代理" in refusal.value.fields["from"]
    tenures.begin(conn, keeper, post, told(conn, office.officer, kind="joint", first=LATER))


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"person": "X999"}, "person", "登録されていません"),
        ({"kind": "boss"}, "kind", "選んでください"),
        ({"from": "2026-11-31"}, "from", "11月は30日まで"),
        ({"from": SOON, "to": "2026-11-30"}, "to", "始まりの日より前"),
        ({"from": "2019-04-01"}, "from", "31日前から"),
        ({"from": SOON}, "from", "先に、その任期の終わり"),
    ],
)
def test_a_tenure_that_cannot_be_is_told_with_its_field(conn, office, keeper, change, field, said):
    before = conn.execute("SELECT count(*) FROM tenure").fetchone()
    with pytest.raises(NotTaken) as refusal:
        tenures.begin(conn, keeper, office.posts["chief"], told(conn, office.general) | change)
    assert said in refusal.value.fields[field]
    assert conn.execute("SELECT count(*) FROM tenure").fetchone() == before


def test_nobody_seats_himself_and_nobody_else_keeps_posts(conn, office, keeper):
    with pytest.raises(NotTaken) as refusal:
        tenures.begin(conn, keeper, office.posts["chief"], told(conn, keeper.person_id))
    assert "ほかの管理者" in refusal.value.fields["person"]
    for stranger in (office.director, office.officer, office.who.records):
        reader = factory.reader(conn, stranger)
        for attempt in (
            lambda r=reader: posts.offices(conn, r, today(conn)),
            lambda r=reader: tenures.begin(conn, r, office.posts["chief"], told(conn, office.general)),
            lambda r=reader: tenures.end(conn, r, 1, {}),
            lambda r=reader: tenures.add_post(conn, r, {}),
            lambda r=reader: tenures.clear_contact(conn, r, office.officer),
        ):
            with pytest.raises(NotFound):
                attempt()


def test_an_end_before_the_begin_and_an_end_of_what_is_over_are_refused(conn, office, keeper, clock):
    post = office.posts["chief"]
    tenures.end(conn, keeper, (held := tenure(conn, post)), {f"last-{held}": "2026-11-10"})
    made = tenures.begin(conn, keeper, post, told(conn, office.general, first=SOON))
    with pytest.raises(NotTaken) as refusal:
        tenures.end(conn, keeper, made, {f"last-{made}": "2026-11-20"})
    assert "始まりの日" in refusal.value.fields[f"last-{made}"]
    clock.at(date(2026, 11, 20))
    with pytest.raises(NotTaken) as refusal:
        tenures.end(conn, keeper, held, {f"last-{held}": "2026-12-10"})
    assert "済んだこと" in refusal.value.fields[f"last-{held}"]


def test_the_order_of_deputies_is_dated_and_never_names_the_post_itself(conn, office, keeper):
    director, department, vice = (office.posts[key] for key in ("director", "department", "vice"))
    tenures.set_deputies(conn, keeper, director, [str(department), str(vice)], SOON)
    seats = {day: seat(conn, office, director, date.fromisoformat(day)) for day in ("2026-11-30", SOON)}
    assert (seats["2026-11-30"].deputies, seats[SOON].deputies) == ((vice, department), (department, vice))
    for order, said in (
        ([str(director)], "自分の職"), ([str(vice)] * 2, "2回"), ([str(office.posts["above"])], "ほかの組織"), (["x"], "無い職"),
    ):  # fmt: skip
        with pytest.raises(NotTaken) as refusal:
            tenures.set_deputies(conn, keeper, director, order, SOON)
        assert said in refusal.value.fields["deputy-1"]


def test_the_superior_is_dated_and_no_way_up_comes_back(conn, office, keeper):
    chief, head, vice = (office.posts[key] for key in ("chief", "head", "vice"))
    tenures.set_superior(conn, keeper, chief, str(head), "2026-11-02")
    tenures.set_superior(conn, keeper, head, str(vice), SOON)
    december = date(2026, 12, 1)
    assert (seat(conn, office, chief, december).superior, seat(conn, office, head, december).superior) == (head, vice)
    assert seat(conn, office, head, date(2026, 11, 2)).superior is None
    with pytest.raises(NotTaken) as refusal:
        tenures.set_superior(conn, keeper, vice, str(chief), SOON)
    assert "この職に戻ります" in refusal.value.fields["superior"]
    # Before the loop would close, it is none.
    tenures.set_superior(conn, keeper, vice, "", SOON)
    with pytest.raises(NotTaken):
        tenures.set_superior(conn, keeper, vice, str(vice), SOON)


def test_a_post_is_added_and_ends_only_after_its_holders(conn, office, keeper):
    typed = {"office": office.who.office, "section": "産業振興部", "title": "主幹", "role": "bureau", "since": SOON}
    made = tenures.add_post(conn, keeper, typed)
    assert posts.listed(conn, keeper, "", date(2026, 11, 30), made) == []
    assert posts.listed(conn, keeper, "", date(2026, 12, 1), made)[0]["vacant"]
    for change, field in (
        ({"title": ""}, "title"),
        ({"role": "king"}, "role"),
        ({"office": "nowhere"}, "office"),
        ({"since": ""}, "since"),
    ):
        with pytest.raises(NotTaken) as refusal:
            tenures.add_post(conn, keeper, typed | change)
        assert field in refusal.value.fields
    vice = office.posts["vice"]
    with pytest.raises(NotTaken) as refusal:
        tenures.end_post(conn, keeper, vice, {"last": "2026-11-30"})
    assert "先に、任期の終わり" in refusal.value.fields["last"]
    tenures.end(conn, keeper, (held := tenure(conn, vice)), {f"last-{held}": "2026-11-30"})
    tenures.end_post(conn, keeper, vice, {"last": "2026-11-30"})
    later = seating.seats(conn, [office.who.office], date(2026, 12, 1))
    assert later.get(vice) is None
    assert seat(conn, office, office.posts["director"], date(2026, 12, 1)).deputies == (office.posts["department"],)
    assert later.at(Address("副局長"), office.who.office, "") is None


def test_zeros_that_a_table_has_lost_do_not_matter_where_one_person_is_meant(conn, clock):
    for number in ("00123", "00456", "456"):
        conn.execute(
            "INSERT INTO person (staff_no, name, kana, mail) VALUES (%s, %s, '', '')", (number, f"職員{number}（仮名）")
        )
    assert numbered(conn, "123") == "職員00123（仮名）"
    assert numbered(conn, "４５６") == "職員456（仮名）"
    assert numbered(conn, "0456") is None
    assert numbered(conn, "") is None


def test_two_who_seat_somebody_at_once_do_it_in_turn(db, conn, office, keeper):
    post = office.posts["chief"]
    tenures.end(conn, keeper, (held := tenure(conn, post)), {f"last-{held}": (today(conn) - timedelta(1)).isoformat()})
    with db.connection() as other, conn.transaction():
        tenures.begin(conn, keeper, post, told(conn, office.general))
        other.execute("SET lock_timeout = '100ms'")
        with pytest.raises(Exception, match="lock timeout"):
            tenures.begin(other, keeper, post, told(other, office.head))
