"""地域にどんどん飛び出し隊: from the request (or the director's own instruction) to the report of the staff.

The table below is the process: who may do what from where to where. Sources are clauses of the 実施要領 (要領2(1)–(4), 3)
and, for what it leaves open, the design. The rules it cites stand in `rules.py`, the form in `form.py`.
"""

from states.dispatch import documents, situation, table
from states.dispatch.form import read, read_fields
from states.dispatch.rules import computed
from states.kernel import Process

PROCESS = Process(
    key="dispatch",
    version=1,
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
    needs=frozenset({"assignments", "recognitions", "predecessor"}),
    documents=documents.DOCUMENTS,
    holders={("director", "draft"): "bureau", ("director", "correction"): "bureau"},
    fixed=situation.fixed,
    opens={
        "municipality_request": frozenset({"municipality", "bureau"}),
        "director": frozenset({"bureau", "director"}),
    },
)
