"""Ways to narrow a list of cases: what each is called, how many hits every value has, and where it leads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from states import catalogue
from states.dates import fiscal_year_label
from states.terms import State
from workflow.finding import Found
from workflow.web import lists, offers

MOST_VALUES = 10  # shown of one way
ENDED = {"running": "進行中", "ended": "終わった"}


@dataclass(frozen=True)
class Value:
    """One value: where it leads, and how many hits there are; one that is chosen already leads back."""

    href: str
    label: str
    count: int
    current: bool


@dataclass(frozen=True)
class Facet:
    """A way to narrow the list; `rest` counts the values that are not shown."""

    label: str
    values: Sequence[Value]
    rest: int = 0


def facets(found: Found, here: Mapping[str, str], path: str, names: Mapping[str, str], *, inside: bool) -> list[Facet]:
    """What the hits are. `here` is the address of this list, `names` are those of the organisations.

    A way that would narrow nothing is left out; the states of a process are the offices' own.
    """
    shown = []
    for name, (label, told) in _ways(names).items():
        counted, chosen = found.facets.get(name, {}), here.get(name, "")
        narrows = any(number < found.total for number in counted.values())
        if (name != "state" or inside) and (narrows or chosen):
            values = [
                Value(lists.address(path, here, **{name: value if value != chosen else ""}), _called(name, value, told), number, value == chosen)
                for value, number in _ordered(name, told, {str(value): number for value, number in counted.items()})
            ]  # fmt: skip
            if chosen and not any(value.current for value in values):
                values.insert(
                    0, Value(lists.address(path, here, **{name: ""}), _called(name, chosen, told), 0, current=True)
                )
            shown.append(Facet(label, values[:MOST_VALUES], max(len(values) - MOST_VALUES, 0)))
    return shown


def _ways(names: Mapping[str, str]) -> dict[str, tuple[str, Mapping[str, str]]]:
    """Every way by the name it has in the address: its label, and those of its values."""
    processes = list(catalogue.newest().values())
    kinds = {key: label for p in processes for key, label in p.wording.choices.get(p.wording.kind, {}).items()}
    origins = {key: label for p in processes for key, label in getattr(offers.words(p), "origins", {}).items()}
    return {
        "ended": ("進みぐあい", ENDED), "step": ("段階", dict(steps())), "state": ("状態", dict(labels())), "outcome": ("結果", {}),
        "office": ("振興局", names), "place": ("市町村", names), "year": ("年度", {}), "kind": ("区分", kinds), "origin": ("契機", origins),
        "process": ("業務", {process.key: process.label for process in processes}),
    }  # fmt: skip


def _called(name: str, value: str, told: Mapping[str, str]) -> str:
    return fiscal_year_label(int(value)) if name == "year" else told.get(value, value)


def _ordered(name: str, told: Mapping[str, str], counted: Mapping[str, int]) -> Iterable[tuple[str, int]]:
    """Steps and states in the order of the process, years from the newest, the rest by how many there are."""
    if name == "year":
        return sorted(counted.items(), reverse=True)
    order = list(told) if name in ("ended", "step", "state") else []
    return sorted(
        counted.items(), key=lambda pair: (order.index(pair[0]) if pair[0] in order else len(order), -pair[1], pair[0])
    )


def processes() -> list[tuple[str, str]]:
    """Every process by its key."""
    return [(process.key, process.label) for process in catalogue.newest().values()]


def steps(process: str = "") -> list[tuple[str, str]]:
    """The public steps of one process, or of all."""
    return [(step, step) for step in dict.fromkeys(state.step for state in _states(process))]


def labels(process: str = "") -> list[tuple[str, str]]:
    """The states of one process, or of all, with their labels."""
    return list({state.name: state.label for state in _states(process)}.items())


def states_of(filters: Mapping[str, str]) -> tuple[str, ...]:
    """The states that the filters leave; a name that nothing bears where they leave none, none where they leave all."""
    told = {name: filters[name] for name in ("step", "state", "ended", "outcome") if filters[name]}
    left = []
    for state in (s for process in catalogue.all_versions().values() for s in process.states):
        ended = "ended" if state.final else "running"
        of = {"step": state.step, "state": state.name, "ended": ended, "outcome": state.outcome}
        left += [state.name] if all(of[name] == value for name, value in told.items()) else []
    return (tuple(dict.fromkeys(left)) or ("",)) if told else ()


def _states(key: str = "") -> list[State]:
    known = catalogue.newest()
    return [state for process in ([known[key]] if key in known else known.values()) for state in process.states]
