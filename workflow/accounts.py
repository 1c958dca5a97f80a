"""Who may sign in, and the signed-in browsers: Argon2id hashes, lock after five failures, sessions that end by themselves.

A failed sign-in never tells why: unknown name, wrong password, locked and disabled look and last the same.
"""

import hashlib
import logging
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import psycopg
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, or_, select

from states.text import narrow, problems
from workflow.access import seated_in
from workflow.db import Database, type_connection
from workflow.models import Account, Organisation, Person, Post, Tenure
from workflow.settings import settings

logger = logging.getLogger(__name__)

FAILURES = 5
LOCK_MINUTES = 15
SHORTEST, LONGEST = 12, 256  # characters of a password
HASHES_AT_ONCE = 4  # each takes 64 MiB while it is made

_hasher = PasswordHasher()
# The hash of a password that nobody has: an unknown name costs the same time as a known one.
DECOY = "$argon2id$v=19$m=65536,t=3,p=4$JhxFk8OSXsw96osiwZ/Q1Q$6KOJdmK2jLQqYV1Mms6AYt+53RANw96tHhtAw3Gzhwk"


class Failure(StrEnum):
    """Why a sign-in failed; a page never says."""

    UNKNOWN = "unknown"  # no such name, or the account is disabled or locked
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Created:
    """A new person; `password` is the one-time initial password where none was given, shown once and kept nowhere."""

    person_id: int
    password: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session: the token that goes into the cookie and the token that goes into its forms."""

    token: str
    csrf: str


@dataclass(frozen=True, slots=True)
class Live:
    """A session that is still valid."""

    person_id: int
    csrf: str


def login_key(login: str) -> str:
    """A login name as it is stored and compared: half width, lower case."""
    return narrow(login).casefold()


def hash_password(password: str) -> str:
    return _hasher.hash(_plain(password))


def create_user(
    session: Session, *, staff_no: str, name: str, kana: str = "", login: str, password: str | None = None, mail: str = "",
    org_code: str, section: str = "", title: str, role: str, scope: str = "office", valid_from: date,
) -> Created:  # fmt: skip
    """Add a person with an account and a post held from `valid_from`.

    Without `password` a one-time initial password of 144 bits is made. Raises ValueError with a Japanese sentence.
    """
    key = login_key(login)
    for label, value in (("職員番号", staff_no), ("氏名", name), ("ログイン名", key), ("職名", title)):
        if not value.strip() or problems(value):
            raise ValueError(f"{label}が書かれていないか、使えない文字があります。")
    if password is not None:
        refuse_weak(password, key)
    known = select(Organisation.kind).where(
        Organisation.code == org_code,
        or_(col(Organisation.valid_to).is_(None), col(Organisation.valid_to) >= valid_from),
    )
    kind = session.exec(known).first()
    if kind is None:
        raise ValueError(f"組織コード「{org_code}」の組織は、{valid_from}にはありません。")
    if not seated_in(role, kind):
        raise ValueError("団体の担当(body)は認めた団体だけに置け、認めた団体にはほかの役割を置けません。")
    initial = secrets.token_urlsafe(18) if password is None else None
    person = Person(staff_no=staff_no, name=name, kana=kana, mail=mail)
    post = Post(org_code=org_code, section=section, title=title, role=role, scope=scope, valid_from=valid_from)
    try:
        session.add_all([person, post])
        session.flush()
        assert person.id is not None
        assert post.id is not None
        session.add(Account(person_id=person.id, login=key, password_hash=hash_password(password or initial or "")))
        session.add(Tenure(person_id=person.id, post_id=post.id, valid_from=valid_from))
        session.flush()
    except IntegrityError as error:
        if isinstance(error.orig, psycopg.errors.UniqueViolation):
            raise ValueError(f"職員番号「{staff_no}」かログイン名「{key}」は、もう使われています。") from error
        raise
    return Created(person.id, initial)


def refuse_weak(password: str, login: str) -> None:
    """Raise ValueError, with the reason, for a password that is too short, too long or guessed at once."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValueError(f"パスワードは{SHORTEST}文字以上{LONGEST}文字以下にしてください。")
    if len(set(password)) < 5 or login in password.casefold():
        raise ValueError("パスワードが推測されやすい形です。同じ文字のくり返しやログイン名を含めないでください。")


