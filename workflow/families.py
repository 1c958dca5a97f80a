"""An act that concerns more than one case: children that begin with it, a parent that hears of it, children that follow or end.

The open case from which one was begun hears how that one ended. Each case touched gets exactly one event, all in one transaction. The parent is always written before its children, so that
two acts of one family wait for each other instead of blocking each other.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from states import catalogue
from states.terms import Child
from workflow import acts, case_sql, history
from workflow.access import PostHeld
from workflow.loading import Connection, Loaded, NotFound, load
from workflow.thread import ENDED

MOVED = "child_moved"  # the event of a parent whose child moved
FOLLOWED = "follow"  # the event of a child whose parent has other parties now
INNER = ("lead", "co_office")  # parts of the offices that handle a case
ALONE = ("personnel", "body")  # parts in one case alone: what is under it, or over it, is nothing to them
CAME_TO = "derived_ended"  # the event of an open case when one that was begun from it has ended


class _Faster(Exception):
    """Somebody else acted on one of the cases first; nothing was written."""


def concerned(case: Loaded, params: Mapping[str, Any]) -> bool:
    """Whether the act touches other cases."""
    ends = case.process.state(params["state"]).final and any(not c["final"] for c in case.facts.registers["children"])
    follow = bool(case.facts.registers["children"]) and any(_parties_of(params))
    return bool(params["opens"]) or case.row.parent_id is not None or ends or follow or _waits(case, params)


def _waits(case: Loaded, params: Mapping[str, Any]) -> bool:
    """Whether the case ends by the act, and came of one that is still open."""
    came = case.facts.registers.get("origin_case")
    return bool(came and not came["final"]) and case.process.state(params["state"]).final


def _parties_of(params: Mapping[str, Any]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The organisations that join by the act, and those that leave, as (part, organisation)."""
    rows = params["rows"]
    joining = [*rows.get("parties", ()), *rows.get("returning", ())]
    return [(p["part"], p["org"]) for p in joining], [(p["part"], p["org"]) for p in rows.get("leaving", ())]


def carry_out(conn: Connection, case: Loaded, params: dict[str, Any], parts: frozenset[str]) -> bool:
    """Write the act with everything it brings about in its family; False when somebody was faster.

    Raises what `acts.work_out` raises for the cases it touches.
    """
    try:
        with conn.transaction():
            if _waits(case, params) and (told := _answered(conn, case, params)):
                _written(conn, told, frozenset())
            parent = case.facts.registers.get("parent")
            if parent and not parent["final"]:
                _written(conn, _heard(conn, case, params), frozenset())
            _written(conn, params, parts)
            if any(_parties_of(params)):
                _follow(conn, case, params)
            for child in params["opens"]:
                _open(conn, case, child, int(params["actor"]))
            if case.process.state(params["state"]).final:
                _end_children(conn, case)
    except _Faster:
        return False
    return True


def _written(conn: Connection, params: Mapping[str, Any], parts: frozenset[str]) -> None:
    if not case_sql.carry_out(conn, params, parts):
        raise _Faster


