"""地域づくり連携会議: one session, from the search for a day to minutes that are fixed, and published or kept.

It stands under the body that holds it (`council_body`); what is agreed to be done becomes cases of its own (`council_action`).
"""

from collections.abc import Mapping
from typing import Any

from states.kernel import Process
from states.regional_council import letters, table
from states.regional_council.form import FORM
from states.terms import Board, Plan


def title(form: Mapping[str, Any]) -> str:
    meeting = form.get("meeting") or {}
    name = str(meeting.get("name") or "").strip() or "(名前のない会議)"
    return f"{name} 第{meeting['round']}回" if meeting.get("round") else name


PROCESS = Process(
    key="regional_council",
    version=1,
    label="連携会議",
    states=table.STATES,
    table=table.ACTIONS,
    form=FORM,
    read=FORM.read,
    fields=FORM.fields,
    told=FORM.told,
    wording=FORM.wording,
    title=title,
    deadlines=table.DEADLINES,
    asks=table.asks,
    reads=table.reads,
    documents=letters.DOCUMENTS,
    needs=frozenset({"parent"}),
    mark="会議",
    board=Board(
        "council_action",
        "対応の一覧",
        "item.owner_kind",
        (("office", "事務局"), ("municipality", "市町村")),
        "決めていない",
        ("item.due", "report.text"),
    ),
    plan=Plan("連携会議の年間計画", "meeting.held_on", "", ("meeting.format", "meeting.place")),
)
