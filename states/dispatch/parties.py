"""Who takes part in a request: its municipality and those that ask with it, the bureau it belongs to, offices that help.

Guards speak before an act, the rest says what the act writes and who joins, leaves or leads by it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from states.dispatch import countersign, situation
from states.dispatch.parts import Partner
from states.places import Office
from states.terms import Facts, Remedy, Verdict, block, guard, ok, procedure
from states.text import search_key, visible

# ── the municipality's own approval ─────────────────────────────────────────────────────────────────────────────────


def asks_own_approval(facts: Facts) -> bool:
    """Whether the municipality decides itself before anybody else hears of the request."""
    return situation.on_request(facts) and bool(facts.registers.get("own_approval"))


@guard(None)
def own_approval_first(facts: Facts) -> Iterator[Verdict]:
    if asks_own_approval(facts):
        yield block("庁内の決裁が先です。「庁内決裁を伺う」を押すと、決裁者に回ります。")


@guard(None)
def another_decides(facts: Facts) -> Iterator[Verdict]:
    """Who asked for the municipality's approval does not give it; what was sent back is mended first."""
    asked = facts.read.own_approval
    if facts.actor and asked.asked_by == facts.actor:
        yield block("伺いを立てた人は、庁内の決裁ができません。ほかの決裁者に回してください。")
    if asked.returned_on:
        yield block("庁内で差し戻した要請です。担当が直して、もう一度伺ってから決裁します。")


def asked_own_approval(facts: Facts) -> Mapping[str, Any]:
    return {"own_approval": {"asked_by": facts.actor, "asked_on": facts.today.isoformat(), "returned_on": ""}}


def returned_inside(facts: Facts) -> Mapping[str, Any]:
    return {"own_approval": {"returned_on": facts.today.isoformat()}}


def approved_inside(facts: Facts) -> Mapping[str, Any]:
    return {"own_decision": {"by": facts.actor, "on": facts.today.isoformat()}}


# ── who asks, and who is asked ──────────────────────────────────────────────────────────────────────────────────────


def lead(facts: Facts) -> Sequence[tuple[str, str]]:
    return [("lead", facts.registers["lead"])]


def addressed(facts: Facts) -> Sequence[tuple[str, str]]:
    """By a submission: the bureau that it is addressed to, and the municipalities that ask together."""
    return [*lead(facts), *joined(facts)]


def requester(facts: Facts) -> Sequence[tuple[str, str]]:
    asking, going = facts.read.contact, facts.read.request.destination
    code = _meant(facts, asking.municipality_code, asking.municipality_name)
    code = code or _meant(facts, going.municipality_code, going.municipality_name)
    return [("requester", code)] if code else []


def entered(facts: Facts) -> Sequence[tuple[str, str]]:
    """By an entry on behalf: the municipality that asked, and those that asked with it."""
    return [*requester(facts), *joined(facts)]


def destination(facts: Facts) -> Sequence[tuple[str, str]]:
    going = facts.read.request.destination
    code = _meant(facts, going.municipality_code, going.municipality_name)
    return [("destination", code)] if situation.own_initiative(facts) and code else []


def _meant(facts: Facts, code: str, name: str) -> str:
    """Code of the municipality that was written, in any width, or by a name that only one has; nothing where it is unclear."""
    on = facts.read.judged_on(facts.today)
    if code.strip():
        found = facts.directory.municipality(code, on)
        return found.code if found else ""
    office = facts.directory.office(facts.read.request.office_code)
    named = facts.directory.by_name(name, on, office.prefecture_code if office else "") if name.strip() else ()
    return named[0].code if len(named) == 1 else ""


# ── the body that is gone to ────────────────────────────────────────────────────────────────────────────────────────


def body(facts: Facts) -> Sequence[tuple[str, str]]:
    """The body that the staff go to, as an organisation, where the director has recognised it for the first day."""
    going, on = facts.read.request.destination, facts.read.request.period.first or facts.today
    if going.type != "organization":
        return []
    key = search_key(going.organization_name)
    found = [
        entry["org"]
        for entry in facts.registers.get("recognitions", ())
        if entry["name_key"] == key
        and entry["decided_on"] <= on
        and (entry["valid_to"] is None or on <= entry["valid_to"])
    ]
    return [("body", str(found[0]))] if found else []


