"""An act without HTTP against the same rows written by hand, and by an ORM session.

Ours: `cases.act`, everything on – posts, visibility, some twenty rules, hashes, idempotency, guarded tables.
Hand: psycopg, statement by statement in one transaction, prepared, on plain twin tables (no foreign key, CHECK, generated
column or trigger; the same indexes), computing the same hashes, asking no rule. ORM: the same act through a SQLModel
session on our tables – it reads what our decision reads, asks the same process, and writes the same rows.
The act is putting a case to the director and sending it back, over and over; every contender writes the same rows.
"""

import json
import multiprocessing
import random
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import text
from sqlmodel import Session, col, select

from benchmarks.world import World, analyse, world
from states import catalogue
from states.places import Directory
from states.terms import Facts
from tests import factory
from workflow import cases, history, loading, models
from workflow.db import Database
from workflow.deadlines import calendar_of
from workflow.memory import settle

SLICES, SECONDS, CASES, PROCESSES = 7, 1.0, 400, 8
TWINS = (
    "cases",
    "event",
    "content",
    "step",
    "deadline",
    "outbox",
    "idempotency",
    "party",
    "tenure",
    "post",
    "person",
    "counter",
)


def measure() -> list[tuple[str, float, float, float, float]]:
    """(name, median ratio, lowest, highest, target) of each claim."""
    with world(CASES) as place:
        _twins(place)
        found = []
        for processes, target in ((1, 0.95), (PROCESSES, 0.85)):
            rates = _slices(place, processes)
            for name, other, wanted in (
                ("hand-written psycopg, plain tables", "hand", target),
                ("SQLModel session", "orm", 5.0),
            ):
                ratios = [ours / theirs for ours, theirs in zip(rates["ours"], rates[other], strict=True)]
                found.append(
                    (
                        f"act, {processes} process(es) / {name}",
                        statistics.median(ratios),
                        min(ratios),
                        max(ratios),
                        wanted,
                    )
                )
    return found


def _slices(place: World, processes: int) -> dict[str, list[float]]:
    """Acts per second of each contender, slice by slice, the order rotated."""
    barrier = multiprocessing.get_context("spawn").Barrier(processes + 1)
    pipes, workers = [], []
    for number in range(processes):
        mine, theirs = multiprocessing.get_context("spawn").Pipe()
        worker = multiprocessing.get_context("spawn").Process(
            target=_work, args=(place, number, processes, barrier, theirs)
        )
        worker.start()
        pipes.append(mine)
        workers.append(worker)
    names = list(CONTENDERS)
    rates: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for slice_number in range(-1, SLICES):  # the first round warms up and is dropped
        for name in names[slice_number % 3 :] + names[: slice_number % 3]:
            for pipe in pipes:
                pipe.send(name)
            barrier.wait()
            done = sum(pipe.recv() for pipe in pipes)
            if slice_number >= 0:
                rates[name].append(done / SECONDS)
    for pipe, worker in zip(pipes, workers, strict=True):
        pipe.send(None)
        worker.join()
    return rates


def _work(place: World, number: int, of: int, barrier: Barrier, pipe: Any) -> None:
    mine = place.cases[number::of]
    app = Database(place.app_url, pool_size=2)
    owner = psycopg.connect(place.owner_url.replace("+psycopg", ""), autocommit=True, options="-c search_path=plain")
    owner.prepare_threshold = 0
    chance = random.Random(number)
    settle()  # as the product's own processes do, for every contender
    with app.connection() as conn:
        while (name := pipe.recv()) is not None:
            one = CONTENDERS[name](place, conn, owner, app)
            barrier.wait()
            end, done = time.perf_counter() + SECONDS, 0
            while time.perf_counter() < end:
                one(chance.choice(mine))
                done += 1
            pipe.send(done)
    owner.close()
    app.close()


Act = Callable[[int], None]


