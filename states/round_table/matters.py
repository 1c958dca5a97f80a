"""What of a round table is decided by a route, and what the table of decisions may make it depend on."""

from states.authority import Condition, Matter
from states.round_table import rules
from states.round_table.form import FORMS
from states.terms import Facts


def _crosses(facts: Facts) -> bool:
    """Whether the places lie in the areas of more than one office."""
    offices = {facts.directory.office_of(code, rules.judged_on(facts)) for code in rules.places(facts)}
    return len({office.code for office in offices if office}) > 1


MATTERS = (
    Matter(
        "holding", "ラウンドテーブルの開催", frozenset({"table_deciding"}), "director", frozenset({"approve"}),
        frozenset({"send_back", "pull_back", "withdraw_draft"}),
        {"plan": "計画", "office_side": "道側の出席者", "region_side": "地域側の出席者", "people": "名簿"},
        (
            Condition("places", "対象の市町村", lambda facts: len(rules.places(facts)), "number", "市町村"),
            Condition("form", "実施形態", lambda facts: facts.read.part("plan").text("form"), "choice", choices=tuple((o[0], o[1]) for o in FORMS)),
            Condition("crosses_area", "他局の管内", _crosses),
        ),
    ),
)  # fmt: skip
