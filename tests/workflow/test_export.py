"""What an auditor takes out: every event once, provable from the file alone, nothing that the reader may not see."""

import csv
import hashlib
import io
import json
from typing import Any

import pytest

from tests import factory
from workflow import export
from workflow.access import actor
from workflow.erase import erase
from workflow.export import Key

TO_JUDGEMENT = ("submit", "receive", "propose_team", "put_to_director")


@pytest.fixture
def story(conn, who):
    """A case decided, with a reason that only the office may read."""
    case_id = factory.opened(conn, who, title="=1+1 冬の計画", previous="")
    factory.drive(conn, who, case_id, *TO_JUDGEMENT, "decline")
    return case_id


def keys_of(conn, person, **wanted) -> list[Key]:
    return export.take(conn, person, "events.jsonl", **wanted)


def lines(db, conn, person, **wanted) -> list[dict[str, Any]]:
    reader = actor(conn, person)
    assert reader
    told = b"".join(export.as_json_lines(db, reader, keys_of(conn, person, **wanted)))
    assert told.endswith(b"\n")
    return [json.loads(line) for line in told.split(b"\n")[:-1]]


def rows(db, conn, person, **wanted) -> list[list[str]]:
    reader = actor(conn, person)
    assert reader
    told = b"".join(export.as_csv(db, reader, keys_of(conn, person, **wanted)))
    assert told.startswith("\ufeff".encode())
    return list(csv.reader(io.StringIO(told.decode("utf-8-sig"), newline="")))