def joined_again(facts: Facts) -> Sequence[tuple[str, str]]:
    """By a corrected request: who asks along now, and the body that it names now."""
    return [*joined(facts), *body(facts)]


def dropped(facts: Facts) -> Sequence[tuple[str, str]]:
    """Those that answered or were asked once and do not ask any more, and bodies that are not gone to."""
    asked_once = [("partner", code) for code in facts.read.consents if code not in partners(facts)]
    bodies = dict.fromkeys(("body", str(entry["org"])) for entry in facts.registers.get("recognitions", ()))
    return [*asked_once, *(pair for pair in bodies if pair not in body(facts))]


def decided(facts: Facts) -> Sequence[tuple[str, str]]:
    """By the decision: the municipality or body that the staff go to, and personnel where it confirms orders."""
    return [*destination(facts), *body(facts), *countersign.joins(facts)]


# ── a joint request ─────────────────────────────────────────────────────────────────────────────────────────────────


def partners(facts: Facts) -> list[str]:
    """Codes of the municipalities that ask together with the one that leads the request."""
    written: list[Partner] = facts.read.request.partners
    codes = [_meant(facts, p.municipality_code, p.municipality_name) for p in written if not p.blank]
    asking = [code for _, code in requester(facts)]
    return [code for code in dict.fromkeys(codes) if code and code not in asking]


def joined(facts: Facts) -> Sequence[tuple[str, str]]:
    return [("partner", code) for code in partners(facts)]


def asked_to_agree(facts: Facts) -> Mapping[str, Any]:
    """A place for each one's answer, so that who leaves later is known."""
    return {f"consent:{code}": {"answer": ""} for code in partners(facts) if code not in facts.read.consents}


def entered_on_behalf(facts: Facts) -> Mapping[str, Any]:
    return {"receipt": {"entered_by": facts.actor}, **asked_to_agree(facts)}


def decided_and_submitted(facts: Facts) -> Mapping[str, Any]:
    return {**approved_inside(facts), **asked_to_agree(facts)}


def answers(facts: Facts) -> dict[str, str]:
    """Code → agree, refuse or nothing yet. An answer counts for the request that it was given to, not for a later wording."""
    mark, consents = request_mark(facts), facts.read.consents
    return {
        code: consents[code].answer if code in consents and consents[code].of == mark else ""
        for code in partners(facts)
    }