def _heard(conn: Connection, case: Loaded, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parent's event: which child moved from where to where, by whom; who is asked there is worked out again."""
    assert case.row.parent_id is not None
    found = load(conn, case.row.parent_id, None)
    after = case.process.state(params["state"])
    children = [
        c
        | {
            "state": after.name,
            "state_label": after.label,
            "final": after.final,
            "outcome": after.outcome,
            "form": json.loads(params["form"]),
        }
        if c["id"] == case.row.id
        else c
        for c in found.facts.registers["children"]
    ]
    found.facts.registers = {**found.facts.registers, "children": children}
    told = {
        "case": case.row.id, "title": params["title"], "from": case.process.state(case.row.state).label, "to": after.label,
        "action": case.process.label_of(params["action"], case.row.state),
    }  # fmt: skip
    return acts.concern(_seen_by(found, case), MOVED, [("child", told)], by=_by(case, params)) | {"person": None}


def _answered(conn: Connection, case: Loaded, params: Mapping[str, Any]) -> dict[str, Any] | None:
    """The event of the case that this one came of: how it ended; who is asked there is worked out again."""
    origin = case.facts.registers["origin_case"]["id"]
    try:
        found = load(conn, origin, None)
    except NotFound:
        return None
    after = case.process.state(params["state"])
    ended = {"state": after.name, "state_label": after.label, "final": True, "outcome": after.outcome}
    derived = [one | ended if one["id"] == case.row.id else one for one in found.facts.registers.get("derived", ())]
    found.facts.registers = {**found.facts.registers, "derived": derived}
    told = {"case": case.row.id, "label": case.process.label, "outcome": after.outcome or after.label}
    return acts.concern(_seen_by(found, case), CAME_TO, [(ENDED, told)], by=_by(case, params)) | {"person": None}


def _seen_by(found: Loaded, case: Loaded) -> Loaded:
    """A case of the family, with the names of who acts on the other one."""
    row = found.row._replace(
        person_name=case.row.person_name, headquarters_name=case.row.headquarters_name, units=case.row.units
    )
    return replace(found, row=row)


def _by(case: Loaded, params: Mapping[str, Any]) -> tuple[str, PostHeld] | None:
    """Who acts, with which post; nobody but the clock has none."""
    post = next((post for post in case.held.values() if post.id == params["post"]), None)
    return (params["actor"], post) if post else None


def _follow(conn: Connection, parent: Loaded, params: Mapping[str, Any]) -> None:
    """Whoever joins or leaves a case joins or leaves the cases under it, the ended ones too: they are read together."""
    joins, leaves = _parties_of(params)
    for child in parent.facts.registers["children"]:
        case = _seen_by(load(conn, child["id"], None), parent)
        inside = case.process.inside
        came, gone = ([p for p in pairs if p[0] in INNER or not (inside or p[0] in ALONE)] for pairs in (joins, leaves))
        if not came and not gone:
            continue
        rows = acts.concern(case, FOLLOWED, [], by=_by(parent, params), joins=came, leaves=gone, leads=params["lead"])
        _written(conn, rows | {"person": None}, frozenset())


MADE = """WITH made AS (
  INSERT INTO cases (process, process_version, origin, lead, place, parent_id, opened_by, opened_at, open, title, state, version, saves,
                     acted_by, acted_at, form)
  VALUES (%(process)s, %(version)s, %(origin)s, %(lead)s, %(place)s, %(parent)s, %(person)s, clock_now(), true, %(title)s, %(state)s, 0, 0,
          %(person)s::text, clock_now(), %(form)s::jsonb) RETURNING id),
joined AS (INSERT INTO party (case_id, org_code, part, valid_from)
  SELECT made.id, p.org_code, p.part, p.valid_from FROM made, party p
  WHERE p.case_id = %(parent)s AND p.valid_to IS NULL AND (p.part = ANY (%(inner)s) OR NOT (%(inside)s OR p.part = ANY (%(alone)s))))
SELECT id FROM made"""


def _open(conn: Connection, parent: Loaded, child: Child, person_id: int) -> None:
    """A new case under this one, with its parties, and its first event by the same person."""
    process = catalogue.process(child.process)
    row = conn.execute(
        MADE,
        {
            "process": process.key, "version": process.version, "origin": child.origin, "lead": parent.row.lead,
            "place": parent.row.place, "parent": parent.row.id, "person": person_id, "title": process.title(child.form),
            "state": process.initial.name, "form": history.canonical(child.form), "inside": process.inside, "inner": list(INNER), "alone": list(ALONE),
        },
        prepare=True,
    ).fetchone()  # fmt: skip
    assert row is not None
    case = load(conn, row[0], person_id)
    _written(conn, acts.work_out(case, child.action, {}, {}) | {"person": person_id}, frozenset({"me"}))


def _end_children(conn: Connection, parent: Loaded) -> None:
    """A case that has ended takes the open cases under it along."""
    for child in parent.facts.registers["children"]:
        process = catalogue.process(child["process"], child["process_version"])
        if not child["final"] and process.lapses:
            case = load(conn, child["id"], None)
            _written(conn, acts.work_out(case, process.lapses, {}, {}), frozenset())
