"""Master data come from the profile and the directory, once; the catalogue must be what was published."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest

from states import catalogue
from states.places import Directory
from tests import factory
from workflow import masters
from workflow.access import actor
from workflow.db import migrate
from workflow.masters import PublishedDiffers, check_published, load_masters


def test_every_office_and_municipality_of_the_prefecture_is_a_row(conn):
    directory = Directory.from_csv()
    kinds = dict(conn.execute("SELECT kind, count(*) FROM organisation GROUP BY kind").fetchall())
    assert kinds == {
        "headquarters": 1,
        "personnel": 1,
        "department": len(masters.profile_of("hokkaido")["departments"]),
        "bureau": sum(o.prefecture_code == "01" for o in directory.offices),
        "municipality": sum(m.prefecture_code == "01" for m in directory.municipalities),
    }
    orphans = conn.execute(
        """SELECT code FROM organisation m WHERE kind = 'municipality' AND valid_to IS NULL
           AND NOT EXISTS (SELECT 1 FROM organisation o WHERE o.code = m.office AND o.kind = 'bureau')"""
    ).fetchall()
    assert orphans == []


def test_the_other_profile_knows_only_its_own_organisations(empty_database: Any):
    migrate(empty_database.owner_url)
    load_masters(empty_database.owner_url, profile="yamagata")
    with psycopg.connect(empty_database.superuser_url) as su:
        codes = [row[0] for row in su.execute("SELECT code FROM organisation").fetchall()]
        assert su.execute("SELECT profile, headquarters, personnel, demonstration FROM installation").fetchone() == (
            "yamagata",
            "yg-headquarters",
            "yg-jinji",
            False,
        )
    assert all(code.startswith(("yg-", "06")) for code in codes)
    departments = masters.profile_of("yamagata")["departments"]
    assert len([code for code in codes if code.startswith("yg-")]) == 6 + len(departments)


def test_loading_again_under_another_name_changes_the_name_and_adds_nothing(
    fresh_database: Any, conn, owner, monkeypatch
):
    before = conn.execute("SELECT count(*) FROM organisation").fetchone()
    real = masters.profile_of

    def renamed(name: str) -> dict[str, Any]:
        words = real(name)
        return words | {"headquarters": words["headquarters"] | {"name": "地域の未来局"}}

    monkeypatch.setattr(masters, "profile_of", renamed)
    load_masters(fresh_database.owner_url)
    assert conn.execute("SELECT count(*) FROM organisation").fetchone() == before
    assert conn.execute("SELECT name FROM organisation WHERE kind = 'headquarters'").fetchone() == ("地域の未来局",)
    person = factory.person(conn, "headquarters", factory.HEADQUARTERS)
    found = actor(conn, person)
    assert found is not None
    assert found.posts[0].org_name == "地域の未来局"


def test_the_catalogue_is_published_and_checked(conn, owner, who):
    check_published(conn)
    owner.execute("UPDATE published SET digest = 'x'")
    with pytest.raises(PublishedDiffers, match="tobidashi migrate"):
        check_published(conn)
    owner.execute("DELETE FROM published")
    with pytest.raises(PublishedDiffers):
        check_published(conn)


@pytest.mark.parametrize("change", ["state = 'somewhere'", "process = 'other'", "process_version = 99"])
def test_a_stored_case_that_the_catalogue_lacks_keeps_the_application_from_starting(conn, who, change):
    factory.opened(conn, who)
    check_published(conn)
    conn.execute(f"UPDATE cases SET {change}")
    with pytest.raises(PublishedDiffers, match="保存された案件"):
        check_published(conn)


def test_a_released_version_never_changes(fresh_database: Any, monkeypatch):
    (place, process), *_ = catalogue.all_versions().items()
    other = {place: replace(process, states=(replace(process.states[0], holder="records"), *process.states[1:]))}
    monkeypatch.setattr(masters, "RELEASED", frozenset({place}))
    load_masters(fresh_database.owner_url)
    monkeypatch.setattr(catalogue, "all_versions", lambda: other)
    with pytest.raises(PublishedDiffers, match="新しい版"):
        load_masters(fresh_database.owner_url)
    monkeypatch.setattr(masters, "RELEASED", frozenset())
    load_masters(fresh_database.owner_url)
