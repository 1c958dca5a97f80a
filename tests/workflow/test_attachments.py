"""A file of a case: recorded once, never replaced, seen by whom it is for, gone only from a draft or by an erasure."""

import json
import threading
from typing import Any
from uuid import uuid4

import pytest

from states.kernel import Refused
from tests import factory
from tests.papers import PDF, attach, person, rows
from workflow import acts, attachments, cases, export, story
from workflow.arriving import Arriving, remove, size_text
from workflow.db import driver
from workflow.loading import NotFound
from workflow.reach import Reach, reach
from workflow.settings import settings
from workflow.verify import verify

ALL = Reach(remarks=True, files=True, until=None, adds=True)


@pytest.fixture
def draft(conn, who):
    return factory.opened(conn, who)


@pytest.fixture
def case(conn, who, draft):
    factory.drive(conn, who, draft, "submit", "receive")
    return draft


@pytest.fixture
def limits(monkeypatch):
    """Settings with smaller limits."""

    def limit(**values: int) -> None:
        for name, value in values.items():
            monkeypatch.setattr(settings(), name, value)

    return limit


def reach_of(db, conn, person_id, case_id):
    view = cases.look(conn, person_id, case_id)
    return reach(view.roles, view.may_read, view.version if view.ended else None)


def seen(db, conn, person_id, case_id):
    return [file.name for file in attachments.listed(conn, case_id, reach_of(db, conn, person_id, case_id))]


def nothing_left(conn):
    return rows(conn, "SELECT (SELECT count(*) FROM attachment), (SELECT count(*) FROM attachment_part)") == [(0, 0)]


# ── recorded ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_on_a_case_in_progress_is_an_event(db, conn, who, case):
    made = attach(db, who.bureau, case, [PDF[:10], PDF[10:]], name="回答.pdf", label="併任の回答")
    (file,) = attachments.listed(conn, case, ALL)
    assert (file.id, file.seq, file.name, file.label, file.size) == (made, 3, "回答.pdf", "併任の回答", len(PDF))
    assert (file.media_type, file.org_name, file.scope) == ("application/pdf", "上川総合振興局", "shared")
    assert b"".join(attachments.stream(db, file)) == PDF
    ((action, post, data),) = rows(
        conn, "SELECT e.action, e.post, x.data FROM event e JOIN content x USING (case_id, seq) WHERE kind = %s", f"file:{made}"
    )  # fmt: skip
    assert action == "attach"
    assert post != "clock"
    named = ("id", "name", "size", "sha256", "media_type", "scope", "label")
    assert json.loads(bytes(data)) == {name: getattr(file, name) for name in named}
    assert verify(db).whole


def test_the_event_moves_nothing_and_asks_nobody_anew(db, conn, who, case):
    tables = "SELECT id, closed_at FROM step UNION ALL SELECT id, closed_at FROM deadline ORDER BY 1"
    before = rows(conn, tables), rows(conn, "SELECT state, number, title, form FROM cases")
    told = rows(conn, "SELECT count(*) FROM outbox")
    attach(db, who.bureau, case)
    assert (rows(conn, tables), rows(conn, "SELECT state, number, title, form FROM cases")) == before
    assert rows(conn, "SELECT count(*) FROM outbox") == told
    with pytest.raises(cases.Conflict) as late:
        factory.drive(conn, who, case, ("propose_team", {"version": 2}))
    assert late.value.action_label == "ファイルを添える"
    factory.drive(conn, who, case, "propose_team")


def test_a_drafts_files_are_recorded_by_its_first_act(db, conn, who, draft):
    first, second = attach(db, who.municipality, draft), attach(db, who.municipality, draft, PDF + b" ", label="地図")
    assert [file.seq for file in attachments.listed(conn, draft, ALL)] == [None, None]
    factory.drive(conn, who, draft, "submit")
    assert [file.seq for file in attachments.listed(conn, draft, ALL)] == [1, 1]
    kinds = [
        kind for (kind,) in rows(conn, "SELECT kind FROM content WHERE seq = 1 AND kind LIKE '%%file:%%' ORDER BY ord")
    ]
    assert kinds == [f"file:{first}", f"file:{second}"]
    assert verify(db).whole


def test_a_file_that_comes_while_the_draft_is_put_in_is_not_forgotten(db, conn, who, draft, monkeypatch):
    """Between the reading and the writing of the first act: the act looks again and records the file too."""
    real, once = acts.work_out, [True]

    def then_attached(*told: Any, **more: Any) -> Any:
        params = real(*told, **more)
        if once and once.pop():
            attach(db, who.municipality_colleague, draft)
        return params

    monkeypatch.setattr(acts, "work_out", then_attached)
    factory.drive(conn, who, draft, "submit")
    assert [file.seq for file in attachments.listed(conn, draft, ALL)] == [1]
    assert len(rows(conn, "SELECT 1 FROM content WHERE seq = 1 AND kind LIKE 'file:%%'")) == 1