def _ours(place: World, conn: Any, owner: Any, app: Database) -> Act:
    states: dict[int, tuple[str, int]] = {}

    def one(case: int) -> None:
        if case not in states:
            row = conn.execute("SELECT state, version FROM cases WHERE id = %s", (case,)).fetchone()
            states[case] = (row[0], row[1])
        state, version = states[case]
        if state == "municipal_request":
            done = cases.act(
                conn,
                place.who.bureau,
                case,
                "put_to_director",
                version=version,
                key=uuid4(),
                inputs=factory.TYPED["put_to_director"],
            )
        else:
            done = cases.act(
                conn,
                place.who.director,
                case,
                "send_back",
                version=version,
                key=uuid4(),
                inputs=factory.TYPED["send_back"],
            )
        states[case] = (done.state, done.version)

    return one


PUT, BACK = (
    ("put_to_director", "director_judgement", "director", "派遣を判断する"),
    ("send_back", "municipal_request", "bureau", "検討して判断を求める"),
)


def _rows(form: dict[str, Any], put: bool, seq: int, actor: int) -> list[history.Content]:
    """The same content rows as the act writes: the changed group or the reason, the names, the verdicts shown."""
    names = {"actor": "氏名", "post": "地域政策課 主査", "office": "上川総合振興局"}
    shown = {
        "verdicts": [["pass", f"D-{n:02d}", "request.title", "さしつかえありません。" * 3] for n in range(18)],
        "computed": {"total_days": 19},
    }
    own = (
        [("form:drafting", form["drafting"] | {"by": str(actor), "on": f"{seq}"})]
        if put
        else [("internal:reason", "隊の案を見直すこと。")]
    )
    return history.contents(seq, [*own, ("names", names), *([("shown", shown)] if put else [])])


def _event(
    case: int, seq: int, at: int, action: str, source: str, dest: str, actor: int, post: int, before: Any, rows: Any
) -> tuple[str, Any]:
    refs = history.references(before["content"], rows)
    body = history.event_body(
        case=case, seq=seq, at=at, action=action, source=source, dest=dest, process=("dispatch", 1, before["process_digest"]),
        actor=str(actor), post=str(post), office="hk-kamikawa", lead="hk-kamikawa", round_no=seq, number=before["number"], content=refs,
    )  # fmt: skip
    return body, refs