def request_mark(facts: Facts) -> str:
    """A short print of what is asked for; which office it lies with does not matter."""
    asked = facts.read.request.model_dump(by_alias=True, exclude={"office_code"})
    return hashlib.sha256(json.dumps(asked, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


@guard(None)
def partners_agree(facts: Facts) -> Iterator[Verdict]:
    """A joint request goes to the director when everybody who asks has said so."""
    open_answers = answers(facts)
    for code, answer in open_answers.items():
        name = municipality_called(facts, code)
        if answer == "refuse":
            yield block(
                f"共同で要請する{name}が同意していません。補正を求め、内容を直すか、共同の要請から外してもらってください。",
                "request.partners",
            )
        elif not answer:
            yield procedure(
                f"共同で要請する{name}の同意を待っています。紙で届いた同意は、振興局が入れられます。",
                "request.partners",
                Remedy.CORRECT,
            )
    if open_answers and set(open_answers.values()) == {"agree"}:
        yield ok("共同で要請する市町村は、すべて同意しています。", "request.partners")


@guard(None)
def asks_along(facts: Facts) -> Iterator[Verdict]:
    """Only who asks along answers, and only for itself."""
    org = facts.registers.get("acting_org")
    if org and org not in partners(facts):
        yield block("この要請を共同で出している市町村ではなくなっています。最新の画面を開いてください。")


@guard(None)
def partner_named(facts: Facts) -> Iterator[Verdict]:
    chosen = facts.inputs.get("partner")
    if chosen and chosen not in partners(facts):
        yield block("共同で要請する市町村の中から選んでください。", "partner")


def consented(answer: str) -> Any:
    return lambda facts: _consent(facts, facts.registers["acting_org"], answer, paper=False)


def consented_on_paper(facts: Facts) -> Mapping[str, Any]:
    return _consent(facts, str(facts.inputs["partner"]), str(facts.inputs["answer"]), paper=True)


def _consent(facts: Facts, code: str, answer: str, *, paper: bool) -> Mapping[str, Any]:
    given = {"answer": answer, "on": facts.today.isoformat(), "by": facts.actor, "of": request_mark(facts)}
    return {f"consent:{code}": given | {"paper": paper}}


def municipality_called(facts: Facts, code: str) -> str:
    found = facts.directory.municipality(code, facts.today) or facts.directory.municipality(
        code, facts.read.judged_on(facts.today)
    )
    return found.name if found else code


# ── the right office, and those that help it ────────────────────────────────────────────────────────────────────────


@guard(None)
def another_office(facts: Facts) -> Iterator[Verdict]:
    """A request is passed on to another bureau of the same prefecture."""
    typed = facts.inputs.get("office")
    if not typed:
        return
    office, here = _office(facts), facts.directory.office(_leading(facts))
    if office is None or not office.in_force(facts.today):
        yield block("転送先の振興局が分かりません。一覧から選んでください。", "office")
    elif here and office.code == here.code:
        yield block(f"{visible(office.name)}は、いまの担当です。ほかの局を選んでください。", "office")
    elif here and office.prefecture_code != here.prefecture_code:
        yield block(f"{visible(office.name)}は、ほかの道県の局です。", "office")


@guard(None)
def helping_office(facts: Facts) -> Iterator[Verdict]:
    """An office that helps is another one, and joins once."""
    yield from another_office.ask(facts)
    if facts.inputs.get("office") and facts.inputs["office"] in facts.read.co_offices.codes:
        yield block("その局は、もう加わっています。", "office")


def chosen_office(facts: Facts) -> str:
    return str(facts.inputs["office"])


def forwarded_from(facts: Facts) -> Sequence[tuple[str, str]]:
    return [("lead", facts.registers["lead"])]


def forwarded_to(facts: Facts) -> Sequence[tuple[str, str]]:
    return [("lead", chosen_office(facts))]


def forwarded(facts: Facts) -> Mapping[str, Any]:
    """The new address; the old office's plan of a team goes, so that its people are free."""
    past = [row.model_dump(by_alias=True) for row in facts.read.forwarding.rows]
    row = {
        "from": facts.registers["lead"], "to": chosen_office(facts), "on": facts.today.isoformat(),
        "reason": str(facts.inputs.get("reason", "")),
    }  # fmt: skip
    found: dict[str, Any] = {
        "request": {"office_code": chosen_office(facts)},
        "forwarding": {"rows": [*past, row]},
        "hold": {"review_on": ""},
    }
    return found | ({"team": {"members": []}} if facts.read.team.members else {})


def helping(facts: Facts) -> Sequence[tuple[str, str]]:
    return [("co_office", chosen_office(facts))]


def helped(facts: Facts) -> Mapping[str, Any]:
    return {"co_offices": {"codes": [*facts.read.co_offices.codes, chosen_office(facts)]}}


def _leading(facts: Facts) -> str:
    return str(facts.registers.get("lead") or facts.read.request.office_code)


def _office(facts: Facts) -> Office | None:
    return facts.directory.office(chosen_office(facts))


# ── one request that came twice ─────────────────────────────────────────────────────────────────────────────────────


@guard(None)
def same_case(facts: Facts) -> Iterator[Verdict]:
    """What is closed as a repetition names the case that it repeats."""
    if facts.inputs.get("ground", "duplicate") != "duplicate" or not facts.inputs:
        return
    number = repeated(facts)
    if not number:
        if "ground" in facts.inputs:
            yield block("同じ要請の案件番号を書いてください。", "same_as")
    elif number == facts.number:
        yield block("この案件自身の番号です。先に届いた案件の番号を書いてください。", "same_as")
    elif "named" in facts.registers and number not in facts.registers["named"]:
        yield block(f"「{visible(number)}」という案件が見つかりません。番号を確かめてください。", "same_as")


def repeated(facts: Facts) -> str:
    return str(facts.inputs.get("same_as") or "").strip()


def linked(facts: Facts) -> Sequence[tuple[str, str]]:
    """The case that this one repeats."""
    closed_as = facts.inputs.get("ground", "duplicate") == "duplicate"
    return [("duplicate", repeated(facts))] if closed_as and repeated(facts) else []
