"""A file on its way into a case: held against the rules piece by piece, stored as it comes, recorded as an event at its end.

Everything stands in one transaction of the caller's: what breaks off, or is refused at its last byte, leaves nothing.
"""

import hashlib
from typing import Any
from uuid import UUID, uuid5

from psycopg.rows import dict_row

from states.kernel import Refused
from states.terms import block
from states.text import problems
from workflow import acts, case_sql, cases, history
from workflow.access import OUTSIDE, Actor, PostHeld, actor
from workflow.archives import FIELD, refuse
from workflow.file_types import Inspection, name_of, type_of
from workflow.loading import Connection, Loaded, NotFound, load
from workflow.once import once
from workflow.reach import INTERNAL, READERS, SHARED, Reach, reach
from workflow.settings import settings

ATTACH = "attach"  # the event that records a file on a case in progress
LONGEST_LABEL = 60  # characters

# Room is counted for each scope by itself: what one may not see takes nothing from one's own.
TAKEN = """SELECT coalesce(sum(size), 0), count(*) FROM attachment
WHERE case_id = %(case)s AND scope = %(scope)s AND id <> %(id)s AND erased_seq IS NULL"""

# An internal file may be shared later; what everybody has need not be kept inside once more.
SAME = """SELECT name FROM attachment WHERE case_id = %(case)s AND sha256 = %(sha256)s AND id <> %(id)s AND erased_seq IS NULL
  AND (scope = %(scope)s OR scope = 'shared') ORDER BY id LIMIT 1"""

DESCRIBED = """UPDATE attachment SET size = %(size)s, sha256 = %(sha256)s, org_code = %(org)s, added_at = clock_now()
WHERE id = %(id)s RETURNING id, name, size, sha256, media_type, scope, label"""


def scopes(beside: Reach, *, draft: bool, writes: bool) -> tuple[str, ...]:
    """The scopes in which a reader may add a file; to a draft, who writes it."""
    return beside.file_scopes if writes or not draft else ()


class TooLarge(Refused):
    """A file beyond the limit of one file."""

    def __init__(self) -> None:
        limit = size_text(settings().file_limit)
        said = f"ファイルが大きすぎます。1つ{limit}までです。小さくするか分けて、添え直してください。"
        super().__init__("guard", said, (block(said, FIELD),))


def size_text(size: int) -> str:
    """A number of bytes as people say it."""
    for unit, above in (("MB", 1024 * 1024), ("KB", 1024)):
        if size >= above:
            whole = f"{size / above:.1f}".removesuffix(".0")
            return f"{whole} {unit}"
    return f"{size}バイト"


