"""The directory: codes, names and bureaus on a date. Rule I-06."""

from datetime import date

import pytest

from states.places import Directory, check_digit, code_problem

DIRECTORY = Directory.from_csv()
TODAY = date(2026, 4, 1)


def test_the_tables_are_whole():
    current = [m for m in DIRECTORY.municipalities if m.in_force(TODAY)]
    assert len(current) == 214
    assert len([m for m in current if m.prefecture_code == "01"]) == 179
    assert len(DIRECTORY.offices) == 18
    assert len({m.code for m in current}) == 214
    assert all(DIRECTORY.office(m.office_code, TODAY) for m in current)


def test_every_code_has_its_check_digit():
    for code in [*(m.code for m in DIRECTORY.municipalities), *DIRECTORY.excluded]:
        assert code[5] == check_digit(code[:5])
    assert check_digit("01000") == "6"


@pytest.mark.parametrize("code", ["014396", "01439", "0143970", "", "abcdef", "０１４３９６", "01439x", "²14389"])
def test_a_code_that_cannot_be_one_is_refused(code):
    assert code_problem(code)
    assert DIRECTORY.municipality(code, TODAY) is None


@pytest.mark.parametrize("code", ["014397", "０１４３８９", " 011002 "])
def test_a_code_is_read_in_full_width(code):
    assert code_problem(code) == ""


def test_a_code_means_what_it_meant_on_the_day():
    moved = date(2010, 4, 1)
    before = date(2010, 3, 31)
    found = DIRECTORY.municipality("014397", before)
    assert found is not None
    assert found.name == "幌加内町"
    assert DIRECTORY.municipality("014397", moved) is None
    assert DIRECTORY.municipality("014729", before) is None
    now = DIRECTORY.successor("014397", moved)
    assert now is not None
    assert (now.code, now.name, now.office_code) == ("014729", "幌加内町", "hk-kamikawa")
    assert DIRECTORY.office_of("014729", moved) == DIRECTORY.office("hk-kamikawa")


def test_a_merger_has_a_successor():
    merged = DIRECTORY.successor("014672", TODAY)
    assert merged is not None
    assert merged.name == "名寄市"
    assert DIRECTORY.successor("011002", TODAY) is None
    assert DIRECTORY.former("011002", TODAY) is None


def test_every_former_municipality_has_a_successor_today():
    for ended in (m for m in DIRECTORY.municipalities if m.valid_to):
        heir = DIRECTORY.successor(ended.code, TODAY) or DIRECTORY.municipality(ended.code, TODAY)
        assert heir is not None, ended


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("ﾆｾｺ町", "013951"),
        ("\uf9b6文町", "015172"),
        ("勇払郡厚真町", "015814"),
        ("北海道標津町", "016934"),
        ("しべつし", "012203"),
        ("せたな町", "013714"),
        ("泊村", "014036"),
        ("山形県 庄内町", "064289"),
    ],
)
def test_a_name_is_found_however_it_is_written(written, code):
    [found] = DIRECTORY.by_name(written, TODAY)
    assert found.code == code
    assert DIRECTORY.same_name(written, found)


def test_the_same_reading_gives_both_towns():
    assert {m.name for m in DIRECTORY.by_name("エサシチョウ", TODAY)} == {"江差町", "枝幸町"}


def test_a_former_name_is_known_as_former():
    assert DIRECTORY.by_name("風連町", TODAY) == ()
    assert DIRECTORY.former_by_name("風連町", TODAY)[0].code == "014672"
    assert DIRECTORY.former_by_name("厚真町", TODAY) == ()
    assert DIRECTORY.by_name("色丹村", TODAY) == ()


def test_a_name_can_be_asked_for_in_one_prefecture():
    assert DIRECTORY.by_name("ニセコ町", TODAY, prefecture_code="06") == ()


def test_an_area_is_listed_in_order_of_code():
    codes = [m.code for m in DIRECTORY.of_office("hk-nemuro", TODAY)]
    assert len(codes) == 5
    assert codes == sorted(codes)
    assert len(DIRECTORY.of_office("hk-kamikawa", date(2010, 4, 1))) == 23


def test_an_office_has_dates():
    assert DIRECTORY.office("hk-okhotsk", date(2010, 3, 31)) is None
    assert DIRECTORY.office("hk-nowhere") is None
