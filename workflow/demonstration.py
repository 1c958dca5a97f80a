"""The demonstration: stories of every process acted out by the real engine, dated around today by the database's clock.

Only a database that is marked as a demonstration (for good) may shift its clock, and only the owner role can. Each step
is a real act of a real account at its own moment; nothing is written past the engine.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from importlib import resources
from typing import Any

from sqlmodel import Session, col, select

from states import catalogue
from states.places import Directory
from states.text import search_key
from workflow import routed_office, verify
from workflow.accounts import hash_password, login_key
from workflow.db import Database, driver
from workflow.deadlines import TOKYO
from workflow.models import Account, Case, Installation, Organisation, Person, Post, Recognition, Tenure
from workflow.stage import Stage, arrange, play

PASSWORD = "tobidashi-demo"  # noqa: S105 - the demonstration's accounts are there to be tried
LONG_AGO = timedelta(days=3 * 365)

# What the demonstration prints: the login of one account a role, and what it is for.
ACCOUNTS = (
    ("machi", "municipality", "市町村の担当", "要請を書いて出す"),
    ("shinkokyoku", "bureau", "振興局の担当", "受け付け、隊の案をつくり、判断を求める"),
    ("kacho", "line:head", "振興局の課長", "回ってきた起案を承認して上げる"),
    ("fukukyokucho", "line:vice", "副局長", "回議し、局長が不在のときは代決する"),
    ("kyokucho", "director", "振興局長", "一つの画面で判断する"),
    ("honcho", "headquarters", "本庁の担当", "併任の協議に答える"),
    ("haken", "staff", "派遣された職員", "復命を書く"),
    ("kansa", "auditor", "監査", "すべての記録を読み、持ち出す"),
    ("bunsho", "records", "文書管理", "誤って入った内容を消去する"),
    ("kanri", "administrator", "システム管理", "利用者と職を整える"),
)


class NotEmpty(Exception):
    """The database already holds cases; the demonstration was not loaded."""


def load(owner_url: str, app_url: str, *, if_empty: bool = False, now: datetime | None = None) -> int:
    """Act the demonstration out around `now` (the present); returns the number of cases.

    Raises `NotEmpty` (or returns 0 with `if_empty`).
    """
    owner, app = Database(owner_url, pool_size=2), Database(app_url, pool_size=4)
    try:
        with owner.transaction() as session:
            if session.exec(select(Case.id).limit(1)).first() is not None:
                if if_empty:
                    return 0
                raise NotEmpty
            session.exec(select(Installation)).one().demonstration = True
        stage = Stage(owner, app, (now or datetime.now(TOKYO)).astimezone(TOKYO))
        stories = [(key, data) for key in catalogue.newest() if (data := script(key))]
        with owner.transaction() as session:
            for key, data in stories:
                _cast(session, stage, key, data)
        done = 0
        try:
            for key, data in stories:
                arrange(stage, data)
                done += play(stage, key, data)
        finally:
            stage.clock(None)
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


def _cast(session: Session, stage: Stage, process: str, data: Mapping[str, Any]) -> None:
    """The persons, posts and accounts that the stories name, and one account a role to try the system with."""
    since, hashed = stage.today - LONG_AGO, hash_password(PASSWORD)
    directory, tried_with = Directory.from_csv(), data["tried"]
    first = next(case for case in data["cases"] if case["key"] == tried_with["case"])
    headquarters = session.exec(select(Installation)).one().headquarters
    main, tried = {first["office"], first["municipality"]}, set[str]()
    cast: dict[str, tuple[Person, Post, str]] = {}

    def person(key: str, name: str, kana: str, org: str, section: str, title: str, role: str, scope: str) -> None:
        if key in cast:
            return
        number = f"T{len(cast) + 1:04d}"
        logins = {role: login for login, role, _, _ in ACCOUNTS}
        known = logins.get(key.rpartition("-")[0]) or logins.get(role, key)
        chosen = key == tried_with["person"] if role == "staff" else org in main or scope in ("all", "none")
        login = known if known not in tried and chosen else key
        tried.add(login)
        cast[key] = (
            Person(staff_no=number, name=name, kana=kana, mail=f"{number.lower()}@tobidashi.invalid"),
            Post(org_code=org, section=section, title=title, role=role, scope=scope, valid_from=since),
            login,
        )

    offices = list(dict.fromkeys(c["office"] for c in data["cases"]))
    for case in data["cases"]:
        code, contact = case["municipality"], case["form"].get("contact") or {}
        name = contact.get("name") or "企画係長（仮名）"
        place = directory.municipality(code, stage.today)
        person(f"m{code}", name, "", code, contact.get("department") or "企画課", "係長", "municipality", "office")
        assert place is not None
        for partner in case["form"]["request"].get("partners") or ():
            of_partner = partner["municipality_code"]
            person(f"m{of_partner}", "企画係長（仮名）", "", of_partner, "企画課", "係長", "municipality", "office")
    for head in data.get("heads", ()):
        code = head["municipality"]
        person(f"h{code}", head["name"], "", code, "", head["title"], "municipality_head", "office")
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
    line = data.get("line")
    for key, *told in routed_office.people(line, headquarters) if line else ():
        person(key, *told)
    posts = _seat(session, stage, cast, since, hashed)
    if line:
        routed_office.laid(session, stage, process, line, posts)
    for body in data.get("bodies", ()):
        decided = stage.today + timedelta(days=body["decided_on"]["day"])
        director = stage.people[f"director-{body['office'].split('-')[1]}"]
        session.add(
            Recognition(office=body["office"], name=body["name"], name_key=search_key(body["name"]), decided_on=decided,
                        reference=body["reference"], scope=body["scope"], recorded_by=director,
                        recorded_at=datetime.combine(decided, time(17), TOKYO))
        )  # fmt: skip


def _seat(
    session: Session, stage: Stage, cast: Mapping[str, tuple[Person, Post, str]], since: date, hashed: str
) -> dict[str, int]:
    """Everybody with a post and an account, in as few trips as there are kinds of rows; the post of each."""
    for kind in (0, 1):
        session.add_all(entry[kind] for entry in cast.values())
        session.flush()
    for key, (person, post, login) in cast.items():
        assert person.id is not None
        assert post.id is not None
        stage.people[key] = person.id
        session.add(Tenure(person_id=person.id, post_id=post.id, valid_from=since))
        session.add(Account(person_id=person.id, login=login_key(login), password_hash=hashed))
    session.flush()
    return {key: post.id for key, (_, post, _) in cast.items() if post.id is not None}


def reset_clock(owner_url: str) -> None:
    """Bring a demonstration's clock back to the present, whatever ended its loading."""
    owner = Database(owner_url, pool_size=1)
    try:
        with owner.transaction() as session:
            driver(session).execute("UPDATE installation SET clock_offset = '0' WHERE clock_offset <> '0'")
    finally:
        owner.close()
