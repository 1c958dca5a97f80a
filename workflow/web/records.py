"""Records of a case as files to take along."""

from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from workflow import cases
from workflow.documents import records
from workflow.documents.declared import DocumentProblem
from workflow.web.errors import NOTHING_LOST, Trouble, Way
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()


@router.get("/cases/{case_id:int}/records/{key}")
def record(conn: Connection, signed: SignedIn, case_id: RowId, key: str) -> Response:
    """The record as its reader may have it, made at this moment."""
    person = signed.actor.person_id
    try:
        name, kind, data = records.taken(conn, person, cases.look(conn, person, case_id), key)
    except DocumentProblem as problem:
        back = Way(f"/cases/{case_id}", "案件へ", "様式が直ったら、もう一度開く")
        raise Trouble(503, "文書をつくれませんでした", str(problem), NOTHING_LOST, (back,)) from problem
    return Response(
        data, media_type=kind, headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    )
