"""What every entry owes, whatever it asks for (I-01 … I-07): characters, dates, places and figures that agree.

These rules are engineering, not 要領: nothing is silently changed, and what cannot stand goes back with its field named.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from states.calendar import FIRST_YEAR, LAST_YEAR
from states.dates import DaysReading, Reading, short, wareki
from states.dispatch.form import Form
from states.dispatch.labels import label
from states.places import Directory, Municipality, code_problem
from states.terms import Facts, Verdict, block, guard, ok, warn
from states.text import narrow, problems, visible

_MARKUP = re.compile("[<>&\"'`{}]")
_FORMULA = re.compile("[=+\\-@\t\r]")


@guard("I-01")
def characters_are_kept(facts: Facts) -> Iterator[Verdict]:
    """Every legitimate character stays as it came; what hides is shown, never taken away."""
    hidden = []
    if visible(_joined(facts)) != _joined(facts):
        hidden = [path for path, text in _named_texts(facts) if not problems(text) and visible(text) != text]
    for path in hidden:
        yield ok(f"{label(path)}に目に見えない文字があります。画面では ⟦U+…⟧ の形で示します。", path)
    if not hidden:
        yield ok("書かれた文字は、そのまま残します。")


@guard("I-02")
def characters_are_allowed(facts: Facts) -> Iterator[Verdict]:
    """NUL, other controls and lone surrogates go back with the field named; they are not removed in silence."""
    if not problems(_joined(facts)):
        yield ok("使えない文字はありません。")
        return
    for path, text in _named_texts(facts):
        if found := problems(text):
            yield block(f"{label(path)}の{'、'.join(found)}があります。取り除いて出し直してください。", path)


@guard("I-03")
def markup_is_text(facts: Facts) -> Iterator[Verdict]:
    """Marks that a page could take for its own are shown as the characters they are."""
    if _MARKUP.search(_joined(facts)):
        yield ok("< や & などの記号は、文字として表示します。")


@guard("I-04")
def formulas_are_text(facts: Facts) -> Iterator[Verdict]:
    """A value that begins like a formula stays text in every workbook."""
    if any(_FORMULA.match(text) for text in _texts(facts)):
        yield ok("= や + で始まる値は、表計算の様式でも文字のまま載せます。")


def _texts(facts: Facts) -> list[str]:
    """Every text of the form and of what was typed with the act; walked once, since four rules read them with every act."""
    found: list[str] | None = facts.memo.get("texts")
    if found is None:
        found = facts.memo["texts"] = []
        parts: list[Any] = [dict(facts.form), dict(facts.inputs)]
        for part in parts:  # grows while it is walked
            for value in part.values() if isinstance(part, dict) else part:
                if isinstance(value, str):
                    found.append(value)
                elif isinstance(value, (dict, list, tuple)):
                    parts.append(value)
    return found


def _joined(facts: Facts) -> str:
    """All texts as one, for rules that look for a character anywhere."""
    found: str | None = facts.memo.get("joined")
    if found is None:
        found = facts.memo["joined"] = "\n".join(_texts(facts))
    return found


def _named_texts(facts: Facts) -> list[tuple[str, str]]:
    """The same with the path of each, in the order of the form."""
    return [*_walk("", dict(facts.form)), *_walk("", dict(facts.inputs))]


def _walk(path: str, part: Any) -> Iterator[tuple[str, str]]:
    if isinstance(part, str):
        yield path, part
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from _walk(f"{path}.{key}" if path else str(key), value)
    elif isinstance(part, (list, tuple)):
        for row, value in enumerate(part):
            yield from _walk(f"{path}.{row}", value)


@guard("I-05")
def dates_can_be_read(facts: Facts) -> Iterator[Verdict]:
    """Dates that do not exist go back, never mended; an era that had ended is read on with a warning."""
    form: Form = facts.read
    fine = True
    for path, reading in _dates(form):
        if reading.problem:
            yield block(reading.problem, path)
        elif reading.date and not FIRST_YEAR <= reading.date.year <= LAST_YEAR:
            yield block(
                f"{label(path)}の{reading.date.year}年は、日数を数えられない年です。年を確かめてください。", path
            )
        elif reading.mended:
            yield warn(f"{reading.note}合っているか確かめてください。", path)
        else:
            continue
        fine = False
    for path, days in _days(form):
        for problem in days.problems:
            yield block(problem, path)
        for note in days.notes:
            yield warn(f"{note}合っているか確かめてください。", path)
        fine = fine and not (days.problems or days.notes)
    if fine:
        yield ok("日付はすべて読めます。")


def _dates(form: Form) -> Iterator[tuple[str, Reading]]:
    """Every date that is written, with its path. The two ends of the period have to be there; `complete` asks for them."""
    request = form.request
    for path, written, reading in (
        ("request.period.from", request.period.from_, request.period.start),
        ("request.period.to", request.period.to, request.period.end),
        ("receipt.arrived_on", form.receipt.arrived_on, form.receipt.on),
        ("request.instruction.given_on", request.instruction.given_on, request.instruction.on),
        ("request.destination.recognition.approved_on", request.destination.recognition.approved_on, request.destination.recognition.on),
    ):  # fmt: skip
        if written.strip():
            yield path, reading


def _days(form: Form) -> Iterator[tuple[str, DaysReading]]:
    for row, member in enumerate(form.team.members):
        yield f"team.members.{row}.days", member.reading
    for row, wish in enumerate(form.request.wishes):
        yield f"request.wishes.{row}.days", wish.reading
    for person, report in form.reports.items():
        yield f"report:{person}.actual_days", report.reading


@guard("I-06")
def places_are_known(facts: Facts) -> Iterator[Verdict]:
    """Codes are checked and looked up on the day of arrival; the municipality lies in the area of the bureau asked."""
    form: Form = facts.read
    office, on = form.request.office_code, form.judged_on(facts.today)
    found: list[Verdict] = []
    if facts.directory.office(office) is None:
        found.append(block("宛先の振興局が分かりません。振興局を選び直してください。", "request.office_code"))
    destination, asking = form.request.destination, form.contact
    if destination.type == "municipality" or destination.municipality_code or destination.municipality_name:
        path = "request.destination.municipality"
        found += _place(
            facts.directory,
            path,
            destination.municipality_code,
            destination.municipality_name,
            office,
            on,
            today=facts.today,
        )
    if form.request.on_request and (asking.municipality_code or asking.municipality_name):
        path = "contact.municipality"
        found += _place(
            facts.directory, path, asking.municipality_code, asking.municipality_name, office, on, today=facts.today
        )
    if form.request.on_request:
        found += _asking_along(facts.directory, form, on)
    yield from found or [
        ok("市町村のコード、名称、所管は台帳と合っています。", "request.destination.municipality_code")
    ]


def _asking_along(directory: Directory, form: Form, on: date) -> Iterator[Verdict]:
    """Those that ask together may lie in another bureau's area; each is known, another one, and written once."""
    office = directory.office(form.request.office_code)
    prefecture, asking = (office.prefecture_code if office else ""), form.contact.municipality_code
    seen = {narrow(asking)} if asking.strip() else set()
    for row, partner in enumerate(form.request.partners):
        path, code, name = f"request.partners.{row}.municipality", partner.municipality_code, partner.municipality_name
        if partner.blank:
            continue
        wrong = list(_place(directory, path, code, name, "", on, prefecture))
        yield from wrong
        named = directory.by_name(name, on, prefecture) if not code.strip() else ()
        meant = named[0].code if len(named) == 1 else narrow(code)
        if not wrong and meant in seen:
            yield block(
                f"{label(f'{path}_code')}は、要請した市町村か、ほかの行と同じです。どちらかを消してください。",
                f"{path}_code",
            )
        seen.add(meant)


