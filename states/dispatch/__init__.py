"""地域にどんどん飛び出し隊: from the request (or the director's own instruction) to the report of the staff.

The table below is the process: who may do what from where to where. Sources are clauses of the 実施要領 (要領2(1)–(4), 3)
and, for what it leaves open, the design. The rules it cites stand in `rules.py`, the form in `form.py`.
"""

from states.dispatch import arrival, brief, change, copying, documents, matters, situation, table, words
from states.dispatch.fields import read_fields
from states.dispatch.form import read
from states.dispatch.rules import computed
from states.dispatch.wording import WORDING
from states.kernel import Process

PROCESS = Process(
    key="dispatch",
    version=1,
    order=10,
    label="飛び出し隊 派遣",
    states=table.STATES,
    table=table.ACTIONS,
    read=read,
    title=situation.title,
    place=situation.place,
    deadlines=table.DEADLINES,
    asks=table.asks,
    reads=table.reads,
    assigned=situation.assigned,
    computed=computed,
    fields=read_fields,
    needs=frozenset({"assignments", "recognitions", "predecessor", "children", "named", "own_approval"}),
    documents=documents.DOCUMENTS,
    holders={("director", "draft"): "bureau", ("director", "correction"): "bureau"},
    fixed=situation.fixed,
    difference=change.difference,
    prefill=change.prefill,
    told=words.told,
    copied=copying.copied,
    arrival=arrival.arrival,
    alike=arrival.alike,
    wording=WORDING,
    matters=matters.MATTERS,
    derives=brief.DERIVES,
    brief=brief.BRIEF,
    opens={
        "municipality_request": frozenset({"municipality", "bureau"}),
        "director": frozenset({"bureau", "director"}),
    },
)