def _hand(place: World, conn: Any, owner: psycopg.Connection[Any], app: Database) -> Act:
    def one(case: int) -> None:
        key, run = uuid4(), owner.execute
        with owner.transaction():
            row = run(
                "SELECT state, version, head, form, number FROM cases WHERE id = %s FOR NO KEY UPDATE", (case,)
            ).fetchone()
            assert row is not None
            state, version, head, form, _ = row
            put = state == "municipal_request"
            (action, dest, role, ask), actor = (PUT, place.who.bureau) if put else (BACK, place.who.director)
            posts = run(
                """SELECT p.id, p.org_code, p.role FROM tenure t JOIN post p ON p.id = t.post_id WHERE t.person_id = %s
                   AND t.valid_from <= now() AND (t.valid_to IS NULL OR t.valid_to >= now())""", (actor,),
            ).fetchall()  # fmt: skip
            parties = run("SELECT org_code FROM party WHERE case_id = %s", (case,)).fetchall()
            assert any(post[1] == party[0] for post in posts for party in parties)
            run("SELECT result FROM idempotency WHERE person_id = %s AND key = %s", (actor, key)).fetchone()
            steps = run("SELECT id FROM step WHERE case_id = %s AND closed_at IS NULL", (case,)).fetchall()
            dues = run(
                "SELECT id, kind, due_at FROM deadline WHERE case_id = %s AND closed_at IS NULL", (case,)
            ).fetchall()
            last = run("SELECT body FROM event WHERE case_id = %s AND seq = %s", (case, version)).fetchone()
            assert last is not None
            now, seq = datetime.now(UTC), version + 1
            at = (now - cases_epoch) // timedelta(microseconds=1)
            rows = _rows(form, put, seq, actor)
            form = {**form, "drafting": json.loads(rows[0].data)} if put else form
            body, _ = _event(case, seq, at, action, state, dest, actor, posts[0][0], json.loads(last[0]), rows)
            digest = history.event_hash(head, body)
            run(
                """UPDATE cases SET state = %s, version = %s, head = %s, acted_by = %s, acted_at = %s, form = %s
                   WHERE id = %s AND version = %s""", (dest, seq, digest, str(actor), now, history.canonical(form), case, version),
            )  # fmt: skip
            run(
                "INSERT INTO event (case_id, seq, at, action, actor, post, office, previous, hash, body) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)",
                (case, seq, now, action, str(actor), str(posts[0][0]), "hk-kamikawa", head, digest, body),
            )
            for content in rows:
                run(
                    "INSERT INTO content (case_id, seq, ord, kind, digest, salt, data) VALUES (%s,%s,%s,%s,%s,%s,%s)",
                    (case, seq, content.ord, content.kind, content.digest, content.salt, content.data),
                )
            for step in steps:
                run("UPDATE step SET closed_at = %s WHERE id = %s", (now, step[0]))
            run(
                "INSERT INTO step (case_id, org_code, role, ask, due_at, opened_at) VALUES (%s,%s,%s,%s,%s,%s)",
                (case, "hk-kamikawa", role, ask, now + timedelta(days=5), now),
            )
            if put:
                run(
                    "INSERT INTO deadline (case_id, kind, holder, move, due_at, opened_at) VALUES (%s,%s,%s,'',%s,%s)",
                    (case, "judgement", "director", now + timedelta(days=3), now),
                )
            for due in dues:
                if due[1] == "judgement":
                    run("UPDATE deadline SET closed_at = %s WHERE id = %s", (now, due[0]))
            run(
                "INSERT INTO outbox (case_id, seq, kind, payload, dedup, next_at, tries) VALUES (%s,%s,'notice',%s,%s,%s,0)",
                (
                    case,
                    seq,
                    '{"tells": ["bureau"], "asks": [["hk-kamikawa", "bureau", null, "x"]]}',
                    f"{case}:{seq}:notice",
                    now,
                ),
            )
            run(
                "INSERT INTO idempotency (person_id, key, request, result, made_at) VALUES (%s,%s,%s,%s,%s)",
                (actor, key, digest, json.dumps({"version": seq, "state": dest}), now),
            )

    return one


cases_epoch = loading.EPOCH


