"""What stands around every form and every case on its pages: words, the writer's place, lists to choose from, names."""

from functools import partial
from typing import Any

from states import substitute
from states.kernel import Process
from states.places import Directory
from workflow import candidates, cases, colleagues, offered, published, similar
from workflow.cases import View
from workflow.db import type_connection
from workflow.deadlines import calendar
from workflow.web import board, declared, offers
from workflow.web.render import Signed, environment


def offices_of(view: View) -> list[str]:
    """The offices whose staff may go."""
    return colleagues.offices_of(view.lead, view.parties)


def surroundings(
    conn: type_connection, signed: Signed, process: Process, origin: str, office: str, view: View | None = None
) -> dict[str, Any]:
    """What every form of a process may refer to: its words, the writer's place, who works at the office, who is where."""
    offices = offices_of(view) if view else [office]
    day, home = cases.today(conn), signed.actor.home
    directory, days = Directory.from_csv(), calendar(conn, office)
    bureau = directory.office(office)
    own = directory.municipality(home.org_code, day) if home else None
    staff = colleagues.of_offices(conn, offices) if own is None else []
    called = lambda code: m.name if (m := directory.municipality(code, day)) else code  # noqa: E731
    lists = (view.facts.registers.get("offered") if view else None) or offered.lists(conn, process.picks, office)
    picked = {
        "municipality": {m.code: m.name for m in directory.of_office(office, day)},
        "person": {str(s.id): s.name for s in staff},
    } | lists
    return {
        "process": process, "origin": origin, "words": offers.words(process), "today": day, "own": own, "home": home,
        "office_name": bureau.name if bureau else office, "area": directory.of_office(office, day),
        "staff": staff, "around": declared.Around(picked, called),
        "form_part": environment().select_template([f"{process.key}/form.html", "form_page.html"]),
        "sections": lambda: declared.Reader(conn, view, called, picked["person"]).sections() if view else [],
        "facts_part": [f"{process.key}/facts.html", "facts.html"], "sheet": f"/cases/{view.id}/print" if view else "",
        "earlier_ones": partial(
            similar.earlier, conn, signed.actor, process, view.form if view else {}, place=own.code if own else "",
            besides=view.id if view else 0,
        ),
        "published_for": [p for p in published.processes() if p.published and process.key in p.published.beside and published.may_read(signed.actor)],
        "published_ones": partial(published.beside, conn, signed.actor, process, view.form if view else {}, day),
        "places": directory.of_prefecture(bureau.prefecture_code, day) if bureau else (),
        "office_called": lambda code: o.name if (o := directory.office(code)) else code,
        "municipality_called": called,
        "board_of": board.Around(
            conn, signed.actor, view.id if view else 0, offices, days, process.place(view.form) if view else "", day
        ).board,
        "candidate_order": candidates.ORDER,
        "settled": lambda member: substitute.settle(member.reading, member.substitute, days),
    }  # fmt: skip
