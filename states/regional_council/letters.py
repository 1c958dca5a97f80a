"""Letters of a session to its members: the notice with the slip to answer on, and what is told when it cannot be held."""

from collections.abc import Callable, Sequence

from states.dates import read_date, wareki
from states.documents import Documents, Letter, Matter, Paper, rows
from states.regional_council.form import AGENDA_KINDS, FORMATS

WEEKDAYS = "月火水木金土日"


def _when(matter: Matter) -> str:
    day = read_date(matter.text("meeting.held_on")).date
    if day is None:
        return matter.text("meeting.held_on")
    hours = "〜".join(filter(None, (matter.text("meeting.from"), matter.text("meeting.to"))))
    return " ".join(filter(None, (f"{wareki(day)}({WEEKDAYS[day.weekday()]})", hours)))


def _agenda(matter: Matter) -> str:
    kinds = dict(AGENDA_KINDS)
    return "\n".join(
        f"{row.get('no') or number} {row.get('title') or ''}"
        + (f"({kinds[str(row['kind'])]})" if row.get("kind") in kinds else "")
        for number, row in enumerate(rows(matter.form, "agenda.items"), start=1)
    )


def _paper(matter: Matter, subject: str, body: str, items: Sequence[tuple[str, str]]) -> Paper:
    return Paper(
        number=matter.text("notice.number"), on=matter.on, to="構成員 様", sender=f"{matter.prefecture}{matter.office_name}長", subject=subject, body=body,
        items=tuple((label, text) for label, text in items if text.strip()),
        contact=tuple(filter(None, (f"案件番号 {matter.number}", matter.office_contact))),
    )  # fmt: skip


def _notice(matter: Matter) -> Paper:
    name = matter.text("meeting.name")
    writing = matter.text("meeting.format") == "writing"
    return _paper(
        matter,
        f"{name}の開催について(通知)",
        "下記のとおり書面で開催しますので、期限までに回答してください。" if writing else "下記のとおり開催しますので、出席について回答してください。",
        (
            ("会議", name), ("開き方", dict(FORMATS).get(matter.text("meeting.format"), "")), ("回答の期限" if writing else "日時", _when(matter)),
            ("場所", matter.text("meeting.place")), ("議長", matter.text("meeting.chair")), ("共催", matter.text("meeting.hosts")), ("議題", _agenda(matter)),
            ("出欠の回答", "出席 ・ 代理が出席(職・氏名) ・ 遠隔で出席 ・ 欠席\n画面で答えるか、この紙に印を付けて送り返してください。"),
        ),
    )  # fmt: skip


def _told(subject: str, body: str, label: str) -> Callable[[Matter], Paper]:
    return lambda matter: _paper(
        matter,
        f"{matter.text('meeting.name')}の{subject}について(通知)",
        body,
        (("会議", matter.text("meeting.name")), (label, matter.inputs.get("reason", ""))),
    )


DOCUMENTS = Documents(
    letters=(
        Letter("convening_notice", "開催通知", "letters/letter.html", _notice),
        Letter("postponed_notice", "延期の通知", "letters/letter.html", _told("延期", "先に通知した会議を、下記の理由により延期します。日時は改めて通知します。", "延期の理由")),
        Letter("cancelled_notice", "中止の通知", "letters/letter.html", _told("中止", "先に通知した会議を、下記の理由により中止します。", "中止の理由")),
    ),
)  # fmt: skip
