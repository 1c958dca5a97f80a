"""The verbs of a route as acts: each an event of its own that leaves the case where it is."""

from collections.abc import Mapping
from typing import Any

from states import route_actions, routes
from states.kernel import Refused
from states.route_actions import BY_NAME
from states.routes import GROUP
from workflow import acts, history, routing
from workflow.loading import Loaded


def work_out(case: Loaded, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Every row of a verb. Raises `Refused`."""
    facts = case.facts
    facts.inputs = acts.answers(inputs)
    if routes.of(facts.form) is None or not case.process.matters:
        raise Refused(
            "state",
            f"いまは決裁に回っていないので、「{BY_NAME[name].label}」はできません。最新の画面を開いてください。",
        )
    move = route_actions.judged(case.process, facts, name)
    post = next((case.held[role] for role in case.held if role in move.action.by), None)
    route = route_actions.turned(facts, name, routing.answer(case, move.action.by, post))
    form = {**case.row.form, GROUP: routes.to_json(route)}
    if not history.keepable(form[GROUP]):
        raise Refused(
            "guard",
            "保存できない文字(NUL など)が入っています。何も変えていません。その文字を消して、もう一度送ってください。",
        )
    return acts.stay(case, move, form, inputs)
