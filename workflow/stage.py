"""How the demonstration's stories are acted out: each step is a real verb of a real account at its own moment.

A story counts its days from a day 0 of its own. What stands in the file as a token becomes a value on the day it is used.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from states import catalogue
from states.calendar import Calendar
from states.kernel import Refused
from states.terms import CLOCK, STAY
from workflow import absences, arrangements, cases, colleagues, comments, deriving, outbox
from workflow.access import Actor, actor
from workflow.arriving import Arriving
from workflow.db import Database, driver
from workflow.deadlines import TOKYO
from workflow.loading import Connection
from workflow.loading import load as load_case

Story = Mapping[str, Any]


@dataclass
class Stage:
    """People and places of the demonstration by the keys of its file; `now` is the moment that nothing lies after."""

    owner: Database
    app: Database
    now: datetime
    people: dict[str, int] = field(default_factory=dict)
    posts: dict[str, int] = field(default_factory=dict)
    calendar: Calendar = field(default_factory=Calendar)
    opened: dict[str, int] = field(default_factory=dict)  # key of a story → its case
    reasons: dict[str, str] = field(default_factory=dict)  # rule → what a drafter writes where it warns

    @property
    def today(self) -> date:
        return self.now.date()

    def on(self, token: Mapping[str, Any]) -> date:
        """The day that a token means, counted from today; {"workday": -3} is the first business day from there on."""
        if "workday" in token:
            return self.calendar.add_business_days(self.today + timedelta(days=token["workday"]), 0)
        return self.day(token, self.today)

    def day(self, token: Mapping[str, Any], base: date) -> date:
        """The day that a token like {"day": -3} means."""
        return base + timedelta(days=token["day"])

    def clock(self, at: datetime | None) -> None:
        """Shift the database's clock to a moment, or back to the present."""
        with self.owner.transaction() as session:
            shift = "'0'::interval" if at is None else "%s - clock_timestamp()"
            driver(session).execute(f"UPDATE installation SET clock_offset = {shift}", () if at is None else (at,))


@dataclass(frozen=True, order=True)
class _Step:
    """One step of one story at its moment."""

    at: datetime
    order: int
    case: str = field(compare=False)
    step: Story = field(compare=False)


def arrange(stage: Stage, data: Story) -> None:
    """What offices and municipalities settled for themselves: skills, absences, an approval of one's own."""
    with stage.app.connection() as conn:
        for one in data.get("people", ()):
            if not (one.get("skills") or one.get("absences")):
                continue
            keeper = _actor(conn, stage.people[f"bureau-{short(one['office'])}"])
            if one.get("skills"):
                colleagues.set_skills(conn, keeper, stage.people[one["key"]], one["skills"])
            for first, last in one.get("absences", ()):
                days = {
                    "from": stage.day(first, stage.today).isoformat(),
                    "to": stage.day(last, stage.today).isoformat(),
                }
                absences.enter(conn, keeper, {"person": str(stage.people[one["key"]]), **days})
        for head in data.get("heads", ()):
            since = stage.day(head["since"], stage.today)
            stage.clock(datetime.combine(since, time(9), TOKYO))
            decider = _actor(conn, stage.people[f"h{head['municipality']}"])
            arrangements.settle(conn, decider, head["municipality"], asked=True, since=since.isoformat())


def play(stage: Stage, stories: Mapping[str, Story]) -> int:
    """Every step of every story, by process, in the order of time; returns how many cases there are then."""
    by_key = {case["key"]: {"process": process, **case} for process, data in stories.items() for case in data["cases"]}
    for data in stories.values():
        stage.reasons |= data.get("reasons") or {}
    with stage.app.connection() as conn:
        before: date | None = None
        for step in sorted(_steps(stage, by_key)):
            case = by_key[step.case]
            if before and before < step.at.date():
                outbox.deliver(stage.app)  # what a day brings is told on that day
            stage.clock(step.at)
            _Scene(stage, conn, case, step.step, _base(stage, case)).act()
            before = step.at.date()
        outbox.deliver(stage.app)
    return len(stage.opened)


