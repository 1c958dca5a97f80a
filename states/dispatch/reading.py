"""The records of a file, read strictly: what is no such record is named by record, field and line, never guessed at."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from states import records
from states.dispatch.parts import Role
from states.records import NotTakenInError, Problem, Reading, fault

KIND = "dispatch_request"
__all__ = ["KIND", "NotTakenInError", "Problem", "Reading", "fault", "read_each", "read_records"]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Requester(_Strict):
    """Who asks."""

    municipality_code: str = ""
    municipality_name: str = ""
    department: str = ""
    contact_role: str = ""
    contact_tel: str = ""
    contact_mail: str = ""


class DirectorApproval(_Strict):
    """Whether and when the director recognised the body."""

    approved: bool
    approved_on: str | None = None
    reference: str | None = None


class RecordDestination(_Strict):
    """Where the staff are to go."""

    type: Literal["municipality", "organization"]
    municipality_code: str = ""
    municipality_name: str = ""
    organization_name: str = ""
    director_approval: DirectorApproval | None = None


class Range(_Strict):
    """First and last day, both counted, as typed."""

    from_: str = Field(alias="from")
    to: str


class Staff(_Strict):
    """A place in the team and its days, as ranges or as one text."""

    role: str
    section: str = ""
    headcount: int = Field(1, ge=1, le=1000)
    assignments: list[Range] = []
    days: str = ""


class ConcurrentAppointment(_Strict):
    """Whether a concurrent appointment is asked for; own affairs null or "unknown" where nobody could say."""

    needed: bool
    municipal_own_affairs: bool | Literal["unknown"] | None
    reason: str = ""


class Links(_Strict):
    """Where the request comes from."""

    previous_request_id: str | None = None
    round_table_id: str | None = None
    consultation_id: str | None = None


class Record(_Strict):
    """One request as it came in, every value as typed."""

    office_code: str
    initiative: Literal["municipality_request", "director"]
    received_on: str
    channel: Literal["paper", "mail", "fax"] = "paper"
    requester: Requester | None = None
    destination: RecordDestination
    title: str
    work_category: str
    purpose: str
    tasks: list[str]
    task_roles: list[Role] = []
    period: Range
    staff: list[Staff] = []
    concurrent_appointment: ConcurrentAppointment
    links: Links = Links()


def read_records(source: str | bytes) -> Mapping[str, Record]:
    """The records of a JSON file by id. Raises `NotTakenInError`."""
    return records.all_of(read_each(source))


def read_each(source: str | bytes) -> Reading:
    """The same, the sound records beside the problems of the others."""
    return records.read_each(source, Record, KIND, _roles)


def _roles(record: Record) -> tuple[str, str] | None:
    """As many roles as tasks, where they are named."""
    if not record.task_roles or len(record.task_roles) == len(record.tasks):
        return None
    return (
        "task_roles",
        f"業務は{len(record.tasks)}件、役割は{len(record.task_roles)}件です。同じ数にしてください。",
    )
