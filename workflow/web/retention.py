"""Keeping and disposing: cases whose period has passed, what holds them back, proposals, and the register of disposals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from states.dates import fiscal_year_label, wareki
from states.kernel import Refused
from workflow import cases, export, retention
from workflow.access import Actor
from workflow.db import database
from workflow.deadlines import TOKYO, local_day
from workflow.loading import NotFound
from workflow.retention import ANSWERS, KEEPS, Kept
from workflow.web.posted import Fields, Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, SignedIn
from workflow.web.sheets import number

router = APIRouter()

ADDRESS = "/retention"
READERS = frozenset({KEEPS, ANSWERS, "auditor"})
SHOWN = 200  # cases in one list
RECENT = 20  # disposals on the page; the file holds all
EXTENSIONS = (1, 3, 5, 10, 30)  # years to choose from
SOON = 1  # fiscal years ahead that are told of
DONE = {
    "propose": "廃棄を起案しました。局長の受信箱に出ています。まだ何も消えていません。",
    "confirm": "廃棄しました。廃棄簿に載っています。",
    "decline": "廃棄を取りやめました。案件はそのままです。",
    "extend": "保存期間を延ばしました。",
    "hold": "廃棄を止めました。解くまで、起案できません。",
    "release": "廃棄の停止を解きました。",
}


@dataclass(frozen=True)
class Asked:
    """What was sent and refused: which button, what was ticked, what was typed, what is wrong."""

    do: str = ""
    ticked: frozenset[str] = frozenset()
    typed: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    def value(self, do: str, name: str) -> str:
        return self.typed.get(name, "") if do == self.do else ""


@router.get(ADDRESS)
def show(request: Request, conn: Connection, signed: SignedIn, year: str = "", done: str = "") -> Response:
    """What has passed its period, by the year in which it did."""
    return _page(request, conn, signed, year, Asked(), DONE.get(done, ""))


@router.post(ADDRESS)
def carry_out(request: Request, conn: Connection, signed: SignedIn, posted: Posted) -> Response:
    """One step for the cases that are ticked. A refusal shows the page again, with everything that was typed."""
    if not {KEEPS, ANSWERS} & signed.actor.roles:
        raise NotFound
    do = posted.get("do", "")
    try:
        _step(signed.actor.person_id, do, posted)
    except Refused as refusal:
        if refusal.kind == "state":
            raise
        names = ("reason", "years", "number", "case")
        typed = {name: posted.get(name, "") for name in names} | {"reason": posted.get(f"reason-{do}", "")}
        asked = Asked(do, frozenset(posted.getlist("cases")), typed, refusal.sentence)
        return _page(request, conn, signed, posted.get("year", ""), asked, "", 403 if refusal.kind == "role" else 422)
    return RedirectResponse(f"{ADDRESS}?done={do}", 303)


def _step(person: int, do: str, posted: Fields) -> None:
    """Raises `Refused` for what is no step, too."""
    db, chosen, reason = database(), [_mark(mark) for mark in posted.getlist("cases")], posted.get(f"reason-{do}", "")
    steps: Mapping[str, Callable[[], Any]] = {
        "propose": lambda: retention.propose(db, person, chosen, reason),
        "confirm": lambda: retention.confirm(db, person, chosen),
        "decline": lambda: retention.decline(db, person, chosen, reason),
        "extend": lambda: retention.extend(db, person, chosen, number(posted.get("years", "")), reason),
        "hold": lambda: retention.hold(db, person, posted.get("number", "").strip(), reason),
        "release": lambda: retention.release(db, person, number(posted.get("case", "")), reason),
    }
    if do not in steps:
        raise Refused("guard", "どの操作かを読み取れませんでした。何も変えていません。画面を開き直してください。")
    steps[do]()


def _mark(mark: str) -> tuple[int, int]:
    """A ticked case: its id, and the version in which it was seen."""
    case, _, version = mark.partition(".")
    found = (number(case), number(version))
    if min(found) < 1:
        raise Refused("guard", "選んだ案件を読み取れませんでした。何も変えていません。画面を開き直してください。")
    return found


@router.post(f"{ADDRESS}/register")
def take(conn: Connection, signed: SignedIn, posted: Posted) -> Response:
    """The register of disposals as CSV; that it was taken out is recorded with it, so it is no GET."""
    _may_read(signed.actor)
    rows = retention.disposed(conn, signed.actor.person_id)
    retention.taken(conn, signed.actor.person_id, len(rows))
    told = export.table(HEADINGS, (_cells(row) for row in rows))
    name = f"tobidashi-disposals_{cases.today(conn).isoformat()}.csv"
    return Response(
        told, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


HEADINGS = (
    "案件番号", "業務", "終わった日", "保存期間の終わり", "延長", "廃棄を起案した人", "起案した日", "廃棄を確かめた人", "廃棄した日時", "記録番号", "消した内容の数", "指紋",
)  # fmt: skip


def _cells(row: retention.Disposed) -> list[object]:
    told = row.told
    return [
        row.number or "", row.process_label, told["ended_on"], told["until"], "あり" if told["extended"] else "なし", told["proposed_by"],
        told["proposed_on"], row.confirmed_by, f"{row.at.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}", row.seq, row.rows, row.hash,
    ]  # fmt: skip


def _may_read(actor: Actor) -> None:
    if not READERS & actor.roles:
        raise NotFound


def _page(
    request: Request, conn: Connection, signed: Signed, year: str, asked: Asked, done: str, status: int = 200
) -> Response:
    _may_read(signed.actor)
    person, actor = signed.actor.person_id, signed.actor
    wide = any(post.scope == "all" for post in actor.posts)
    mine = [found for found in retention.kept(conn, person) if wide or found.lead in actor.orgs]
    proposed = [found for found in mine if found.proposed]
    own = _own(proposed, person)
    over = [found for found in mine if found.over and not found.proposed and not found.held]
    years = sorted({found.year for found in over})
    wanted = next((number for number in years if str(number) == year), 0)
    chosen = [found for found in over if not wanted or found.year == wanted]
    today = cases.today(conn)
    soon = [found for found in mine if not found.over and (found.until - today).days < 366 * SOON]
    return page(
        request, signed, "retention.html", status=status, asked=asked, done=done, keeps=KEEPS in actor.roles,
        answers=bool({KEEPS, ANSWERS} & actor.roles), proposed=proposed, own=own,
        confirms=bool({KEEPS, ANSWERS} & actor.roles) and len(own) < len(proposed), over=chosen[:SHOWN], more=max(0, len(chosen) - SHOWN),
        years=[(str(number), f"{fiscal_year_label(number)}に満了({sum(f.year == number for f in over)}件)") for number in years],
        year=str(wanted or ""), total=len(over), held=retention.held(conn, person), soon=len(soon),
        disposed=retention.disposed(conn, person, limit=RECENT), extensions=[(str(n), f"{n}年") for n in EXTENSIONS],
        longest=retention.LONGEST, day=lambda at: wareki(local_day(at)),
    )  # fmt: skip


def _own(proposed: Sequence[Kept], person: int) -> frozenset[int]:
    """The proposals that this person made, and so does not confirm."""
    return frozenset(found.id for found in proposed if found.proposed and found.proposed["person"] == str(person))