# An attempt is counted before the password is looked at, so that twenty at once are twenty. A fifth failure locks.
_ATTEMPT = f"""UPDATE account SET
  failures = CASE WHEN locked_until IS NULL THEN failures + 1 ELSE 1 END,
  locked_until = CASE WHEN locked_until IS NULL AND failures + 1 >= {FAILURES} THEN clock_now() + interval '{LOCK_MINUTES} minutes' END
WHERE login = %s AND NOT disabled AND (locked_until IS NULL OR locked_until <= clock_now())
RETURNING person_id, password_hash"""

_SUCCESS = """UPDATE account SET failures = 0, locked_until = NULL, password_hash = %s
WHERE person_id = %s AND password_hash = %s AND NOT disabled"""


def sign_in(db: Database, login: str, password: str) -> int | Failure:
    """The id of the person with this name and password. Holds no connection while it hashes."""
    with db.connection() as conn:
        found = conn.execute(_ATTEMPT, [login_key(login)[:LONGEST]]).fetchone()
    person_id, stored = found or (None, DECOY)
    if not _verify(stored, password[: LONGEST + 1]) or person_id is None:
        logger.warning("sign-in failed: person=%s", person_id or "unknown")
        return Failure.UNKNOWN if person_id is None else Failure.WRONG
    kept = hash_password(password) if _hasher.check_needs_rehash(stored) else stored
    with db.connection() as conn:
        if not conn.execute(_SUCCESS, [kept, person_id, stored]).rowcount:
            return Failure.UNKNOWN  # disabled, or the password was changed, while we were hashing
    return int(person_id)


def open_session(conn: type_connection, person_id: int, previous: str | None = None) -> Opened:
    """A new session with a new id; the browser's `previous` one ends with it, and so do sessions that ran out."""
    opened = Opened(secrets.token_urlsafe(32), secrets.token_urlsafe(32))
    # The clock is asked once, not once for each session of the prefecture.
    conn.execute(
        """WITH gone AS (DELETE FROM session WHERE token = %(previous)s
                         OR created_at <= (SELECT clock_now()) - %(hours)s * interval '1 hour')
           INSERT INTO session (token, person_id, csrf, created_at, seen_at)
           VALUES (%(token)s, %(person)s, %(csrf)s, clock_now(), clock_now())""",
        {
            "previous": _digest(previous or ""), "hours": settings().session_hours,
            "token": _digest(opened.token), "person": person_id, "csrf": opened.csrf,
        },
    )  # fmt: skip
    return opened


_LIVE = """SELECT s.person_id, s.csrf, s.seen_at < clock_now() - interval '1 minute' FROM session s JOIN account a USING (person_id)
WHERE s.token = %(token)s AND NOT a.disabled AND s.seen_at > clock_now() - %(idle)s * interval '1 minute'
  AND s.created_at > clock_now() - %(hours)s * interval '1 hour'"""


def live_session(conn: type_connection, token: str) -> Live | None:
    """The session of this token, unless it was idle too long, is too old, or its account was disabled."""
    limits = {"token": _digest(token), "idle": settings().session_idle_minutes, "hours": settings().session_hours}
    row = conn.execute(_LIVE, limits, prepare=True).fetchone()
    if row is None:
        return None
    if row[2]:  # a write a minute is enough to know that somebody is there
        conn.execute("UPDATE session SET seen_at = clock_now() WHERE token = %s", [limits["token"]])
    return Live(row[0], row[1])


def sign_out(conn: type_connection, token: str) -> None:
    """End the session of this token, for every tab that has it."""
    conn.execute("DELETE FROM session WHERE token = %s", [_digest(token)])


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, _plain(password))
    except (VerificationError, InvalidHashError):
        return False


def _plain(password: str) -> str:
    # The same characters typed on two systems may be composed differently.
    return unicodedata.normalize("NFC", password)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
