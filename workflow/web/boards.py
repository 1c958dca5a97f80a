"""The cases under a case as a board: a column for each way in which they are handled, a card for each of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from states.documents import written
from states.terms import Board
from workflow import cases
from workflow.called import Teller, teller
from workflow.cases import View
from workflow.history import FORM
from workflow.loading import NotFound
from workflow.web import family
from workflow.web.family import Member
from workflow.web.render import date_long, page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()
ENDED = " ended"  # no key of a column


@dataclass(frozen=True)
class Card:
    """A case on the board: how it stands, and what it says."""

    member: Member
    told: tuple[tuple[str, str], ...]


@router.get("/cases/{case_id:int}/board")
def show(request: Request, conn: Connection, signed: SignedIn, case_id: RowId) -> Response:
    """The board of a case that has one."""
    view = cases.look(conn, signed.actor.person_id, case_id)
    board = view.process.board
    if board is None or not view.version:
        raise NotFound
    members = [member for member in family.children(conn, view) if member.process == board.process]
    open_ones = sum(bool(member.turn) for member in members)
    return page(
        request,
        signed,
        "children_board.html",
        view=view,
        board=board,
        columns=_columns(conn, view, board, members),
        total=len(members),
        open=open_ones,
    )


def _columns(conn: Connection, view: View, board: Board, members: Sequence[Member]) -> list[tuple[str, list[Card]]]:
    """Every column with its cards: what is not decided yet first, what ended undecided last; empty columns stay out."""
    found: dict[str, list[Card]] = {"": [], **{key: [] for key, _ in board.columns}, ENDED: []}
    told = {
        version: teller(conn, process)
        for version, process in {m.definition.version: m.definition for m in members}.items()
    }
    for member in members:
        key = written(member.form, board.by)
        found[key if key and key in found else "" if member.turn else ENDED].append(
            Card(member, _told(told[member.definition.version], view, board, member))
        )
    labels = {"": board.none, **dict(board.columns), ENDED: "決めずに終わったもの"}
    return [(labels[key], cards) for key, cards in found.items() if cards or not key]


def _told(tell: Teller, view: View, board: Board, member: Member) -> tuple[tuple[str, str], ...]:
    """What the card says, as far as its reader may read it."""
    process = member.definition
    readable = [path for path in board.shows if process.reads(FORM + path.partition(".")[0], view.roles, member.state)]
    days = {path for path, known in process.form.fields_by_path.items() if known.kind == "date"} if process.form else ()
    told = [(path in days, *tell(path, written(member.form, path))) for path in readable]
    return tuple((label, (day and date_long(text)) or text) for day, label, text in told if text)