def _place(
    directory: Directory,
    path: str,
    code: str,
    name: str,
    office: str,
    on: date,
    within: str = "",
    today: date | None = None,
) -> Iterator[Verdict]:
    """What does not agree with the directory about one municipality, at most one refusal; `within` is its prefecture's code."""
    by_code, by_name = f"{path}_code", f"{path}_name"
    written = visible(name.strip())
    if not code.strip():
        prefecture = within or next((o.prefecture_code for o in directory.offices if o.code == office), "")
        candidates = directory.by_name(name, on, prefecture) if written else ()
        if len(candidates) == 1:
            yield from _area(directory, by_name, candidates[0], office, on, today or on)
        elif candidates:
            both = "と".join(m.name for m in candidates)
            yield block(
                f"「{written}」に当たる市町村が{both}の{len(candidates)}つあります。コードで書いてください。", by_name
            )
        else:
            yield block(_unknown_name(directory, written, on), by_name)
        return
    problem = code_problem(code)
    plain = narrow(code)
    place = directory.municipality(code, on)
    if problem:
        yield block(problem, by_code)
    elif plain in directory.excluded:
        yield block(f"{plain}({directory.excluded[plain]})は統計用のコードで、派遣先にできません。", by_code)
    elif place is None:
        yield block(_obsolete(directory, plain, office, on), by_code)
    elif written and not directory.same_name(name, place):
        yield block(
            f"コード{plain}は{place.name}で、書かれた「{written}」と合いません。どちらかを直してください。", by_name
        )
    else:
        yield from _area(directory, by_code, place, office, on, today or on)