class Arriving:
    """One file while it comes. Make it inside a transaction, `add` every piece, then `finish`."""

    def __init__(self, conn: Connection, person: Actor, case_id: int, *, name: str, scope: str, label: str) -> None:
        """Raises `NotFound`, and `Refused` for what can be told from name, scope, label and the room that is left."""
        self._conn, self._person, self._case_id, self._scope, self._label = conn, person, case_id, scope, label
        case = load(conn, case_id, person.person_id)
        self._post(case)
        if len(label) > LONGEST_LABEL or problems(label) or "\n" in label:
            raise refuse(
                f"「何のファイルか」は、改行や制御文字のない{LONGEST_LABEL}文字までで書いてください。まだ添えていません。"
            )
        self._name = name_of(name)
        kind = type_of(self._name)
        self._media_type = kind.media_type
        self._accepted(case)
        self._inspection, self._digest = Inspection(kind), hashlib.sha256()
        self._size, self._pieces, self._id = 0, 0, 0
        self._left = self._room()
        row = conn.execute(
            """INSERT INTO attachment (case_id, scope, label, name, media_type, size, sha256, org_code, added_by, added_at)
               VALUES (%s, %s, %s, %s, %s, 0, '', '', %s, clock_now()) RETURNING id""",
            (case_id, scope, label, self._name, kind.media_type, person.person_id), prepare=True,
        ).fetchone()  # fmt: skip
        assert row is not None
        self._id = int(row[0])

    def add(self, piece: bytes) -> None:
        """Look at a piece and store it. Raises `Refused`."""
        self._size += len(piece)
        if self._size > settings().file_limit:
            raise TooLarge
        if self._size > self._left:
            raise _no_room()
        self._inspection.add(piece)
        self._digest.update(piece)
        self._conn.execute(
            "INSERT INTO attachment_part (attachment_id, ord, data) VALUES (%s, %s, %b)",
            (self._id, self._pieces, piece), prepare=True,
        )  # fmt: skip
        self._pieces += 1

    def finish(self, key: UUID) -> int:
        """Record the file; returns its id, or that of the first where the same form came twice. Raises `Refused`, `PostLost`."""
        self._inspection.end()
        asked = ["attach", self._case_id, self._scope, self._label, self._name, self._digest.hexdigest()]
        made = once(self._conn, self._person.person_id, uuid5(key, history.canonical(asked)), asked, self._record)
        if made != self._id:
            self._conn.execute("DELETE FROM attachment WHERE id = %s", (self._id,))
        return made

    def _record(self) -> int:
        """Write the file down: in a draft as it is, else as an event. Whoever was faster is looked at, and it is tried again."""
        person = self._person.person_id
        while True:
            draft = cases.touch_draft(self._conn, person, self._case_id)
            case = load(self._conn, self._case_id, person)
            post = self._post(case)
            self._accepted(case)
            self._check()
            told = self._described(post)
            if draft:
                return self._id
            params = acts.note(case, ATTACH, [acts.file_part(told)], by=(str(person), post)) | {"person": person}
            if case_sql.carry_out(self._conn, params, frozenset({"me"})):
                self._conn.execute("UPDATE attachment SET seq = %s WHERE id = %s", (case.row.version + 1, self._id))
                return self._id
            held = actor(self._conn, person)
            if post.id not in {p.id for p in (held.posts if held else ())}:
                raise cases.PostLost

    def _post(self, case: Loaded) -> PostHeld:
        """The post with which the person adds this file. Raises `Refused` where there is none."""
        roles, state = case.facts.roles, case.row.state
        beside = reach(roles, lambda kind: case.process.reads(kind, roles, state))
        allowed = scopes(beside, draft=not case.row.version, writes=bool(cases.editable(case)))
        if self._scope not in allowed:
            raise Refused(
                "role", "この案件にこのファイルを添えることは、いまのあなたの職ではできません。何も添えていません。"
            )
        others = READERS | OUTSIDE if self._scope == INTERNAL else READERS
        return next(post for role, post in case.held.items() if role not in others)

    def _accepted(self, case: Loaded) -> None:
        """Whether the process lets everybody of the case have it. Raises `Refused`."""
        process = case.process
        if self._scope == SHARED and (
            said := process.accepts(process.reading(case.row.form), self._name, self._label, self._media_type)
        ):
            raise refuse(said)

    def _described(self, post: PostHeld) -> dict[str, Any]:
        """The file's row as it will stand, as an event says it."""
        told = {
            "size": self._size,
            "sha256": self._digest.hexdigest(),
            "org": post.org_code,
            "id": self._id,
        }
        with self._conn.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(DESCRIBED, told, prepare=True).fetchone()
        assert row is not None
        return row

    def _room(self) -> int:
        """How many bytes this scope may still take. Raises `Refused` where there are enough files."""
        place = {"case": self._case_id, "scope": self._scope, "id": self._id}
        row = self._conn.execute(TAKEN, place, prepare=True).fetchone()
        assert row is not None
        most = settings().case_files
        if row[1] >= most:
            raise refuse(
                f"1つの案件に添えられるのは{most}個までです。いくつかを1つの PDF にまとめて、添え直してください。"
            )
        return settings().case_quota - int(row[0])

    def _check(self) -> None:
        """Whether there is still room, and no such file yet. Raises `Refused`."""
        if self._size > self._room():
            raise _no_room()
        wanted = {"case": self._case_id, "sha256": self._digest.hexdigest(), "id": self._id, "scope": self._scope}
        same = self._conn.execute(SAME, wanted, prepare=True).fetchone()
        if same:
            raise refuse(f"同じ内容のファイルが、もう添えてあります(「{same[0]}」)。添え直す必要はありません。")


def remove(conn: Connection, person_id: int, case_id: int, attachment_id: int) -> None:
    """Take a file out of a draft again, for who writes it. Raises `NotFound` for anything but a draft."""
    if not cases.editable(load(conn, case_id, person_id)):
        raise NotFound
    with conn.transaction():
        if not cases.touch_draft(conn, person_id, case_id):
            raise NotFound
        conn.execute("DELETE FROM attachment WHERE case_id = %s AND id = %s", (case_id, attachment_id))


def _no_room() -> Refused:
    quota = size_text(settings().case_quota)
    return refuse(
        f"この案件に添えられる大きさ(合わせて{quota})を超えます。小さくするか、別の渡し方を担当に相談してください。"
    )