def by_kind(event: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {part["kind"]: part for part in event["content"]}


@pytest.mark.parametrize("chunk", [1, 2, 200])
def test_the_chain_is_recomputed_from_the_file_alone(db, conn, who, story, monkeypatch, chunk):
    monkeypatch.setattr(export, "CHUNK", chunk)
    events = lines(db, conn, who.auditor)
    assert [json.loads(event["body"])["seq"] for event in events] == [1, 2, 3, 4, 5]
    previous = None
    for event in events:
        assert event["previous"] == previous
        own = bytes.fromhex(previous or "") + event["body"].encode()
        assert event["hash"] == hashlib.sha256(own).hexdigest()
        previous = event["hash"]
        named = {tuple(ref[:3]): ref[3] for ref in json.loads(event["body"])["content"]}
        assert event["content"]
        for part in event["content"]:
            digest = hashlib.sha256(
                bytes.fromhex(part["salt"]) + part["kind"].encode() + part["data"].encode()
            ).hexdigest()
            assert part["digest"] == digest == named[part["seq"], part["ord"], part["kind"]]


def test_what_the_reader_may_not_see_shows_its_digest_and_why(db, conn, who, story):
    full, seen = lines(db, conn, who.auditor)[-1], lines(db, conn, who.municipality)[-1]
    hidden = by_kind(seen)["internal:internal_reason"]
    assert hidden == {
        "seq": 5, "ord": hidden["ord"], "kind": "internal:internal_reason", "digest": by_kind(full)["internal:internal_reason"]["digest"],
        "withheld": "hidden",
    }  # fmt: skip
    assert "人員が足りない" in by_kind(full)["internal:internal_reason"]["data"]
    assert "時期が重なる" in by_kind(seen)["input:reason"]["data"]
    assert "人員が足りない" not in json.dumps(seen, ensure_ascii=False)
    told = "\n".join(line[11] for line in rows(db, conn, who.municipality))
    assert "時期が重なるため。" in told
    assert "人員が足りない" not in told
    assert "あなたの職では見られない内容があります" in told
    # A records officer reads the cases of the own office, and no others.
    assert "人員が足りない" in "\n".join(line[11] for line in rows(db, conn, who.records))
    elsewhere = factory.cast(conn, "hk-sorachi", "012106")
    assert lines_of_nobody(db, conn, elsewhere.records) == b""


def lines_of_nobody(db, conn, person) -> bytes:
    reader = actor(conn, person)
    assert reader
    return b"".join(export.as_json_lines(db, reader, keys_of(conn, person)))


def test_what_was_erased_names_the_erasing_event(db, conn, who, story):
    (part,) = [p for e in lines(db, conn, who.auditor) for p in e["content"] if p["kind"] == "input:reason"]
    seq = erase(db, who.records, story, [(part["seq"], part["ord"])], ground="氏名が入っていたため")
    event = next(e for e in lines(db, conn, who.auditor) if json.loads(e["body"])["seq"] == part["seq"])
    assert by_kind(event)["input:reason"] == {
        "seq": part["seq"], "ord": part["ord"], "kind": "input:reason", "digest": part["digest"], "withheld": "erased", "erased_by": seq,
    }  # fmt: skip
    told = "\n".join(line[11] for line in rows(db, conn, who.auditor))
    assert f"消去済み(記録{seq}号)" in told
    assert "時期が重なる" not in told


def test_content_that_nobody_erased_and_that_is_gone_is_called_missing(db, conn, who, story, superuser):
    superuser.execute("ALTER TABLE content DISABLE TRIGGER keep_data")
    superuser.execute("UPDATE content SET salt = NULL, data = NULL WHERE kind = 'form:contact'")
    part = by_kind(lines(db, conn, who.auditor)[0])["form:contact"]
    assert (part["withheld"], part["erased_by"]) == ("missing", None)
    assert "data" not in part


def test_a_cell_never_becomes_a_formula(db, conn, who, story):
    heading, *told = rows(db, conn, who.auditor)
    assert heading == list(export.HEADINGS)
    assert {line[2] for line in told} == {"'=1+1 冬の計画"}
    for line in told:
        assert len(line) == len(heading)
        assert not [value for value in line if value.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert [line[5] for line in told] == [
        "要請を提出する",
        "収受する",
        "隊の案をつくる",
        "局長の判断を求める",
        "派遣しないと決める",
    ]
    assert [line[4] for line in told] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("value", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠a"])
def test_whatever_a_spreadsheet_takes_for_a_formula_is_quoted(value):
    assert export.cell(value) == f"'{value}"


@pytest.mark.parametrize("value", ["1", "計画=案", "'a", "", "2026-11-09"])
def test_other_values_stay_as_they_are(value):
    assert export.cell(value) == value


def test_lines_stay_lines_whatever_was_typed(db, conn, who):
    odd = '改行\n\u2028区切り\u0085\u202e右から"引用",\'=1'
    case_id = factory.opened(conn, who)
    factory.drive(conn, who, case_id, "submit", ("withdraw", {"by": who.municipality, "inputs": {"reason": odd}}))
    reader = actor(conn, who.auditor)
    assert reader
    told = b"".join(export.as_json_lines(db, reader, keys_of(conn, who.auditor))).decode()
    assert len(told.splitlines()) == 2
    part = by_kind(json.loads(told.splitlines()[-1]))["input:reason"]
    assert json.loads(part["data"]) == odd
    (line,) = [line for line in rows(db, conn, who.auditor) if line[5] == "要請を取り下げる"]
    assert "⟦U+202E⟧右から" in line[11]


def test_every_taking_is_recorded_with_its_filter_and_its_size(db, conn, who, story):
    keys_of(conn, who.auditor, action="decline", office="", since=None)
    export.take(conn, who.records, "events.csv")
    last, first = export.taken(conn, who.auditor, everybody=True)
    assert (first["what"], first["filter"], first["rows"]) == ("events.jsonl", {"action": "decline"}, 1)
    assert (last["what"], last["filter"], last["rows"]) == ("events.csv", {}, 5)
    assert [row["what"] for row in export.taken(conn, who.records, everybody=False)] == ["events.csv"]


def test_too_many_events_are_refused_and_nothing_is_recorded(conn, who, story, monkeypatch):
    monkeypatch.setattr(export, "MOST", 4)
    with pytest.raises(export.TooMany):
        keys_of(conn, who.auditor)
    assert export.taken(conn, who.auditor, everybody=True) == []
    assert len(keys_of(conn, who.auditor, action="decline")) == 1


def test_what_a_file_holds_is_fixed_before_its_first_line(db, conn, who, story):
    reader, keys = actor(conn, who.auditor), keys_of(conn, who.auditor)
    assert reader
    later = factory.opened(conn, who)
    factory.drive(conn, who, later, "submit")
    assert len(b"".join(export.as_json_lines(db, reader, keys)).splitlines()) == len(keys) == 5


def test_a_slow_reader_holds_no_connection(db, conn, who, story, monkeypatch):
    monkeypatch.setattr(export, "CHUNK", 1)
    reader = actor(conn, who.auditor)
    assert reader
    begun = [export.as_csv(db, reader, keys_of(conn, who.auditor)) for _ in range(20)]
    for _ in range(2):
        for file in begun:
            assert next(file)
    assert db.engine.pool.checkedout() == 1
