"""The demonstration: stories of every process acted out by the real engine, dated around today by the database's clock.

Only a database that is marked as a demonstration (for good) may shift its clock, and only the owner role can. Each step
is a real act of a real account at its own moment; nothing is written past the engine.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from importlib import resources
from typing import Any
from uuid import uuid4

from sqlmodel import Session, col, select

from states import catalogue
from states.calendar import Calendar
from states.places import Directory
from states.terms import CLOCK, STAY
from states.text import search_key
from workflow import cases, outbox, verify
from workflow.accounts import hash_password, login_key
from workflow.db import Database, driver
from workflow.deadlines import TOKYO
from workflow.loading import load as load_case
from workflow.models import Account, Case, Installation, Organisation, Person, Post, Recognition, Tenure

PASSWORD = "tobidashi-demo"  # noqa: S105 - the demonstration's accounts are there to be tried
LONG_AGO = timedelta(days=3 * 365)

# What the demonstration prints: the login of one account a role, and what it is for.
ACCOUNTS = (
    ("machi", "municipality", "市町村の担当", "要請を書いて出す"),
    ("shinkokyoku", "bureau", "振興局の担当", "受け付け、隊の案をつくり、判断を求める"),
    ("kyokucho", "director", "振興局長", "一つの画面で判断する"),
    ("honcho", "headquarters", "本庁の担当", "併任の協議に答える"),
    ("haken", "staff", "派遣された職員", "復命を書く"),
    ("kansa", "auditor", "監査", "すべての記録を読み、持ち出す"),
    ("bunsho", "records", "文書管理", "誤って入った内容を消去する"),
    ("kanri", "administrator", "システム管理", "利用者と職を整える"),
)


class NotEmpty(Exception):
    """The database already holds cases; the demonstration was not loaded."""


@dataclass
class _Stage:
    """People and places of the demonstration by the keys of its file."""

    owner: Database
    app: Database
    today: date
    people: dict[str, int] = field(default_factory=dict)
    calendar: Calendar = field(default_factory=Calendar)


@dataclass(frozen=True, order=True)
class _Step:
    """One step of one story at its moment."""

    at: datetime
    order: int
    case: str = field(compare=False)
    step: Mapping[str, Any] = field(compare=False)


def load(owner_url: str, app_url: str, *, if_empty: bool = False) -> int:
    """Act the demonstration out; returns the number of cases. Raises `NotEmpty` (or returns 0 with `if_empty`)."""
    owner, app = Database(owner_url, pool_size=2), Database(app_url, pool_size=4)
    try:
        with owner.transaction() as session:
            if session.exec(select(Case.id).limit(1)).first() is not None:
                if if_empty:
                    return 0
                raise NotEmpty
            session.exec(select(Installation)).one().demonstration = True
        with app.connection() as conn:
            stage = _Stage(owner, app, cases.today(conn))
        stories = [(key, data) for key in catalogue.newest() if (data := script(key))]
        with owner.transaction() as session:
            for _, data in stories:
                _cast(session, stage, data)
        done = 0
        try:
            for key, data in stories:
                done += _play(stage, key, data)
        finally:
            _clock(stage, None)
        verify.run(app)
        return done
    finally:
        owner.close()
        app.close()


def script(process: str) -> dict[str, Any] | None:
    """The demonstration that a process brings along, beside its module."""
    path = resources.files("states").joinpath(process, "demonstration.json")
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def accounts(app_url: str) -> list[tuple[str, str, str, str]]:
    """The demonstration's accounts: login, what it is, whose post, what to try; empty when there is none."""
    app = Database(app_url, pool_size=1)
    try:
        with app.transaction() as session:
            if not session.exec(select(Installation)).one().demonstration:
                return []
            there = {
                login: f"{org} {' '.join(filter(None, (section, title)))}"
                for login, org, section, title in session.exec(
                    select(Account.login, Organisation.name, Post.section, Post.title)
                    .join(Tenure, col(Tenure.person_id) == col(Account.person_id))
                    .join(Post, col(Post.id) == col(Tenure.post_id))
                    .join(Organisation, col(Organisation.code) == col(Post.org_code))
                    .where(col(Account.login).in_([a[0] for a in ACCOUNTS]), col(Organisation.valid_to).is_(None))
                )
            }
    finally:
        app.close()
    return [(login, label, there[login], use) for login, _, label, use in ACCOUNTS if login in there]


