"""The demonstration: stories of every process acted out by the real engine, dated around today by the database's clock.

Only a database that is marked as a demonstration (for good) may shift its clock, and only the owner role can. Each step
is a real act of a real account at its own moment; nothing is written past the engine.
"""

import json
from collections import defaultdict
from datetime import datetime
from importlib import resources

from sqlmodel import col, select

from states import catalogue
from workflow import verify
from workflow.casting import cast
from workflow.db import Database, driver
from workflow.deadlines import TOKYO
from workflow.models import Account, Case, Installation, Organisation, Post, Tenure
from workflow.stage import Stage, Story, arrange, play

PASSWORD = "tobidashi-demo"  # noqa: S105 - the demonstration's accounts are there to be tried

# What the demonstration prints: the login of one account a role, whose it is (what the files say to be `tried` filled in),
# and what it is for.
ACCOUNTS = (
    ("machi", "m{municipality}", "市町村の担当", "要請を書いて出し、意見や会議の照会に答える"),
    ("shinkokyoku", "bureau-{office}", "振興局の担当", "要請と相談を受け付け、会を開き、隊の案をつくる"),
    ("kacho", "line:head-{office}", "振興局の課長", "回ってきた起案を承認して上げる"),
    ("fukukyokucho", "line:vice-{office}", "副局長", "回議し、局長が不在のときは代決する"),
    ("kyokucho", "director-{office}", "振興局長", "一つの画面で判断する"),
    ("honcho", "headquarters", "本庁の担当", "併任の協議に答え、調整を各部に振り分ける"),
    ("kotsu", "{department}", "本庁各部の連絡員", "照会に回答する"),
    ("jinji", "personnel", "人事担当", "併任の発令を確かめる"),
    ("dantai", "{body}", "認定された団体", "自分あての派遣を読み、資料を出す"),
    ("haken", "{person}", "派遣された職員", "復命を書く"),
    ("kansa", "auditor", "監査", "すべての記録を読み、持ち出す"),
    ("bunsho", "records", "文書管理", "誤って入った内容を消去する"),
    ("kanri", "administrator", "システム管理", "利用者と職を整える"),
    ("kanri2", "administrator-second", "システム管理(二人目)", "専決規程の変更を確かめる"),
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
        stories = scripts()
        tried: defaultdict[str, str] = defaultdict(str)  # what no file says names nobody
        for data in stories.values():
            tried |= data.get("tried", {})
        logins = {key.format_map(tried): login for login, key, *_ in ACCOUNTS}
        with owner.transaction() as session:
            cast(session, stage, stories, logins, PASSWORD)
        try:
            for data in stories.values():
                arrange(stage, data)
            done = play(stage, stories)
        finally:
            stage.clock(None)
        verify.run(app)
        return done
    finally:
        owner.close()
        app.close()


def scripts() -> dict[str, Story]:
    """The demonstrations that processes bring along, each beside its module, in the order in which processes stand."""
    found: dict[str, Story] = {}
    for process in sorted(catalogue.newest().values(), key=lambda process: (process.order, process.key)):
        path = resources.files("states").joinpath(process.key, "demonstration.json")
        if path.is_file():
            found[process.key] = json.loads(path.read_text(encoding="utf-8"))
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


def reset_clock(owner_url: str) -> None:
    """Bring a demonstration's clock back to the present, whatever ended its loading."""
    owner = Database(owner_url, pool_size=1)
    try:
        with owner.transaction() as session:
            driver(session).execute("UPDATE installation SET clock_offset = '0' WHERE clock_offset <> '0'")
    finally:
        owner.close()