def _steps(stage: Stage, by_key: Mapping[str, Story]) -> Iterator[_Step]:
    """The steps at their moments: working hours of business days, in order, never in the future."""
    order = 0
    latest = stage.now - timedelta(minutes=10)
    for key, case in by_key.items():
        before = datetime.min.replace(tzinfo=TOKYO)
        for step in case["story"] or [{"at": -2, "hour": 10}]:
            day = _base(stage, case) + timedelta(days=step["at"])
            if step.get("by") != CLOCK and not step.get("any_day"):
                day = stage.calendar.add_business_days(day, 0)
            hour = time(step.get("hour", 10), order * 7 % 55)
            at = max(min(datetime.combine(day, hour, TOKYO), latest), before + timedelta(minutes=3))
            if step.get("by") == CLOCK:
                at = max(datetime.combine(day, time(0, 1), TOKYO), before)
            before, order = at, order + 1
            yield _Step(at, order, key, step)


def _base(stage: Stage, case: Story) -> date:
    """Day 0 of a story: today, or for one that has ended the last Sunday, so that its weekdays stay working days."""
    if case.get("around") == "today":
        return stage.today
    definition = catalogue.process(case["process"])
    own = [step.get("action") for step in case["story"] if "child" not in step]
    moves = [row for action in own for row in definition.table if row.name == action and row.dest != STAY]
    ended = bool(moves) and any(definition.state(row.dest).final for row in moves if row.name == moves[-1].name)
    return stage.today - timedelta(days=(stage.today.weekday() + 1) % 7) if ended else stage.today