def test_a_file_that_is_taken_out_meanwhile_is_not_recorded(db, conn, who, draft, monkeypatch):
    made = attach(db, who.municipality, draft)
    real, once = acts.work_out, [True]

    def then_removed(*told: Any, **more: Any) -> Any:
        params = real(*told, **more)
        if once and once.pop():
            with db.connection() as other:
                remove(other, who.municipality_colleague, draft, made)
        return params

    monkeypatch.setattr(acts, "work_out", then_removed)
    factory.drive(conn, who, draft, "submit")
    assert rows(conn, "SELECT 1 FROM content WHERE kind LIKE 'file:%%'") == []


def test_a_file_that_ends_after_the_draft_was_put_in_becomes_an_event(db, conn, who, draft):
    with db.transaction() as session:
        arrives = Arriving(driver(session), person(db, who.municipality), draft, name="a.pdf", scope="shared", label="")
        arrives.add(PDF)
        factory.drive(conn, who, draft, "submit")
        arrives.finish(uuid4())
    assert [file.seq for file in attachments.listed(conn, draft, ALL)] == [2]
    assert verify(db).whole


def test_somebody_acts_while_the_file_is_recorded(db, conn, who, case, monkeypatch):
    real, once = acts.note, [True]

    def then_acted(*told: Any, **more: Any) -> Any:
        params = real(*told, **more)
        if once and once.pop():
            factory.drive(conn, who, case, "propose_team")
        return params

    monkeypatch.setattr("workflow.arriving.acts.note", then_acted)
    attach(db, who.bureau_colleague, case)
    assert [file.seq for file in attachments.listed(conn, case, ALL)] == [4]
    assert verify(db).whole


def test_a_post_that_ends_meanwhile_adds_nothing(db, conn, who, case, owner, monkeypatch):
    real = acts.note

    def then_retired(*told: Any, **more: Any) -> Any:
        owner.execute("UPDATE tenure SET valid_to = '2020-04-02' WHERE person_id = %s", (who.bureau,))
        return real(*told, **more)

    monkeypatch.setattr("workflow.arriving.acts.note", then_retired)
    with pytest.raises(cases.PostLost):
        attach(db, who.bureau, case)
    assert nothing_left(conn)
    assert factory.version(conn, case) == 2


# ── once ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_form_twice_is_one_file(db, conn, who, case):
    key = uuid4()
    first = attach(db, who.bureau, case, key=key)
    assert attach(db, who.bureau, case, key=key) == first
    assert rows(conn, "SELECT count(*) FROM attachment") == [(1,)]
    assert rows(conn, "SELECT count(DISTINCT attachment_id) FROM attachment_part") == [(1,)]
    assert factory.version(conn, case) == 3


def test_the_same_key_with_another_file_is_another_file(db, conn, who, case):
    key = uuid4()
    assert attach(db, who.bureau, case, key=key) != attach(db, who.bureau, case, PDF + b" ", key=key)


def test_the_same_content_twice_is_refused_with_the_name_it_has(db, conn, who, case):
    attach(db, who.bureau, case, name="町の地図.pdf")
    with pytest.raises(Refused, match="町の地図"):
        attach(db, who.municipality, case, name="同じもの.pdf")
    assert rows(conn, "SELECT count(*) FROM attachment") == [(1,)]


def test_what_is_inside_says_nothing_to_who_stands_outside(db, conn, who, case, limits):
    """Neither that the same file is there already, nor how much room the internal ones take."""
    attach(db, who.bureau, case, name="内部.pdf", scope="internal")
    limits(case_files=1, case_quota=len(PDF) + 1)
    attach(db, who.municipality, case, name="町から.pdf")
    assert seen(db, conn, who.municipality, case) == ["町から.pdf"]
    limits(case_files=9, case_quota=9 * len(PDF))
    with pytest.raises(Refused, match="内部"):
        attach(db, who.director, case, scope="internal")


def test_an_internal_file_may_be_shared_later(db, conn, who, case):
    attach(db, who.bureau, case, scope="internal")
    attach(db, who.bureau, case, scope="shared")
    assert [file.scope for file in attachments.listed(conn, case, ALL)] == ["internal", "shared"]


# ── room ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_beyond_its_limit_is_refused_before_it_is_all_there(db, conn, who, case, limits):
    limits(file_limit=1000)
    taken = 0

    def pieces():
        nonlocal taken
        for piece in (PDF, bytes(900), bytes(900)):
            taken += 1
            yield piece

    with pytest.raises(Refused, match="大きすぎます"):
        attach(db, who.bureau, case, pieces())
    assert taken == 3
    assert nothing_left(conn)


