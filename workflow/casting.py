"""Who plays in the demonstration: persons, posts and accounts that its stories name, of every process together.

Whoever has a part only because an office or a municipality stands in a story is made here; the others are told by the files.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from sqlmodel import Session, select

from states.text import search_key
from workflow import routed_office
from workflow.access import SCOPE_OF
from workflow.accounts import hash_password, login_key
from workflow.deadlines import TOKYO
from workflow.models import Account, Installation, Person, Post, Recognition, Tenure
from workflow.stage import Stage, Story, short

LONG_AGO = timedelta(days=3 * 365)


def cast(
    session: Session, stage: Stage, stories: Mapping[str, Story], logins: Mapping[str, str], password: str
) -> None:
    """Everybody whom the stories name, by process; `logins` are those of the accounts to try the system with, by person.

    What an office decides by (its line of posts, its rules) and the bodies that it recognised are laid at the same time.
    """
    units = session.exec(select(Installation)).one()
    company = _Company(session, stage, logins, hash_password(password))
    offices = dict.fromkeys(case["office"] for file in stories.values() for case in file["cases"])
    for file in stories.values():
        company.towns(file)
    for office in offices:
        company.office(office)
    for file in stories.values():
        for one in file.get("people", ()):
            told = (one["name"], one.get("kana", ""), one["office"], one["section"], one["title"])
            company.person(one["key"], *told, one.get("role", "staff"))
    company.around(units)
    lines = {process: file["line"] for process, file in stories.items() if "line" in file}
    for line in lines.values():
        for key, *words in routed_office.people(line, units.headquarters):
            company.person(key, *words)
    company.seat()
    for process, line in lines.items():
        routed_office.laid(session, stage, process, line)
    for file in stories.values():
        company.bodies(file)
    company.seat()


class _Company:
    """The rows of everybody by the keys of the files; who has a part already keeps it."""

    def __init__(self, session: Session, stage: Stage, logins: Mapping[str, str], hashed: str) -> None:
        self._session, self._stage, self._logins, self._hashed = session, stage, logins, hashed
        self._since: date = stage.today - LONG_AGO
        self._rows: dict[str, tuple[Person, Post]] = {}

    def person(self, key: str, name: str, kana: str, org: str, section: str, title: str, role: str) -> None:
        if key in self._rows:
            return
        number = f"T{len(self._rows) + 1:04d}"
        self._rows[key] = (
            Person(staff_no=number, name=name, kana=kana, mail=f"{number.lower()}@tobidashi.invalid"),
            Post(org_code=org, section=section, title=title, role=role, scope=SCOPE_OF[role], valid_from=self._since),
        )

    def towns(self, file: Story) -> None:
        """Who speaks for the municipalities of a file, and who decides there."""
        for town in file.get("municipalities", ()):
            name, section = town.get("name") or "企画係長（仮名）", town.get("section") or "企画課"
            self.person(f"m{town['code']}", name, "", town["code"], section, "係長", "municipality")
        for head in file.get("heads", ()):
            town = head["municipality"]
            self.person(f"h{town}", head["name"], "", town, "", head["title"], "municipality_head")

    def office(self, office: str) -> None:
        name = short(office)
        self.person(f"bureau-{name}", "地域 はな（仮名）", "チイキ ハナ", office, "地域政策課", "主査", "bureau")
        self.person(f"director-{name}", "局長 いさむ（仮名）", "キョクチョウ イサム", office, "", "局長", "director")

    def around(self, units: Installation) -> None:
        """Who reads, keeps or asks for every office."""
        above = units.headquarters
        self.person("headquarters", "本庁 みどり（仮名）", "", above, "地域戦略担当", "主幹", "headquarters")
        self.person("auditor", "監査 まもる（仮名）", "", above, "監査担当", "主査", "auditor")
        self.person("administrator", "管理 あきら（仮名）", "", above, "情報担当", "主任", "administrator")
        self.person("personnel", "人事 のぞみ（仮名）", "", units.personnel, "人事班", "主査", "personnel")

    def bodies(self, file: Story) -> None:
        """The bodies that offices recognised, each with somebody to speak for it."""
        for body in file.get("bodies", ()):
            decided = self._stage.on(body["decided_on"])
            made = Recognition(
                office=body["office"], name=body["name"], name_key=search_key(body["name"]), decided_on=decided,
                reference=body["reference"], scope=body["scope"], recorded_by=self._stage.people[f"director-{short(body['office'])}"],
                recorded_at=datetime.combine(decided, time(17), TOKYO),
            )  # fmt: skip
            self._session.add(made)
            self._session.flush()
            self._session.refresh(made)  # the database says which organisation the body is
            if speaker := body.get("speaker"):
                self.person(speaker["key"], speaker["name"], "", made.org_code, "", speaker["title"], "body")

    def seat(self) -> None:
        """Everybody new with a post and an account, in as few trips as there are kinds of rows."""
        new = {key: rows for key, rows in self._rows.items() if key not in self._stage.people}
        for kind in (0, 1):
            self._session.add_all(rows[kind] for rows in new.values())
            self._session.flush()
        for key, (person, post) in new.items():
            assert person.id is not None
            assert post.id is not None
            self._stage.people[key], self._stage.posts[key] = person.id, post.id
            self._session.add(Tenure(person_id=person.id, post_id=post.id, valid_from=self._since))
            login = login_key(self._logins.get(key, key))
            self._session.add(Account(person_id=person.id, login=login, password_hash=self._hashed))
        self._session.flush()