@dataclass
class _Scene:
    """One step of one story: who does what on which case, with the tokens of the file filled."""

    stage: Stage
    conn: Connection
    case: Story
    step: Story
    base: date

    def act(self) -> None:
        """Do what the step says: an act, a move of the clock, a remark, a file; the first one writes the draft."""
        key, by = self.case["key"], self.step.get("by", "")
        if key not in self.stage.opened:
            self.stage.opened[key] = self.opened()
        case_id = self.below(self.stage.opened[key], self.step.get("child", ()))
        if remark := self.step.get("comment"):
            comments.add(self.conn, _actor(self.conn, self.person(by)), case_id, **remark, key=uuid4())
        elif file := self.step.get("file"):
            with self.conn.transaction():
                told = {name: file[name] for name in ("name", "scope", "label")}
                arriving = Arriving(self.conn, _actor(self.conn, self.person(by)), case_id, **told)
                arriving.add(file["text"].encode())
                arriving.finish(uuid4())
        elif action := self.step.get("action"):
            if by == CLOCK:
                cases.act_by_clock(self.conn, case_id, action)
            else:
                self.do(case_id, action, self.person(by), self.filled(self.step.get("inputs") or {}), self.groups(by))

    def opened(self) -> int:
        """The draft of the story: one of its own, or one that was begun from another case and is written on."""
        writer, form = self.person(self.writer), self.filled(self.case["form"])
        begun = self.case.get("begun")
        if not begun:
            return cases.open_case(self.conn, writer, self.case["process"], self.case["origin"], form)
        source = self.below(self.stage.opened[begun["from"]], begun.get("child", ()))
        made = deriving.derive(
            self.conn, _actor(self.conn, writer), source, begun["way"], begun.get("why", ""), uuid4()
        )
        row = load_case(self.conn, made, writer).row
        written = {group: {**row.form.get(group, {}), **part} for group, part in form.items()}
        cases.save(self.conn, writer, made, written, row.saves)
        return made

    def do(self, case_id: int, action: str, person: int, inputs: dict[str, Any], groups: dict[str, Any]) -> None:
        """The act; a warning that comes up only on some days of the year is met with the words that the file keeps for it."""
        version = load_case(self.conn, case_id, person).row.version
        try:
            cases.act(self.conn, person, case_id, action, version=version, key=uuid4(), inputs=inputs, form=groups)
        except Refused as refusal:
            met = {"reasons": dict(inputs.get("reasons") or {}), "confirm": dict(inputs.get("confirm") or {})}
            asked = [verdict.field.partition(".")[::2] for verdict in refusal.verdicts]
            if not asked or not all(kind in met and rule in self.stage.reasons for kind, rule in asked):
                raise
            for kind, rule in asked:
                met[kind][rule] = self.stage.reasons[rule] if kind == "reasons" else ""
            self.do(case_id, action, person, inputs | met, groups)

    def below(self, case_id: int, way: int | Sequence[int]) -> int:
        """The case under it: by its number among the children, counted from 0, or by the numbers from one to the next."""
        for number in (way,) if isinstance(way, int) else way:
            rows = self.conn.execute("SELECT id FROM cases WHERE parent_id = %s ORDER BY id", (case_id,)).fetchall()
            case_id = int(rows[number][0])
        return case_id

    @property
    def writer(self) -> str:
        """Who opens the case: the municipality, or the bureau on the director's initiative or for what came on paper."""
        first = (self.case["story"] or [{"action": ""}])[0]
        by = first.get("by") or ("bureau" if self.case["origin"] == "director" else "")
        return by if by.startswith("bureau") else "municipality"

    def person(self, by: str) -> int:
        """Who is meant by `bureau`, `bureau@hk-sorachi`, `director`, `municipality`, `partner:014583`, `staff:0`, `person:key`, …"""
        role, _, told = by.partition(":")
        role, _, office = role.partition("@")
        people = self.stage.people
        if role == "person":
            return people[told]
        if role == "staff":
            return people[self.case["team"]["members"][int(told)]["person"]]
        if role in ("municipality", "partner", "municipality_head"):
            return people[f"{'h' if role.endswith('head') else 'm'}{told or self.case['municipality']}"]
        if role == "line":
            return people[f"line:{told}-{short(self.case['office'])}"]
        return people[role if role in people else f"{role}-{short(office or self.case['office'])}"]

    def groups(self, by: str) -> dict[str, Any]:
        """The field groups that the act takes over; one that ends with @ is that of the person whose it is."""
        groups: dict[str, Any] = self.filled(self.step.get("form") or {})
        whose = self.person(self.step.get("of", by))
        return {f"{name[:-1]}{whose}" if name.endswith(":@") else name: part for name, part in groups.items()}

    def filled(self, value: Any) -> Any:
        """The value with its tokens filled: days as dates, day ranges as text, people and posts as ids, cases as their numbers.

        `@team` is the case's team. A range may end with the half that is meant: [{"day": 3}, {"day": 3}, "午前"].
        """
        if value == "@team":
            return self.filled(self.case["team"])
        if isinstance(value, Mapping):
            if set(value) == {"day"}:
                return self.stage.day(value, self.base).isoformat()
            if set(value) == {"workday"}:
                return self.stage.calendar.add_business_days(
                    self.base + timedelta(days=value["workday"]), 0
                ).isoformat()
            if set(value) == {"number"} or set(value) == {"number", "child"}:
                return self.number(value["number"], value.get("child", ()))
            if set(value) == {"post_of"}:
                return str(self.stage.posts[value["post_of"]])
            return {
                key: self.stage.people[part] if key == "person" and isinstance(part, str) else self.filled(part)
                for key, part in value.items()
            }
        if isinstance(value, list):
            if value and all(isinstance(part, list) for part in value):
                return "、".join(self.span(*part) for part in value)
            return [self.filled(part) for part in value]
        return value

    def span(self, first: Any, last: Any, half: str = "") -> str:
        start, end = self.filled(first), self.filled(last)
        return (start if start == end else f"{start}〜{end}") + half

    def number(self, key: str, way: int | Sequence[int]) -> str:
        case_id = self.below(self.stage.opened[key], way)
        row = self.conn.execute("SELECT number FROM cases WHERE id = %s", (case_id,)).fetchone()
        return str(row[0]) if row else ""


def _actor(conn: Connection, person_id: int) -> Actor:
    found = actor(conn, person_id)
    assert found is not None
    return found


def short(office: str) -> str:
    """hk-sorachi → sorachi, as the keys of people have it."""
    return office.split("-", 1)[1]