def test_a_case_takes_so_much_and_so_many(db, conn, who, case, limits):
    limits(case_quota=2 * len(PDF))
    attach(db, who.bureau, case)
    with pytest.raises(Refused, match="添えられる大きさ"):
        attach(db, who.bureau, case, PDF + b" ")
    limits(case_files=1, case_quota=10**6)
    with pytest.raises(Refused, match="1個まで"):
        attach(db, who.bureau, case, PDF + b" ")
    assert rows(conn, "SELECT count(*) FROM attachment") == [(1,)]


@pytest.mark.parametrize("put_in", [False, True])
def test_of_two_files_at_once_that_do_not_fit_together_one_is_refused(db, conn, who, draft, put_in, limits):
    if put_in:
        factory.drive(conn, who, draft, "submit")
    limits(case_quota=5000)
    barrier, ends = threading.Barrier(2), []

    def add(number: int) -> None:
        with db.transaction() as session:
            sender = person(db, (who.municipality, who.municipality_colleague)[number])
            arrives = Arriving(driver(session), sender, draft, name=f"{number}.pdf", scope="shared", label="")
            arrives.add(PDF + bytes(3000) + bytes([number]))
            barrier.wait(30)
            arrives.finish(uuid4())
        ends.append("done")

    def tried(number: int) -> None:
        try:
            add(number)
        except Refused as refusal:
            ends.append(refusal.sentence[:12])

    threads = [threading.Thread(target=tried, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(ends) == ["done", "この案件に添えられる大きさ"[:12]]
    assert rows(
        conn, "SELECT count(*), count(DISTINCT p.attachment_id) FROM attachment a JOIN attachment_part p ON true"
    ) == [(1, 1)]
    assert verify(db).whole


def test_what_breaks_off_leaves_nothing(db, conn, who, case):
    class Gone(Exception):
        pass

    def pieces():
        yield PDF
        yield bytes(100)
        raise Gone

    with pytest.raises(Gone):
        attach(db, who.bureau, case, pieces())
    assert nothing_left(conn)
    assert factory.version(conn, case) == 2
    assert rows(conn, "SELECT count(*) FROM idempotency WHERE result ? 'made'") == [(0,)]


@pytest.mark.parametrize(("size", "text"), [(0, "0バイト"), (1023, "1023バイト"), (1024, "1 KB"), (38_912, "38 KB"), (1_572_864, "1.5 MB"), (31_457_280, "30 MB")])  # fmt: skip
def test_sizes_as_people_say_them(size, text):
    assert size_text(size) == text


# ── who ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_drafts_files_are_its_writers_office_alone(db, conn, who, draft):
    attach(db, who.municipality, draft)
    assert seen(db, conn, who.municipality_colleague, draft) == ["要綱.pdf"]
    for other in (who.bureau, who.director, who.headquarters, who.auditor, who.records, who.staff):
        with pytest.raises(NotFound):
            cases.look(conn, other, draft)
        with pytest.raises(NotFound):
            attach(db, other, draft, PDF + b" ")


def test_internal_files_are_for_those_whom_the_process_lets_read_them(db, conn, who, case):
    factory.drive(conn, who, case, "propose_team", "put_to_director", "approve")
    attach(db, who.bureau, case, name="内部.pdf", scope="internal")
    attach(db, who.municipality, case, PDF + b" ", name="町から.pdf")
    both = ["内部.pdf", "町から.pdf"]
    for inner in (who.bureau, who.director, who.headquarters, who.auditor, who.records):
        assert seen(db, conn, inner, case) == both
    for outer in (who.municipality, who.municipality_colleague, who.staff):
        assert seen(db, conn, outer, case) == ["町から.pdf"]


def test_who_stands_outside_never_has_what_is_internal_whatever_a_process_says(db, conn, who, case):
    everything = reach(frozenset({"municipality"}), lambda kind: True)
    assert (everything.files, everything.remarks, everything.file_scopes) == (False, False, ("shared",))
    nobody = reach(frozenset(), lambda kind: True)
    assert (nobody.files, nobody.remarks, nobody.adds) == (False, False, False)


@pytest.mark.parametrize("who_else", ["auditor", "records"])
def test_who_only_reads_adds_nothing(db, conn, who, case, who_else):
    for scope in ("shared", "internal"):
        with pytest.raises(Refused) as refusal:
            attach(db, getattr(who, who_else), case, scope=scope)
        assert refusal.value.kind == "role"
    assert nothing_left(conn)


def test_a_municipality_adds_nothing_internal_and_nothing_elsewhere(db, conn, who, case):
    for scope in ("internal", "", "SHARED", "shared\x00"):
        with pytest.raises(Refused) as refusal:
            attach(db, who.municipality, case, scope=scope)
        assert refusal.value.kind == "role"
    with pytest.raises(NotFound):
        attach(db, factory.person(conn, "municipality", "014583"), case)
    assert nothing_left(conn)


def test_an_ended_party_has_nothing_newer(db, conn, who, case, owner):
    attach(db, who.municipality, case, name="前.pdf")
    owner.execute("UPDATE party SET valid_to = CURRENT_DATE, until_seq = 3 WHERE part = 'requester'")
    attach(db, who.bureau, case, PDF + b" ", name="後.pdf")
    assert seen(db, conn, who.bureau, case) == ["前.pdf", "後.pdf"]
    assert seen(db, conn, who.municipality, case) == ["前.pdf"]
    with pytest.raises(Refused):
        attach(db, who.municipality, case, PDF + b"  ")


def test_a_file_of_another_case_is_not_found(db, conn, who, case):
    made = attach(db, who.bureau, case)
    other = factory.opened(conn, who)
    assert attachments.one(conn, other, ALL, made) is None
    found = attachments.one(conn, case, ALL, made)
    assert found is not None
    assert found.id == made


def test_an_internal_file_stands_in_no_story_and_no_export_for_who_may_not_read_it(db, conn, who, case):
    attach(db, who.bureau, case, name="内部の検討.pdf", scope="internal", label="人事の案")
    attach(db, who.bureau, case, PDF + b" ", name="外へ.pdf")
    told = {
        name: story.timeline(conn, cases.look(conn, getattr(who, name), case)) for name in ("bureau", "municipality")
    }
    parts = {
        name: [(p["text"], p["internal"]) for line in lines for p in line["shown"]] for name, lines in told.items()
    }
    assert ("内部の検討.pdf(人事の案)", True) in parts["bureau"]
    assert ("外へ.pdf", False) in parts["municipality"]
    assert "内部" not in str(parts["municipality"])
    assert "人事" not in str(parts["municipality"])
    reader = person(db, who.municipality)
    keys = [(case, seq) for seq in range(1, 5)]
    for taken in (export.as_csv(db, reader, keys), export.as_json_lines(db, reader, keys)):
        text = b"".join(taken).decode()
        assert "内部の検討" not in text
        assert "人事の案" not in text


# ── gone ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_drafts_file_is_taken_out_again(db, conn, who, draft):
    made = attach(db, who.municipality, draft)
    for other in (who.bureau, who.headquarters):
        with pytest.raises(NotFound):
            remove(conn, other, draft, made)
    remove(conn, who.municipality_colleague, draft, made)
    assert nothing_left(conn)
    remove(conn, who.municipality, draft, made)  # the second click says the same


def test_after_that_nobody_takes_a_file_out(db, conn, who, case):
    made = attach(db, who.municipality, case)
    for someone in (who.municipality, who.bureau, who.director):
        with pytest.raises(NotFound):
            remove(conn, someone, case, made)
    assert rows(conn, "SELECT count(*) FROM attachment") == [(1,)]


def test_a_draft_is_thrown_away_with_its_files(db, conn, who, draft):
    attach(db, who.municipality, draft)
    cases.delete_draft(conn, who.municipality, draft)
    assert nothing_left(conn)


def test_an_erased_file_leaves_its_place(db, conn, who, case):
    made = attach(db, who.bureau, case, name="氏名の入った紙.pdf", label="名簿")
    attachments.erase(conn, case, made, 4)
    (file,) = attachments.listed(conn, case, ALL)
    assert (file.name, file.label, file.sha256, file.erased_seq, file.seq) == ("", "", "", 4, 3)
    assert attachments.one(conn, case, ALL, made) is None
    assert rows(conn, "SELECT count(*) FROM attachment_part") == [(0,)]
    attach(db, who.bureau, case)  # whoever decided that may add it again without the name


# ── whole ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE attachment_part SET data = 'x' || substr(data, 2) WHERE ord = 1",
        "DELETE FROM attachment_part WHERE ord = 2",
        "DELETE FROM attachment_part",
        "UPDATE attachment_part SET ord = 5 - ord",
        "UPDATE attachment SET sha256 = repeat('0', 64)",
    ],
)
def test_what_is_not_as_it_came_is_not_given_out(db, conn, who, case, harm):
    made = attach(db, who.bureau, case, [PDF, b"zwei", b"drei"])
    conn.execute(harm)
    file = attachments.one(conn, case, ALL, made)
    assert file is not None
    with pytest.raises(attachments.Damaged):
        attachments.prove(conn, file)
    given: list[bytes] = []
    with pytest.raises(attachments.Damaged):
        given.extend(attachments.stream(db, file))
    assert sum(map(len, given)) < file.size
