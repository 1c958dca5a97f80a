"""The table of decisions (専決規程): rows that one administrator proposes and another consents to, for good.

A row holds for cases that are put up from its first day on; a route that runs keeps its order. To change a row is to end
it and begin another; both the beginning and the end need a second person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from states import catalogue
from states.authority import Address, Matter, Rule, chosen, problems, rule_of, stored
from states.dates import read_date
from states.kernel import Process
from states.seats import Seats
from workflow.access import TODAY, Actor
from workflow.calendar_days import NotTaken, administrator, offices, unsaid
from workflow.cases import today
from workflow.loading import Connection, NotFound, load
from workflow.previews import ahead, organisations
from workflow.seating import rules, seats

WAITING, COMING, HOLDS, ENDED, DROPPED = "waiting", "coming", "holds", "ended", "dropped"
MOST_LOOKED = 300  # cases that are held against a proposed rule at once
SAME_PERSON = "自分で入れたものには、自分では同意できません。何も変えていません。ほかの管理者に、この画面を開いてもらってください。"


@dataclass(frozen=True)
class Row:
    """A row of the table with its matter, who set it, who consented, who ended it."""

    rule: Rule
    process: Process
    matter: Matter
    told: Mapping[str, Any]  # the stored row, with names
    day: date
    dropped_ends: Sequence[Mapping[str, Any]] = ()  # proposed and taken back before anybody consented

    @property
    def status(self) -> str:
        """Where it stands on the day it was read."""
        first, last = self.told["valid_from"], self.told["valid_to"]
        if self.told["consented_by"] is None:
            return DROPPED if self.told["ended_by"] else WAITING
        if last is not None and (last < self.day or last < first):
            return ENDED
        return COMING if first > self.day else HOLDS

    @property
    def proposed(self) -> bool:
        """Whether nobody has consented to it yet."""
        return self.status == WAITING

    @property
    def dropped(self) -> bool:
        return self.status == DROPPED

    @property
    def past(self) -> bool:
        """Whether it will never hold again."""
        return self.status in (ENDED, DROPPED)

    @property
    def changeable(self) -> bool:
        """Whether it may be ended, or another begun in its place."""
        return self.status in (COMING, HOLDS) and self.told["valid_to"] is None and not self.ending

    @property
    def ending(self) -> bool:
        """Whether its end waits for a second person."""
        return self.told["ends_on"] is not None and self.told["end_consented_by"] is None

    def waits_for(self, person: int) -> bool:
        """Whether this person's consent is what it waits for."""
        by = self.told["set_by"] if self.status == WAITING else self.told["ended_by"] if self.ending else person
        return bool(by != person)


@dataclass(frozen=True)
class Proposal:
    """A row as it was typed, before it is stored."""

    rule: Rule
    since: date
    until: date | None
    reason: str
    replaces: int = 0


@dataclass(frozen=True)
class Rerouted:
    """Cases not yet put up that a proposed rule would send another way, among those that were looked at.

    Of `total` cases the ones after the first `before` were looked at, `looked` of them; `following` is where the next ones
    begin, 0 where there are none.
    """

    numbers: Sequence[str]
    unnumbered: int = 0
    looked: int = 0
    total: int = 0
    before: int = 0
    following: int = 0


_NAMES = ("set_by", "consented_by", "ended_by", "end_consented_by")
LISTED = f"""SELECT x.*, {", ".join(f"(SELECT name FROM person n WHERE n.id = x.{one}) AS {one}_name" for one in _NAMES)},
  (SELECT o.name FROM organisation o WHERE o.code = x.office ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1) AS office_name,
  (SELECT r.article FROM authority_rule r WHERE r.id = x.replaces_id) AS replaces_article, {TODAY} AS today
FROM authority_rule x WHERE %(id)s::bigint IS NULL OR x.id = %(id)s::bigint
ORDER BY x.process, x.matter, x.office NULLS FIRST, x.sort, x.id"""

DROPPED_ENDS = """SELECT d.*, a.name AS ended_by_name, b.name AS dropped_by_name
FROM dropped_end d JOIN person a ON a.id = d.ended_by JOIN person b ON b.id = d.dropped_by
WHERE %(id)s::bigint IS NULL OR d.rule_id = %(id)s::bigint ORDER BY d.id"""