def _cast(session: Session, stage: _Stage, data: Mapping[str, Any]) -> None:
    """The persons, posts and accounts that the stories name, and one account a role to try the system with."""
    since, hashed = stage.today - LONG_AGO, hash_password(PASSWORD)
    directory, tried_with = Directory.from_csv(), data["tried"]
    first = next(case for case in data["cases"] if case["key"] == tried_with["case"])
    headquarters = session.exec(select(Installation)).one().headquarters
    tried: set[str] = set()

    def person(key: str, name: str, kana: str, org: str, section: str, title: str, role: str, scope: str) -> None:
        if key in stage.people:
            return
        number = f"T{len(stage.people) + 1:04d}"
        made = Person(staff_no=number, name=name, kana=kana, mail=f"{number.lower()}@tobidashi.invalid")
        session.add(made)
        session.flush()
        assert made.id is not None
        post = Post(org_code=org, section=section, title=title, role=role, scope=scope, valid_from=since)
        session.add(post)
        session.flush()
        assert post.id is not None
        session.add(Tenure(person_id=made.id, post_id=post.id, valid_from=since))
        known = {role: login for login, role, _, _ in ACCOUNTS}[role]
        chosen = key == tried_with["person"] if role == "staff" else org in main or scope in ("all", "none")
        login = known if known not in tried and chosen else key
        tried.add(login)
        session.add(Account(person_id=made.id, login=login_key(login), password_hash=hashed))
        stage.people[key] = made.id

    main = {first["office"], first["municipality"]}
    offices = list(dict.fromkeys(c["office"] for c in data["cases"]))
    for case in data["cases"]:
        code, contact = case["municipality"], case["form"].get("contact") or {}
        name = contact.get("name") or "企画係長（仮名）"
        place = directory.municipality(code, stage.today)
        person(f"m{code}", name, "", code, contact.get("department") or "企画課", "係長", "municipality", "office")
        assert place is not None
    for office in offices:
        short = office.split("-")[1]
        person(f"bureau-{short}", "地域 はな（仮名）", "チイキ ハナ", office, "地域政策課", "主査", "bureau", "office")
        person(
            f"director-{short}", "局長 いさむ（仮名）", "キョクチョウ イサム", office, "", "局長", "director", "office"
        )
    for one in data["people"]:
        person(one["key"], one["name"], one["kana"], one["office"], one["section"], one["title"], "staff", "own")
    person("headquarters", "本庁 みどり（仮名）", "", headquarters, "地域戦略担当", "主幹", "headquarters", "all")
    person("auditor", "監査 まもる（仮名）", "", headquarters, "監査担当", "主査", "auditor", "all")
    person("records", "文書 きよし（仮名）", "", first["office"], "総務課", "文書主任", "records", "office")
    person("administrator", "管理 あきら（仮名）", "", headquarters, "情報担当", "主任", "administrator", "none")
    for body in data.get("bodies", ()):
        decided = stage.today + timedelta(days=body["decided_on"]["day"])
        director = stage.people[f"director-{body['office'].split('-')[1]}"]
        session.add(
            Recognition(office=body["office"], name=body["name"], name_key=search_key(body["name"]), decided_on=decided,
                        reference=body["reference"], scope=body["scope"], recorded_by=director,
                        recorded_at=datetime.combine(decided, time(17), TOKYO))
        )  # fmt: skip


def _play(stage: _Stage, process: str, data: Mapping[str, Any]) -> int:
    """Every step of every story in the order of time."""
    by_key = {case["key"]: case for case in data["cases"]}
    opened: dict[str, int] = {}
    with stage.app.connection() as conn:
        for step in sorted(_steps(stage, process, by_key)):
            case = by_key[step.case]
            base = _base(stage, process, case)
            _clock(stage, step.at)
            if step.case not in opened:
                form = _filled(stage, case["form"], case, base)
                writer = stage.people[_writer(case)]
                opened[step.case] = cases.open_case(conn, writer, process, case["origin"], form)
            case_id, action, by = opened[step.case], step.step.get("action"), step.step.get("by", "")
            if action is None:
                continue
            outbox.deliver(stage.app)
            if by == CLOCK:
                cases.act_by_clock(conn, case_id, action)
            else:
                person = _person(stage, case, by)
                groups = _groups(stage, case, step.step, by, base)
                inputs = _filled(stage, step.step.get("inputs") or {}, case, base)
                version = load_case(conn, case_id, person).row.version
                cases.act(conn, person, case_id, action, version=version, key=uuid4(), inputs=inputs, form=groups)
            outbox.deliver(stage.app)
    return len(opened)


