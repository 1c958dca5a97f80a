"""A request that makes something is carried out once, however often its form is sent.

Acts keep their answer in their own statement; everything else that makes a row goes through here. The key travels in the
form; the first request under it does the work, every other gets the first one's answer.
"""

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

from workflow import history
from workflow.cases import KeyReused
from workflow.loading import Connection


def once(conn: Connection, person_id: int, key: UUID, asked: Any, do: Callable[[], int]) -> int:
    """What `do` returned when this request was carried out for the first time. Raises `KeyReused`.

    One transaction: a second sending waits for the first one, and finds its answer or, when that failed, does the work.
    """
    request = hashlib.sha256(history.canonical(asked).encode()).digest()
    with conn.transaction():
        first = conn.execute(
            """INSERT INTO idempotency (person_id, key, request, result, made_at) VALUES (%s, %s, %s, '{}', now())
               ON CONFLICT DO NOTHING RETURNING true""",
            (person_id, key, request),
            prepare=True,
        ).fetchone()
        if first:
            made = do()
            conn.execute(
                "UPDATE idempotency SET result = jsonb_build_object('made', %s::bigint) WHERE person_id = %s AND key = %s",
                (made, person_id, key),
                prepare=True,
            )
            return made
        row = conn.execute(
            "SELECT request, result FROM idempotency WHERE person_id = %s AND key = %s", (person_id, key), prepare=True
        ).fetchone()
    if row is None or bytes(row[0]) != request or "made" not in row[1]:
        raise KeyReused
    return int(row[1]["made"])