def _orm(place: World, conn: Any, owner: Any, app: Database) -> Act:
    def one(case_id: int) -> None:
        now, key = datetime.now(UTC), uuid4()
        with Session(app.engine) as session:
            case = session.get(models.Case, case_id)
            assert case is not None
            put = case.state == "municipal_request"
            (action, dest, role, ask), actor = (PUT, place.who.bureau) if put else (BACK, place.who.director)
            posts = session.exec(
                select(models.Post)
                .join(models.Tenure, col(models.Tenure.post_id) == col(models.Post.id))
                .where(models.Tenure.person_id == actor)
            ).all()
            parties = session.exec(select(models.Party).where(models.Party.case_id == case_id)).all()
            assert any(post.org_code == party.org_code for post in posts for party in parties)
            assert session.get(models.Idempotency, (actor, key)) is None
            steps = session.exec(
                select(models.Step).where(models.Step.case_id == case_id, col(models.Step.closed_at).is_(None))
            ).all()
            dues = session.exec(
                select(models.Deadline).where(
                    models.Deadline.case_id == case_id, col(models.Deadline.closed_at).is_(None)
                )
            ).all()
            last = session.get(models.Event, (case_id, case.version))
            assert last is not None
            person = session.get(models.Person, actor)
            installation = session.exec(select(models.Installation)).one()
            headquarters = session.exec(
                select(models.Organisation).where(models.Organisation.code == installation.headquarters)
            ).one()
            closures = session.exec(select(models.Closure)).all()
            assigned = session.exec(select(models.Assignment).where(models.Assignment.case_id == case_id)).all()
            counters = session.exec(select(models.Counter).where(models.Counter.org_code == case.lead)).all()
            assert person is not None
            assert headquarters.name
            process = catalogue.process(case.process, case.process_version)
            facts = Facts(
                state=case.state, form=case.form, read=process.reading(case.form), today=now.date(),
                directory=Directory.from_csv(), calendar=calendar_of(frozenset(f"{c.kind} {c.day}" for c in closures)),
                roles=frozenset(post.role for post in posts), actor=str(actor), number=case.number,
                inputs=factory.TYPED[action],
                registers={"assigned": tuple({a.person_id for a in assigned}), "numbers": {c.kind: str(c.value) for c in counters},
                           "edited": frozenset(), "lead": case.lead},
            )  # fmt: skip
            process.decide(facts, action)
            seq = case.version + 1
            at = (now - cases_epoch) // timedelta(microseconds=1)
            rows = _rows(case.form, put, seq, actor)
            body, _ = _event(
                case_id, seq, at, action, case.state, dest, actor, posts[0].id or 0, json.loads(last.body), rows
            )
            digest = history.event_hash(case.head, body)
            session.add(
                models.Event(case_id=case_id, seq=seq, at=now, action=action, actor=str(actor), post=str(posts[0].id), office="hk-kamikawa",
                             previous=case.head, hash=digest, body=body)
            )  # fmt: skip
            if put:
                case.form = {**case.form, "drafting": json.loads(rows[0].data)}
            case.state, case.version, case.head, case.acted_by, case.acted_at = dest, seq, digest, str(actor), now
            session.flush()
            for content in rows:
                session.add(
                    models.Content(case_id=case_id, seq=seq, ord=content.ord, kind=content.kind, digest=content.digest, salt=content.salt,
                                   data=content.data)
                )  # fmt: skip
            for step in steps:
                step.closed_at = now
            for due in dues:
                if due.kind == "judgement":
                    due.closed_at = now
            session.flush()
            session.add(
                models.Step(
                    case_id=case_id,
                    org_code="hk-kamikawa",
                    role=role,
                    ask=ask,
                    due_at=now + timedelta(days=5),
                    opened_at=now,
                )
            )
            if put:
                session.add(
                    models.Deadline(
                        case_id=case_id,
                        kind="judgement",
                        holder="director",
                        due_at=now + timedelta(days=3),
                        opened_at=now,
                    )
                )
            session.add(
                models.Outbox(
                    case_id=case_id,
                    seq=seq,
                    kind="notice",
                    payload={"tells": ["bureau"]},
                    dedup=f"{case_id}:{seq}:notice",
                    next_at=now,
                )
            )
            session.add(
                models.Idempotency(
                    person_id=actor, key=key, request=digest, result={"version": seq, "state": dest}, made_at=now
                )
            )
            session.commit()

    return one


CONTENDERS: dict[str, Callable[[World, Any, Any, Database], Act]] = {"ours": _ours, "hand": _hand, "orm": _orm}


def _twins(place: World) -> None:
    """Plain copies of the tables with their rows and indexes, and nothing that guards them."""
    owner = Database(place.owner_url, pool_size=1)
    with owner.engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA plain"))
        for name in TWINS:
            connection.execute(
                text(
                    f"CREATE TABLE plain.{name} (LIKE public.{name} INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING INDEXES)"
                )
            )
            if name == "event":
                connection.execute(text("ALTER TABLE plain.event DROP COLUMN prev_seq"))
            columns = ", ".join(c.name for c in models.metadata.tables[name].columns if c.name != "prev_seq")
            connection.execute(
                text(
                    f"INSERT INTO plain.{name} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM public.{name}"
                )
            )
            if "id" in models.metadata.tables[name].columns:
                connection.execute(
                    text(
                        f"SELECT setval(pg_get_serial_sequence('plain.{name}', 'id'), (SELECT coalesce(max(id), 1) FROM plain.{name}))"
                    )
                )
        connection.execute(text("ALTER TABLE plain.cases SET (fillfactor = 80)"))
    owner.close()
    analyse(place.owner_url)


def rows_per_act(place: World, names: Sequence[str]) -> dict[str, int]:
    """How many rows each table holds, to hold the contenders to the same work."""
    owner = Database(place.owner_url, pool_size=1)
    with owner.connection() as conn:
        found = {name: conn.execute(f"SELECT count(*) FROM {name}").fetchone() for name in names}
    owner.close()
    return {name: row[0] if row else 0 for name, row in found.items()}
