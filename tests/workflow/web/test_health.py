"""Whether a process is given requests."""

import pytest

from workflow.web import health


def test_a_process_lives_without_asking_anybody(web):
    assert web.client().get("/livez").json() == {"status": "alive"}


def test_ready_with_redis_away_is_ready_and_says_so(web):
    response = web.client().get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ready", "database": "ok", "migrations": "ok", "processes": "ok", "redis": "away",
    }  # fmt: skip


def test_redis_is_asked(web, configured, valkey):
    configured(REDIS_URL=valkey.url)
    assert web.client().get("/readyz").json()["redis"] == "ok"
    configured(REDIS_URL="redis://127.0.0.1:1/0")
    assert web.client().get("/readyz").json()["redis"] == "away"


@pytest.mark.parametrize(("found", "state", "status"), [("0001", "behind", 503), ("9999", "newer", 200)])
def test_a_schema_behind_ours_is_not_served_a_newer_one_is(web, owner, found, state, status):
    owner.execute("UPDATE alembic_version SET version_num = %s", [found])
    response = web.client().get("/readyz")
    assert (response.json()["migrations"], response.status_code) == (state, status)


def test_a_process_that_is_not_as_published_is_not_served_a_newer_one_is(web, owner):
    assert web.client().get("/readyz").json()["processes"] == "ok"
    owner.execute("INSERT INTO published (process, version, digest) SELECT process, version + 1, 'next' FROM published")
    assert web.client().get("/readyz").json()["processes"] == "ok"
    owner.execute("UPDATE published SET digest = 'x'")
    response = web.client().get("/readyz")
    assert (response.json()["processes"], response.status_code) == ("differ", 503)


def test_the_newest_migration_is_known():
    head, known = health.revisions()
    assert head in known