def _area(
    directory: Directory, path: str, place: Municipality, office: str, on: date, today: date
) -> Iterator[Verdict]:
    """The bureau asked is that of the municipality's area on the day of arrival, or the one to which it has moved since."""
    asked = directory.office(office)
    by_now = directory.municipality(place.code, today) or directory.successor(place.code, today) or place
    if asked and office not in (place.office_code, by_now.office_code):
        yield block(f"{place.name}は{asked.name}の所管ではありません。{_elsewhere(directory, place, on)}", path)


def _obsolete(directory: Directory, code: str, office: str, on: date) -> str:
    """The sentence for a code that nobody has on that day."""
    ended, heir = directory.former(code, on), directory.successor(code, on)
    if ended is None or ended.valid_to is None or heir is None:
        return f"市町村コード{code}は台帳にありません。打ち間違いがないか確かめてください。"
    said = f"{code}は{wareki(ended.valid_to)}までの{ended.name}のコードで、いまは{heir.name}({heir.code})です。"
    return said + ("コードを直してください。" if heir.office_code == office else _elsewhere(directory, heir, on))


def _elsewhere(directory: Directory, place: Municipality, on: date) -> str:
    right = directory.office_of(place.code, on) or directory.office(place.office_code)
    name = right.name if right else "所管の振興局"
    return f"所管は{name}です。{name}へ出し直すか、転送してください。"


def _unknown_name(directory: Directory, written: str, on: date) -> str:
    if not written:
        return "市町村が書かれていません。コードか名称を書いてください。"
    for ended in directory.former_by_name(written, on):
        heir = directory.successor(ended.code, on)
        if heir and ended.valid_to:
            return f"{ended.name}は{wareki(ended.valid_to)}までの市町村で、いまは{heir.name}({heir.code})です。書き直してください。"
    return f"「{written}」という市町村は台帳にありません。名称かコードを確かめてください。"


@guard("I-07")
def figures_agree(facts: Facts) -> Iterator[Verdict]:
    """An end before its beginning, days outside the period, a recognition or an arrival after the start go back."""
    form: Form = facts.read
    found = [*_order(form), *_outside(form)]
    if facts.number and form.request.previous.strip() == facts.number:
        found.append(
            block("前の案件に、この案件の番号が書かれています。前の案件の番号に直してください。", "request.previous")
        )
    yield from found or [ok("日付のつじつまは合っています。")]


def _order(form: Form) -> Iterator[Verdict]:
    request = form.request
    first, last = request.period.first, request.period.last
    if first and last and last < first:
        yield block(
            f"終わりの日({wareki(last)})が初めの日({wareki(first)})より前です。どちらかを直してください。",
            "request.period.to",
        )
    approved, arrived = request.destination.recognition.on.date, form.receipt.on.date
    if request.destination.type == "organization" and first and approved and approved > first:
        yield block(
            f"団体を認めた日({wareki(approved)})が派遣の初めの日({wareki(first)})より後です。どちらかを直してください。",
            "request.destination.recognition.approved_on",
        )
    came = (
        ("届いた日", arrived, "receipt.arrived_on"),
        ("指示の日", request.instruction.on.date, "request.instruction.given_on"),
    )
    for called, day, path in came:
        if first and day and day > first:
            yield block(
                f"{called}({wareki(day)})が派遣の初めの日({wareki(first)})より後です。日程を直してください。", path
            )


def _outside(form: Form) -> Iterator[Verdict]:
    if form.request.period.span is None:
        return
    first, last = form.request.period.span
    for path, days in _days(form):
        out = [day for day in days.days if not first <= day <= last]
        if out and not path.startswith("report:"):
            named = "、".join(short(day) for day in out[:3]) + ("など" if len(out) > 3 else "")
            yield block(f"{label(path)}の{named}が、派遣の期間の外です。日か期間を直してください。", path)


ALL = (
    characters_are_kept, characters_are_allowed, markup_is_text, formulas_are_text, dates_can_be_read, places_are_known, figures_agree,
)  # fmt: skip
