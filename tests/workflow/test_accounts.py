"""Accounts: what is stored, what a failure tells, when the door closes and opens again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import psycopg
import pytest
from argon2 import PasswordHasher

from workflow import accounts
from workflow.accounts import Failure
from workflow.db import Database

PASSWORD = "とびだす隊の合言葉2026"
PERSON: dict[str, Any] = {
    "staff_no": "K-0001", "name": "主査A", "kana": "シュサエー", "login": "Kamikawa-01", "mail": "a@example.invalid",
    "org_code": "hk-kamikawa", "section": "地域政策課", "title": "主査", "role": "bureau", "valid_from": date(2026, 4, 1),
}  # fmt: skip


@pytest.fixture
def db(fresh_database: Any) -> Iterator[Database]:
    opened = Database(fresh_database.app_url)
    yield opened
    opened.close()


@pytest.fixture
def owner(fresh_database: Any) -> Iterator[psycopg.Connection[Any]]:
    url = fresh_database.owner_url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def add(db: Database, **changed: Any) -> accounts.Created:
    with db.transaction() as session:
        return accounts.create_user(session, **PERSON | {"password": PASSWORD} | changed)


def test_an_initial_password_is_given_once_and_only_its_hash_is_kept(db, owner):
    created = add(db, password=None)
    assert created.password is not None
    assert len(created.password) * 6 >= 128
    stored = owner.execute("SELECT login, password_hash FROM account").fetchone()
    assert stored[0] == "kamikawa-01"
    assert stored[1].startswith("$argon2id$")
    assert accounts.sign_in(db, "Kamikawa-01", created.password) == created.person_id


def test_a_login_name_is_read_in_full_width(db):
    assert accounts.sign_in(db, "ＫＡＭＩＫＡＷＡ－０１", PASSWORD) == Failure.UNKNOWN
    created = add(db)
    assert accounts.sign_in(db, "ＫＡＭＩＫＡＷＡ－０１ ", PASSWORD) == created.person_id


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"password": "短いもの"}, "12文字以上"),
        ({"password": "あ" * 257}, "256文字以下"),
        ({"password": "aaaaaaaaaaaaaaaa"}, "推測"),
        ({"password": "xxKAMIKAWA-01yz"}, "推測"),
        ({"org_code": "hk-nowhere"}, "組織コード"),
        ({"name": " "}, "氏名"),
        ({"login": "a\x00b"}, "ログイン名"),
    ],
)
def test_what_cannot_be_taken_in_is_refused_with_its_reason(db, owner, changed, said):
    with pytest.raises(ValueError, match=said):
        add(db, **changed)
    assert owner.execute("SELECT count(*) FROM person").fetchone() == (0,)


def test_a_second_person_of_one_number_or_name_is_refused(db, owner):
    add(db)
    with pytest.raises(ValueError, match="もう使われています"):
        add(db, login="another")
    with pytest.raises(ValueError, match="もう使われています"):
        add(db, staff_no="K-0002")
    assert owner.execute("SELECT count(*) FROM person").fetchone() == (1,)


def test_five_failures_close_the_door_for_fifteen_minutes(db, owner):
    created = add(db)
    assert [accounts.sign_in(db, "kamikawa-01", "wrong") for _ in range(5)] == [Failure.WRONG] * 5
    assert accounts.sign_in(db, "kamikawa-01", PASSWORD) == Failure.UNKNOWN
    row = owner.execute("SELECT failures, locked_until - clock_now() <= interval '15 minutes' FROM account").fetchone()
    assert row == (5, True)
    # Knocking at the closed door does not keep it closed.
    owner.execute("UPDATE account SET locked_until = clock_now()")
    assert accounts.sign_in(db, "kamikawa-01", "wrong") == Failure.WRONG
    assert accounts.sign_in(db, "kamikawa-01", PASSWORD) == created.person_id
    assert owner.execute("SELECT failures, locked_until FROM account").fetchone() == (0, None)


def test_simultaneous_guesses_are_counted_one_by_one(db, owner):
    add(db)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: accounts.sign_in(db, "kamikawa-01", f"guess {n}"), range(8)))
    assert answers.count(Failure.WRONG) == 5
    assert owner.execute("SELECT failures FROM account").fetchone() == (5,)


def test_every_sign_in_hashes_once_whatever_the_name(db, owner, monkeypatch):
    add(db)
    add(db, staff_no="K-2", login="disabled")
    add(db, staff_no="K-3", login="locked")
    owner.execute("UPDATE account SET disabled = true WHERE login = 'disabled'")
    owner.execute("UPDATE account SET locked_until = clock_now() + interval '1 minute' WHERE login = 'locked'")
    seen: list[str] = []
    verify = accounts._verify

    def spy(stored: str, password: str) -> bool:
        seen.append(stored[:30])
        return verify(stored, password)

    monkeypatch.setattr(accounts, "_verify", spy)
    for login in ("kamikawa-01", "disabled", "locked", "nobody"):
        accounts.sign_in(db, login, "wrong")
    assert seen == [accounts.DECOY[:30]] * 4  # kind and cost of the hash; the salt begins later


def test_the_decoy_costs_what_a_hash_costs_today():
    assert not PasswordHasher().check_needs_rehash(accounts.DECOY)


def test_an_old_hash_is_made_anew_at_sign_in(db, owner):
    created = add(db)
    owner.execute("UPDATE account SET password_hash = %s", [PasswordHasher(time_cost=1, memory_cost=64).hash(PASSWORD)])
    assert accounts.sign_in(db, "kamikawa-01", PASSWORD) == created.person_id
    stored = owner.execute("SELECT password_hash FROM account").fetchone()[0]
    assert not PasswordHasher().check_needs_rehash(stored)
    assert accounts.sign_in(db, "kamikawa-01", PASSWORD) == created.person_id


@pytest.fixture
def person_id(owner) -> Any:
    return owner.execute(
        """WITH n AS (INSERT INTO person (staff_no, name, kana, mail) VALUES ('1', 'A', '', '') RETURNING id)
           INSERT INTO account (person_id, login, password_hash, failures, disabled)
           SELECT id, 'a', '', 0, false FROM n RETURNING person_id"""
    ).fetchone()[0]


def test_the_database_holds_no_token(db, owner, person_id):
    with db.connection() as conn:
        opened = accounts.open_session(conn, person_id)
        assert accounts.live_session(conn, opened.token) == accounts.Live(person_id, opened.csrf)
        assert accounts.live_session(conn, opened.csrf) is None
        assert accounts.live_session(conn, "") is None
    assert len(opened.token) * 6 >= 256
    assert opened.token.encode() not in owner.execute("SELECT token FROM session").fetchone()[0]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE session SET seen_at = clock_now() - interval '30 minutes'",
        "UPDATE session SET created_at = clock_now() - interval '12 hours'",
        "UPDATE account SET disabled = true",
    ],
)
def test_a_session_ends_by_idleness_by_age_and_with_its_account(db, owner, person_id, change):
    with db.connection() as conn:
        opened = accounts.open_session(conn, person_id)
        owner.execute(change)
        assert accounts.live_session(conn, opened.token) is None


def test_who_is_there_keeps_the_session(db, owner, person_id):
    with db.connection() as conn:
        opened = accounts.open_session(conn, person_id)
        owner.execute("UPDATE session SET seen_at = clock_now() - interval '29 minutes'")
        assert accounts.live_session(conn, opened.token)
    assert owner.execute("SELECT seen_at > clock_now() - interval '1 minute' FROM session").fetchone() == (True,)


def test_a_new_session_replaces_the_browsers_old_one_and_sweeps_what_ran_out(db, owner, person_id):
    with db.connection() as conn:
        other, first = accounts.open_session(conn, person_id), accounts.open_session(conn, person_id)
        second = accounts.open_session(conn, person_id, first.token)
        assert accounts.live_session(conn, first.token) is None
        assert accounts.live_session(conn, second.token)
        assert accounts.live_session(conn, other.token)
        owner.execute("UPDATE session SET created_at = clock_now() - interval '12 hours'")
        accounts.open_session(conn, person_id)
        assert owner.execute("SELECT count(*) FROM session").fetchone() == (1,)


def test_signing_out_ends_the_session(db, person_id):
    with db.connection() as conn:
        opened = accounts.open_session(conn, person_id)
        accounts.sign_out(conn, opened.token)
        assert accounts.live_session(conn, opened.token) is None
