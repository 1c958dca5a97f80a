"""Everything that is not in the table is refused with a sentence: every process, state, role and verb, on page, command and task.

The tables are the process's own rows and the verbs of a route; here every combination is walked without a database. The same
on a stored case, through the page and by the clock, is `tests/workflow/web/test_route_doors.py`.
"""

import re
from datetime import date

import pytest
from typer.testing import CliRunner

from states import catalogue, route_actions, routes
from states.authority import Address, Stage
from states.kernel import Refused
from states.places import Directory
from states.route_actions import BY_NAME, WHO, judged
from states.standings import Stands
from states.terms import CLOCK, Facts
from workflow.__main__ import app
from workflow.access import PARTS, SCOPE_OF
from workflow.deadlines import calendar_of

ROLES = sorted(
    {
        *SCOPE_OF,
        *(role for parts in PARTS.values() for role in parts.values()),
        *(set(WHO) - {"decider"}),
        "colleague",
        CLOCK,
    }
)
JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠].*。$", re.DOTALL)
EVERY = [(p, s.name) for p in catalogue.all_versions().values() for s in p.states]


def facts(process, state, role, form=None):
    return Facts(
        state, form or {}, process.reading({}), date(2026, 11, 2), Directory.from_csv(), calendar_of(frozenset()), frozenset({role}), "1",
        registers={"stands": Stands(), "posts": frozenset()},
    )  # fmt: skip


@pytest.mark.parametrize(("process", "state"), EVERY, ids=[f"{p.key}-{p.version}-{s}" for p, s in EVERY])
def test_what_the_process_does_not_name_is_refused_with_a_sentence(process, state):
    """For every role and act: a row that has neither this state nor this role is refused, and offered to nobody."""
    for role in ROLES:
        for name in process.names:
            rows = [row for row in process.table if row.name == name and state in row.source]
            if any(role in row.by for row in rows):
                continue  # in the table; what its guards say is asked elsewhere
            with pytest.raises(Refused) as refusal:
                process.decide(facts(process, state, role), name)
            assert JAPANESE.search(refusal.value.sentence), (role, name, refusal.value.sentence)
            # A row that only some cases have is, for this one, not there.
            assert refusal.value.kind in (("role", "state") if rows else ("state",))


@pytest.mark.parametrize(
    ("process", "state"), [(p, s) for p, s in EVERY if p.matters], ids=[f"{p.key}-{s}" for p, s in EVERY if p.matters]
)
def test_no_verb_of_a_route_is_open_to_a_role_that_its_table_does_not_name(process, state):
    step = routes.Step(1, "decide", 7, "o", "局長", 1, state=routes.OPEN)
    matter = process.matter(state) or process.matters[0]
    route = routes.Route(matter.key, "", 1, "", (), False, False, False, 2, "", 3, "", (Stage("decide", (Address("局長"),)),), (step,))  # fmt: skip
    form = {"route": routes.to_json(route)}
    for role in ROLES:
        for verb in BY_NAME.values():
            named = role in verb.by or ("decider" in verb.by and process.matter(state) and role == matter.role)
            asked = facts(process, state, role, form)
            offered = any(offer.action.name == verb.name for offer in route_actions.offers(process, asked))
            assert named or not offered, (role, verb.name)
            if not named:
                with pytest.raises(Refused) as refusal:
                    judged(process, asked, verb.name)
                assert JAPANESE.search(refusal.value.sentence)
            assert not route_actions.offers(process, facts(process, state, role)), "without a route no verb of one"


def test_the_command_line_has_no_door_to_any_act():
    """Acts are done on pages and by the clock; of the commands none takes the name of one."""
    shown = CliRunner().invoke(app, ["--help"]).output
    acts = {name for process in catalogue.all_versions().values() for name in process.names} | set(BY_NAME)
    commands = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    assert {"verbs", "verify", "check"} <= commands
    assert not commands & acts
    for name in ("approve_step", "take_up", "act"):
        refused = CliRunner().invoke(app, [name])
        assert refused.exit_code == 2, name
    assert "approve" not in shown