def _steps(stage: _Stage, process: str, by_key: Mapping[str, Mapping[str, Any]]) -> Iterator[_Step]:
    """The steps at their moments: working hours of business days, in order, never in the future."""
    order = 0
    latest = datetime.now(TOKYO) - timedelta(minutes=10)
    for key, case in by_key.items():
        before = datetime.min.replace(tzinfo=TOKYO)
        for step in case["story"] or [{"at": -2, "hour": 10}]:
            day = _base(stage, process, case) + timedelta(days=step["at"])
            if step.get("by") != CLOCK:
                day = stage.calendar.add_business_days(day, 0)
            hour = time(step.get("hour", 10), order * 7 % 55)
            at = max(min(datetime.combine(day, hour, TOKYO), latest), before + timedelta(minutes=3))
            if step.get("by") == CLOCK:
                at = max(datetime.combine(day, time(0, 1), TOKYO), before)
            before, order = at, order + 1
            yield _Step(at, order, key, step)


def _base(stage: _Stage, process: str, case: Mapping[str, Any]) -> date:
    """Day 0 of a story: today, or for one that has ended the last Sunday, so that its weekdays stay working days."""
    definition = catalogue.process(process)
    last = case["story"][-1].get("action") if case["story"] else None
    ended = any(row.name == last and row.dest != STAY and definition.state(row.dest).final for row in definition.table)
    return stage.today - timedelta(days=(stage.today.weekday() + 1) % 7) if ended else stage.today


def _writer(case: Mapping[str, Any]) -> str:
    """Who opens the case: the municipality, or the bureau on the director's initiative or for what came on paper."""
    first = (case["story"] or [{"action": ""}])[0]
    by_bureau = case["origin"] == "director" or first.get("by") == "bureau"
    return f"bureau-{case['office'].split('-')[1]}" if by_bureau else f"m{case['municipality']}"


def _person(stage: _Stage, case: Mapping[str, Any], by: str) -> int:
    role, _, number = by.partition(":")
    if role == "staff":
        return stage.people[case["team"]["members"][int(number)]["person"]]
    if role == "municipality":
        return stage.people[f"m{case['municipality']}"]
    return stage.people["headquarters" if role == "headquarters" else f"{role}-{case['office'].split('-')[1]}"]


def _groups(stage: _Stage, case: Mapping[str, Any], step: Mapping[str, Any], by: str, base: date) -> dict[str, Any]:
    groups: dict[str, Any] = _filled(stage, step.get("form") or {}, case, base)
    if "report" in groups:
        report = groups.pop("report")
        if report.get("actual_days") == "same":
            member = case["team"]["members"][int(by.partition(":")[2])]
            report["actual_days"] = _filled(stage, member["days"], case, base)
        groups[f"report:{_person(stage, case, by)}"] = report
    return groups


def _filled(stage: _Stage, value: Any, case: Mapping[str, Any], base: date) -> Any:
    """The value with its tokens filled: days as dates, day ranges as text, people as ids, `@team` as the case's team."""
    if value == "@team":
        return _filled(stage, case["team"], case, base)
    if isinstance(value, Mapping):
        if set(value) == {"day"}:
            return (base + timedelta(days=value["day"])).isoformat()
        return {
            key: stage.people[part] if key == "person" and isinstance(part, str) else _filled(stage, part, case, base)
            for key, part in value.items()
        }
    if isinstance(value, list):
        if value and all(isinstance(part, list) for part in value):
            spans = [[_filled(stage, end, case, base) for end in span] for span in value]
            return "、".join(first if first == last else f"{first}〜{last}" for first, last in spans)
        return [_filled(stage, part, case, base) for part in value]
    return value


def _clock(stage: _Stage, at: datetime | None) -> None:
    """Shift the database's clock to a moment, or back to the present."""
    with stage.owner.transaction() as session:
        shift = "'0'::interval" if at is None else "%s - clock_timestamp()"
        driver(session).execute(f"UPDATE installation SET clock_offset = {shift}", () if at is None else (at,))


def reset_clock(owner_url: str) -> None:
    """Bring a demonstration's clock back to the present, whatever ended its loading."""
    owner = Database(owner_url, pool_size=1)
    try:
        with owner.transaction() as session:
            driver(session).execute("UPDATE installation SET clock_offset = '0' WHERE clock_offset <> '0'")
    finally:
        owner.close()
