"""Letters of a round table: the invitation, what is told when it cannot be held, and the answer to the region."""

from collections.abc import Mapping, Sequence
from typing import Any

from states.dates import read_date, wareki
from states.documents import Letter, Matter, Paper, Subject, rows
from states.forms import Filled
from states.round_table.form import CAUSES, FORMS
from states.terms import Facts

WEEKDAYS = "月火水木金土日"


def when(matter: Matter | Subject, path: str) -> str:
    day = read_date(matter.text(path)).date
    told = f"{wareki(day)}({WEEKDAYS[day.weekday()]})" if day else matter.text(path)
    hours = "〜".join(filter(None, (matter.text("plan.from"), matter.text("plan.to"))))
    return " ".join(filter(None, (told, hours)))


def towns(matter: Matter | Subject) -> str:
    found = (matter.directory.municipality(code, matter.on) for code in matter.text("plan.municipalities").split())
    return "、".join(town.name for town in found if town)


def _paper(matter: Matter, number: str, subject: str, body: str, items: Sequence[tuple[str, str]]) -> Paper:
    return Paper(
        number=matter.text(number), on=matter.on, to=_addressees(matter), sender=f"{matter.prefecture}{matter.office_name}長", subject=subject, body=body,
        items=tuple((label, text) for label, text in items if text.strip()),
        contact=tuple(filter(None, (f"案件番号 {matter.number}", matter.office_contact))),
    )  # fmt: skip


def _addressees(matter: Matter) -> str:
    """Whoever is on the list by name; the letter goes to each, and to the municipality for its information."""
    people = [
        " ".join(filter(None, (row.get("affiliation"), row.get("name")))) for row in rows(matter.form, "people.items")
    ]
    roles = [str(row.get("role") or "") for row in rows(matter.form, "region_side.items")]
    named = [f"{name} 様" for name in people if name] or [f"{role} 様" for role in roles if role]
    return "\n".join(named) or f"{towns(matter)} 御中"


def _invitation(matter: Matter) -> Paper:
    return _paper(
        matter, "notice.number", f"{matter.text('plan.name')}の開催について(御案内)",
        "下記のとおり、地域の皆様と気さくに意見を交わす場を設けますので、御出席くださいますようお願いします。",
        (
            ("日時", when(matter, "plan.held_on")), ("場所", matter.text("plan.place")), ("テーマ", matter.text("plan.theme")),
            ("進め方", dict(FORMS).get(matter.text("plan.form"), "")), ("現地視察", matter.text("plan.visit")),
            ("同意のお願い", "お名前を出すこと、写真を載せること、録音することは、それぞれ同意された方だけにします。\n名前 はい・いいえ / 写真 はい・いいえ / 録音 はい・いいえ"),
            ("発言の扱い", "発言は、お名前を伏せ、趣旨だけをまとめます。あとから取り消すこともできます。"),
            ("写し", towns(matter)),
        ),
    )  # fmt: skip


def _stopped(subject: str, body: str) -> Any:
    def paper(matter: Matter) -> Paper:
        cause = dict(CAUSES).get(matter.text("stop.cause"), "")
        return _paper(
            matter, "notice.number", f"{matter.text('plan.name')}の{subject}について(通知)", body,
            (("初めの日時", when(matter, "stop.planned")), ("場所", matter.text("plan.place")), ("事由", cause), ("理由", matter.text("stop.reason"))),
        )  # fmt: skip

    return paper


def _feedback(matter: Matter) -> Paper:
    return _paper(
        matter, "feedback.number", f"{matter.text('plan.name')}でいただいた御意見への対応について(回答)",
        "いただいた御意見への対応を、下記のとおりお知らせします。",
        (("開催", when(matter, "plan.held_on")), ("御意見への対応", matter.text("feedback.text"))),
    )  # fmt: skip


def feedback_text(facts: Facts) -> Mapping[str, Mapping[str, Any]]:
    """The letter to the region as the answers to the opinions make it; people read it over before it goes."""
    lines: list[str] = []
    for child in facts.registers.get("children", ()):
        voice, answer = (Filled(child["form"].get(group) or {}) for group in ("voice", "answer"))
        if child["process"] != "opinion" or not child["final"] or not answer.text("text"):
            continue
        lines.append(f"{len(lines) + 1} {voice.text('summary')}\n→ {answer.text('text')}")
    return {"feedback": {"text": "\n\n".join(lines)}} if lines else {}


LETTERS = (
    Letter("invitation", "案内状", "letters/letter.html", _invitation),
    Letter("postponed", "延期の通知", "letters/letter.html", _stopped("延期", "先に御案内した会を、下記のとおり延期します。日時は改めてお知らせします。")),
    Letter("cancelled", "中止の通知", "letters/letter.html", _stopped("中止", "先に御案内した会を、下記のとおり中止します。")),
    Letter("feedback", "地域への回答", "letters/letter.html", _feedback),
)  # fmt: skip
