"""Who would decide, in which order, and why: a rule of decision worked out for a case and a day, in words. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from states.authority import CONSENT, DECIDE, KINDS, OWN_SECTION, PASSES, REFUSALS, Address, Matter, Rule, Stage, Test
from states.authority import chosen as first_fitting
from states.authority import reasons as conditions_said
from states.route_making import Drafter, Unresolved, made, may_decide
from states.routes import MERGED, Route, Step
from states.seats import MAIN, TENURES, Seat, Seats

WHOLE = "全体"
NO_RULE = "当てはまる定めがありません。決裁の順序はつくらず、これまでどおり一つの職が決めます。"


@dataclass(frozen=True)
class Sitting:
    """A person who holds a post that day: by which tenure where it is not the main one; absent without why."""

    person: int
    name: str
    tenure: str = ""
    absent: str = ""


@dataclass(frozen=True)
class Stop:
    """One post that would be asked, in words: where it is, who holds it that day, what is to be said of it."""

    no: int
    kind: str  # 回議, 合議, 決裁, 供覧
    office: str
    post: str
    people: tuple[Sitting, ...]
    notes: tuple[str, ...] = ()
    asked: bool = True  # False: somebody who is asked elsewhere, or drafted it, so that nothing is asked here
    decides: bool = False
    mandatory: bool = False


@dataclass(frozen=True)
class Together:
    """The posts of one stage, and how it passes; `passes` is empty where only one is asked."""

    number: int
    kind: str
    passes: str
    covers: str
    stops: tuple[Stop, ...]


@dataclass(frozen=True)
class Turned:
    """A rule that did not fit, and the conditions of it that the case does not meet."""

    article: str
    office: str
    unmet: tuple[str, ...]


@dataclass(frozen=True)
class Preview:
    """The route that would be made on a day: by which rule, why, through whom; `problem` says why there is none."""

    matter: str
    drafter: str
    values: tuple[str, ...]  # what the conditions of the case are
    rule: int = 0
    article: str = ""
    why: tuple[str, ...] = ()
    standing: bool = False
    bars: str = ""  # why nobody decides as a deputy
    bulk: bool = False
    stages: tuple[Together, ...] = ()
    turned: tuple[Turned, ...] = ()
    problem: str = ""

    @property
    def decider(self) -> Stop | None:
        """The post that would decide."""
        return next((stop for stage in self.stages for stop in stage.stops if stop.decides), None)


def worked_out(
    rules: Iterable[Rule], matter: Matter, values: Mapping[str, Any], seats: Seats, drafter: Drafter, lead: str, *,
    excluded: Collection[int] = (), mark: str = "",
) -> Preview:  # fmt: skip
    """What an act that puts the case up would do now, with its reasons."""
    known = [rule for rule in rules if rule.matter == matter.key]
    said = tuple(condition.said(values[condition.key]) for condition in matter.conditions)
    who = " ".join(filter(None, (drafter.title, drafter.name)))
    rule = first_fitting(known, matter, values)
    turned = tuple(_turned(other, matter, values) for other in known if not all(t.met(values) for t in other.tests))
    if rule is None:
        return Preview(matter.label, who, said, turned=turned, problem=NO_RULE)
    told = Preview(
        matter.label, who, said, rule.id, rule.article, tuple(conditions_said(rule, matter)), rule.standing, "", rule.bulk, turned=turned
    )  # fmt: skip
    try:
        route = made(rule, matter, seats, drafter, lead, at=0, excluded=excluded, mark=mark)
    except Unresolved as unresolved:
        return _with(told, problem=str(unresolved))
    stages = tuple(
        Together(n, KINDS[stage.kind], passes_said(stage), covers_said(stage, matter), tuple(_stop(route, step, seats) for step in route.at_stage(n)))
        for n, stage in enumerate(route.stages, start=1)
    )  # fmt: skip
    return _with(told, bars=route.barred(), stages=stages)


def _with(told: Preview, **changed: Any) -> Preview:
    return Preview(**(vars(told) | changed))


def _turned(rule: Rule, matter: Matter, values: Mapping[str, Any]) -> Turned:
    return Turned(
        rule.article, rule.office, tuple(test.said(matter) for test in rule.tests if not _met(test, values, matter))
    )


def _met(test: Test, values: Mapping[str, Any], matter: Matter) -> bool:
    return any(c.key == test.key for c in matter.conditions) and test.met(values)


def _stop(route: Route, step: Step, seats: Seats) -> Stop:
    seat = seats.get(step.post)
    people = tuple(_sitting(holder) for holder in seat.holders) if seat else ()
    notes = [step.instead + "。"] if step.instead else []
    if step.state == MERGED:
        notes.append(_merged(route, step))
    elif seat is None or not seat.holders:
        notes.append("空いています。職務代理か事務取扱の発令があるまで、ここで止まります。")
    else:
        notes += _who_may(route, step, seat, seats)
    return Stop(
        step.no, KINDS[step.kind], seat.org_name if seat else "", step.title, people, tuple(notes), step.state != MERGED,
        step.kind == DECIDE, step.mandatory,
    )  # fmt: skip


def _sitting(holder: Any) -> Sitting:
    tenure = "" if holder.tenure == MAIN else TENURES[holder.tenure]
    return Sitting(holder.person, holder.name, tenure, "不在" if holder.absent else "")


def _merged(route: Route, step: Step) -> str:
    into = route.step(step.into)
    if into is None:
        return "起案する人の職なので、ここでは改めて聞きません。"
    return f"「{into.title}」と同じ人なので、{KINDS[into.kind]}のときに一度だけ聞き、両方の職を残します。"


def _who_may(route: Route, step: Step, seat: Seat, seats: Seats) -> list[str]:
    """What keeps the holders from acting themselves, and who may act for them."""
    if step.kind == DECIDE and not any(may_decide(route, holder.person) for holder in seat.holders):
        return ["起案した人か、この件の本人しかいない職で、上位の職も定まっていません。決められる人がいません。"]
    if not seat.away:
        return []
    if step.kind == DECIDE and (bar := route.barred()):
        return [f"不在です。{bar}戻るのを待ちます。"]
    barred = {route.drafter, *route.excluded} if step.kind == DECIDE else {route.drafter}
    for post in seat.deputies:
        deputy = seats.get(post)
        for holder in deputy.holders if deputy else ():
            found, _ = seats.deputy(seat, holder.person, barred)
            if found is not None:
                does = "代決し、戻ってから後閲します" if step.kind == DECIDE else "代わりに答えられます"
                return [f"不在なので、「{found.called}」の{holder.name}が{does}。"]
    return ["不在です。代わりを務める順序に、いま動ける職がありません。戻るのを待ちます。"]


# ── a rule in words ─────────────────────────────────────────────────────────────────────────────────────────────────────


def address_said(address: Address, names: Mapping[str, str]) -> str:
    """「起案した人の課の課長」, 「本庁 局長」."""
    section = "起案した人の課の" if address.section == OWN_SECTION else f"{address.section} " if address.section else ""
    office = f"{names.get(address.org, address.org)} " if address.org else ""
    return f"{office}{section}{address.title}" + ("(欠かせない)" if address.mandatory else "")


def passes_said(stage: Stage) -> str:
    """How several who are asked together pass; empty where one is asked."""
    if stage.kind != CONSENT or len(stage.asked) < 2:
        return ""
    need = f"{len(stage.asked)}のうち{stage.quorum}の同意" if stage.passes == "quorum" else PASSES[stage.passes]
    must = "、".join(address.title for address in stage.asked if address.mandatory)
    return f"{need}{f'({must}は欠かせない)' if must else ''}、{REFUSALS[stage.refusal]}"


def covers_said(stage: Stage, matter: Matter) -> str:
    """What an approval is about, and so what opens it again when it changes."""
    known = matter.covers or {}
    return "、".join(known.get(group, group) for group in stage.covers) or WHOLE


def stages_said(stages: Sequence[Stage], matter: Matter, names: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Every stage as kind, posts, and how it passes and what it is about."""
    told = []
    for stage in stages:
        posts = "、".join(address_said(address, names) for address in stage.asked)
        about = f"{covers_said(stage, matter)}について" if stage.covers else ""
        told.append((KINDS.get(stage.kind, stage.kind), posts, " ・ ".join(filter(None, (passes_said(stage), about)))))
    return told
