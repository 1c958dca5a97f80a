"""The office of a demonstration that decides by routes: its line of posts, their deputies, and its table of decisions."""

from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from typing import Any

from sqlmodel import Session, col, update

from workflow.deadlines import TOKYO
from workflow.models import Absence, AuthorityRule, Deputy, Post
from workflow.stage import Stage, short

KEY = "line:"  # of a person of the line: line:vice-kamikawa
SECOND = "administrator-second"  # who consents to what the administrator set
LONG_AGO = timedelta(days=3 * 365)


def people(line: Mapping[str, Any], headquarters: str) -> Iterator[tuple[str, ...]]:
    """Key, name, kana, organisation, section, title and role of everybody that the line adds."""
    office = line["office"]
    for post in line["posts"]:
        yield (
            f"{KEY}{post['key']}-{short(office)}",
            post["name"],
            post["kana"],
            office,
            post["section"],
            post["title"],
            "bureau",
        )
    above = line["superior"]
    yield (
        f"{KEY}superior-{short(office)}",
        above["name"],
        above["kana"],
        headquarters,
        above["section"],
        above["title"],
        "headquarters",
    )
    yield SECOND, "管理 ふたば（仮名）", "", headquarters, "情報担当", "主査", "administrator"


def laid(session: Session, stage: Stage, process: str, line: Mapping[str, Any]) -> None:
    """Who stands in for the director and who stands above, when he was away, and the rules, consented to by a second person."""
    office, since = line["office"], stage.today - LONG_AGO
    name, posts = short(office), stage.posts
    director = posts[f"director-{name}"]
    superior = posts[f"{KEY}superior-{name}"]
    session.exec(update(Post).where(col(Post.id) == director).values(superior_id=superior))
    for sort, key in enumerate(line["deputies"], start=1):
        session.add(Deputy(post_id=director, deputy_id=posts[f"{KEY}{key}-{name}"], sort=sort, valid_from=since))
    for away in line["absences"]:
        person = stage.people[f"{away['of']}-{name}"]
        first, last = (stage.on(away[side]) for side in ("from", "to"))
        session.add(Absence(person_id=person, valid_from=first, valid_to=last, entered_by=person, kind=away["kind"]))
    begins = stage.on(line["since"])
    at = datetime.combine(begins - timedelta(days=7), time(10), TOKYO)
    for rule in line["rules"]:
        told = {"standing": False, "no_deputy": False, "bulk": False, "sort": 0, "reason": "専決規程の施行"} | rule
        session.add(
            AuthorityRule(process=process, office=office, valid_from=begins, set_by=stage.people["administrator"], set_at=at,
                          consented_by=stage.people[SECOND], consented_at=at + timedelta(days=1), **told)
        )  # fmt: skip
    session.flush()