def listed(conn: Connection, actor: Actor) -> list[tuple[Process, Matter, list[Row]]]:
    """Every matter of every process with its rows, those of all offices first. Raises `NotFound`."""
    administrator(actor)
    rows = _rows(conn, None)
    return [
        (process, matter, [row for row in rows if (row.rule.process, row.rule.matter) == (process.key, matter.key)])
        for process in catalogue.newest().values() for matter in process.matters
    ]  # fmt: skip


def one(conn: Connection, actor: Actor, number: int) -> Row:
    """One row. Raises `NotFound`."""
    administrator(actor)
    for row in _rows(conn, number):
        return row
    raise NotFound


def _rows(conn: Connection, number: int | None) -> list[Row]:
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(LISTED, {"id": number}, prepare=True).fetchall()
        ends = cursor.execute(DROPPED_ENDS, {"id": number}, prepare=True).fetchall()
    rows = []
    for told in found:
        process, matter = about(told["process"], told["matter"])
        dropped = [end for end in ends if end["rule_id"] == told["id"]]
        rows.append(Row(rule_of(told), process, matter, told, told["today"], dropped))
    return rows


def about(process: str, matter: str) -> tuple[Process, Matter]:
    """A matter of a process, by their keys. Raises `NotFound`."""
    found = catalogue.newest().get(process)
    wanted = next((one for one in found.matters if one.key == matter), None) if found else None
    if found is None or wanted is None:
        raise NotFound
    return found, wanted


# ── what keeps a row out ────────────────────────────────────────────────────────────────────────────────────────────


def unfit(conn: Connection, proposal: Proposal, matter: Matter) -> list[str]:
    """Why this cannot be a row: it contradicts itself, or names a post that nobody has on its first day."""
    found = problems(proposal.rule, matter)
    leads = [proposal.rule.office] if proposal.rule.office else [code for code, _ in bureaus(conn)]
    lacking = _lacking(conn, proposal, leads)
    everywhere = [post for post, where in lacking.items() if len(where) == len(leads)]
    return [
        *found,
        *(f"「{post}」という職が、始める日にはありません。職名と課を確かめてください。" for post in everywhere),
    ]


def unseated(conn: Connection, proposal: Proposal) -> list[str]:
    """For a row of all offices: the posts that some of them do not have, so that nothing could be put up there."""
    names = bureaus(conn)
    lacking = {} if proposal.rule.office else _lacking(conn, proposal, [code for code, _ in names])
    return [
        f"「{post}」は、{len(where)}の局({'、'.join(dict(names)[code] for code in where[:3])}{'など' if len(where) > 3 else ''})にありません。"
        "そこで起案すると、決裁の順序を決められずに断られます。その局だけの定めを先に入れてください。"
        for post, where in lacking.items() if len(where) < len(names)
    ]  # fmt: skip


def _lacking(conn: Connection, proposal: Proposal, leads: Sequence[str]) -> dict[str, list[str]]:
    """Which posts of a row are missing in which leading offices."""
    found: dict[str, list[str]] = {}
    there = seats(conn, sorted({*organisations("", [proposal.rule]), *leads}), proposal.since)
    for lead in leads:
        for stage in proposal.rule.stages:
            for address in stage.asked:
                if address.title.strip() and not _exists(address, lead, there):
                    where = found.setdefault(" ".join(filter(None, (address.section.strip("="), address.title))), [])
                    where += [] if lead in where else [lead]
    return found


def _exists(address: Address, lead: str, there: Seats) -> bool:
    """Whether the post is there; of the drafter's own section any will do."""
    return any(there.at(address, lead, seat.section) for seat in there.by_post.values() if seat.org == lead) or bool(
        address.section != "=" and there.at(address, lead, "")
    )


def bureaus(conn: Connection) -> list[tuple[str, str]]:
    """Code and name of the offices that lead cases."""
    kinds = dict(conn.execute(f"SELECT code, kind FROM organisation WHERE valid_to IS NULL OR valid_to >= {TODAY}"))
    return [(code, name) for code, name in offices(conn) if kinds.get(code) == "bureau"]


# ── the verbs ───────────────────────────────────────────────────────────────────────────────────────────────────────


def propose(conn: Connection, actor: Actor, proposal: Proposal) -> int:
    """Store a row that waits for a second person; its number. Raises `NotFound`, `NotTaken`."""
    administrator(actor)
    _, matter = about(proposal.rule.process, proposal.rule.matter)
    if wrong := unfit(conn, proposal, matter):
        raise NotTaken({f"rule.{n}": sentence for n, sentence in enumerate(wrong)})
    if proposal.replaces and one(conn, actor, proposal.replaces).told["valid_to"] is not None:
        raise NotTaken({"since": REPLACED})
    rule = proposal.rule
    row = conn.execute(
        """INSERT INTO authority_rule (process, matter, office, article, tests, stages, standing, no_deputy, bulk, sort, valid_from, valid_to,
             reason, set_by, set_at, replaces_id) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, clock_now(), %s) RETURNING id""",
        (rule.process, rule.matter, rule.office or None, rule.article, Jsonb([vars(test) for test in rule.tests]), Jsonb(stored(rule.stages)),
         rule.standing, rule.no_deputy, rule.bulk, rule.order, proposal.since, proposal.until, proposal.reason, actor.person_id,
         proposal.replaces or None),
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


REPLACED = "もとの行は、もう終わりの日が決まっています。表を開き直して、いまの行から始めてください。"


def consent(conn: Connection, actor: Actor, number: int) -> None:
    """The second person's consent to a row, or to its end. One who consented already is not refused. Raises `NotFound`, `NotTaken`."""
    row = one(conn, actor, number)
    mine = actor.person_id
    if mine in (row.told["consented_by"], row.told["end_consented_by"]) and not row.ending and row.status != WAITING:
        return
    if row.status != WAITING and not row.ending:
        raise NotFound
    if not row.waits_for(mine):
        raise NotTaken({"consent": SAME_PERSON})
    with conn.transaction():
        if row.status == WAITING:
            _begin(conn, row, mine)
        else:
            _ended(conn, row, mine)


def _begin(conn: Connection, row: Row, by: int) -> None:
    """The row is in force from its first day, today at the earliest; the one that it replaces ends the day before."""
    first = max(row.told["valid_from"], row.day)
    if row.told["valid_to"] is not None and row.told["valid_to"] < first:
        raise NotTaken(
            {"consent": "終わりの日を過ぎているので、同意できません。取り下げて、新しい行を入れてください。"}
        )
    before = row.told["replaces_id"]
    if before:
        _keep_end(conn, before, by, f"「{row.rule.article}」の行に代わることになったため")
    if before and not conn.execute(
        """UPDATE authority_rule SET valid_to = greatest(%s::date - 1, valid_from - 1), ended_by = %s, ended_at = clock_now(), ended_reason = %s,
             ends_on = NULL, end_consented_by = %s, end_consented_at = clock_now()
           WHERE id = %s AND (valid_to IS NULL OR valid_to >= %s::date)""",
        (first, row.told["set_by"], row.told["reason"], by, before, first),
    ).rowcount:  # fmt: skip
        raise NotTaken(
            {"consent": "もとの行がもう終わっているので、同意できません。取り下げて、新しい行を入れてください。"}
        )
    conn.execute(
        """UPDATE authority_rule SET consented_by = %s, consented_at = clock_now(), valid_from = %s
           WHERE id = %s AND consented_by IS NULL AND ended_by IS NULL""", (by, first, row.rule.id),
    )  # fmt: skip


def _ended(conn: Connection, row: Row, by: int) -> None:
    conn.execute(
        """UPDATE authority_rule SET valid_to = greatest(ends_on, valid_from - 1, %s::date - 1), end_consented_by = %s, end_consented_at = clock_now()
           WHERE id = %s AND ends_on IS NOT NULL AND end_consented_by IS NULL""", (row.day, by, row.rule.id),
    )  # fmt: skip


def end(conn: Connection, actor: Actor, number: int, last_day: str, why: str) -> None:
    """Propose the last day of a row that a second person has consented to. Raises `NotFound`, `NotTaken`."""
    row = one(conn, actor, number)
    if not row.changeable:
        raise NotFound
    reading, wrong = read_date(last_day), {}
    if reading.date is None:
        wrong["until"] = reading.problem
    elif reading.date < today(conn) - timedelta(days=1):
        wrong["until"] = "最後の日は、きのうより前にはできません。すぐに終えるときは、きのうの日を書いてください。"
    if problem := unsaid(why.strip()):
        wrong["why"] = problem
    if wrong:
        raise NotTaken(wrong)
    conn.execute(
        """UPDATE authority_rule SET ends_on = %s, ended_by = %s, ended_at = clock_now(), ended_reason = %s
           WHERE id = %s AND valid_to IS NULL AND ends_on IS NULL""",
        (reading.date, actor.person_id, why.strip(), number),
    )


def drop(conn: Connection, actor: Actor, number: int, why: str) -> None:
    """Take back what waits for consent, a row or its end; any administrator may. Raises `NotFound`, `NotTaken`."""
    row = one(conn, actor, number)
    if row.status != WAITING and not row.ending:
        raise NotFound
    if problem := unsaid(why.strip()):
        raise NotTaken({"why": problem})
    if row.ending:
        with conn.transaction():
            if _keep_end(conn, number, actor.person_id, why.strip()):
                conn.execute(UNPROPOSED, (number,))
        return
    conn.execute(
        """UPDATE authority_rule SET ended_by = %s, ended_at = clock_now(), ended_reason = %s
           WHERE id = %s AND consented_by IS NULL AND ended_by IS NULL""",
        (actor.person_id, why.strip(), number),
    )


UNPROPOSED = (
    "UPDATE authority_rule SET ends_on = NULL, ended_by = NULL, ended_at = NULL, ended_reason = NULL WHERE id = %s"
)
KEEP_END = """WITH old AS (SELECT id, ends_on, ended_by, ended_at, ended_reason FROM authority_rule
    WHERE id = %(id)s AND ends_on IS NOT NULL AND end_consented_by IS NULL FOR UPDATE)
INSERT INTO dropped_end (rule_id, ends_on, ended_by, ended_at, ended_reason, dropped_by, dropped_at, reason)
SELECT id, ends_on, ended_by, ended_at, ended_reason, %(by)s, clock_now(), %(why)s FROM old"""


def _keep_end(conn: Connection, number: int, by: int, why: str) -> bool:
    """Keep the proposed end that is about to leave the row: who proposed it, who took it back and why; whether there was one."""
    return bool(conn.execute(KEEP_END, {"id": number, "by": by, "why": why}).rowcount)


# ── what would become of cases ──────────────────────────────────────────────────────────────────────────────────────


def known_then(conn: Connection, proposal: Proposal, office: str) -> list[Rule]:
    """The rules of that office on the proposal's first day, with it and without what it replaces."""
    before = [r for r in rules(conn, proposal.rule.process, office, proposal.since) if r.id not in (proposal.replaces, proposal.rule.id)]  # fmt: skip
    return [*before, proposal.rule] if proposal.rule.office in ("", office) else before


NOT_PUT_UP = (
    "process = %(process)s AND state = ANY (%(states)s) AND version > 0 AND (%(office)s = '' OR lead = %(office)s)"
)
LOOKED_AT = f"SELECT id, number, lead FROM cases WHERE {NOT_PUT_UP} AND id > %(after)s ORDER BY id LIMIT %(most)s"
COUNTED = f"SELECT count(*), count(*) FILTER (WHERE id <= %(after)s) FROM cases WHERE {NOT_PUT_UP}"


def rerouted(conn: Connection, proposal: Proposal, *, ending: bool = False, after: int = 0) -> Rerouted:
    """The cases that are not yet put up for this matter and would go another way; a route that runs stays as it is.

    `MOST_LOOKED` cases are read at once, those that came first; `after` is the `following` of the ones before.
    """
    rule = proposal.rule
    process, matter = about(rule.process, rule.matter)
    before_it = [s.name for s in process.states if not s.final and s.name not in matter.states and matter in ahead(process, s.name)]  # fmt: skip
    which = {"process": process.key, "states": before_it, "office": rule.office, "after": after, "most": MOST_LOOKED}
    found = conn.execute(LOOKED_AT, which).fetchall()
    total, before = conn.execute(COUNTED, which).fetchone() or (0, 0)
    numbers, unnumbered = [], 0
    ways: dict[str, tuple[list[Rule], list[Rule]]] = {}
    for case_id, number, lead in found:
        if lead not in ways:
            then = rules(conn, process.key, lead, proposal.since)
            ways[lead] = then, [r for r in then if r.id != rule.id] if ending else known_then(conn, proposal, lead)
        values = matter.values(load(conn, case_id, None).facts)
        was, becomes = (_way(chosen(known, matter, values)) for known in ways[lead])
        if was != becomes:
            numbers += [number] if number else []
            unnumbered += 0 if number else 1
    following = found[-1][0] if before + len(found) < total else 0
    return Rerouted(sorted(numbers), unnumbered, len(found), total, before, following)


def _way(rule: Rule | None) -> Any:
    return rule and (rule.stages, rule.standing, rule.no_deputy, rule.bulk)


def proposal_of(row: Row) -> Proposal:
    """A stored row as a proposal, on its first day or today."""
    since = max(row.told["valid_from"], row.day)
    return Proposal(row.rule, since, row.told["valid_to"], row.told["reason"], row.told["replaces_id"] or 0)
