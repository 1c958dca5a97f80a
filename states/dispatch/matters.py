"""What of a dispatch is decided by a route, and what the table of decisions may make it depend on."""

from states.authority import Condition, Matter
from states.dispatch import situation
from states.terms import Facts

CHANGING = frozenset({"change_judgement"})


def _days(facts: Facts) -> int:
    return len(situation.days_of(facts))


def _people(facts: Facts) -> int:
    return sum(member.headcount for member in facts.read.team.members)


def _concurrent(facts: Facts) -> bool:
    return facts.read.request.concurrent_appointment == "needed" or facts.read.request.own_affairs in ("yes", "unknown")


def _cost(facts: Facts) -> bool:
    return bool(facts.read.request.cost.strip())


def _crosses(facts: Facts) -> bool:
    """Whether the days lie in more than one fiscal year."""
    return len({day.year - (day.month < 4) for day in situation.days_of(facts)}) > 1


_CONDITIONS = (
    Condition("days", "派遣日数", _days, "number", "日"),
    Condition("people", "派遣職員", _people, "number", "人"),
    Condition("concurrent", "固有の事務・併任", _concurrent),
    Condition("cost", "経費の負担の定め", _cost),
    Condition("crosses_year", "年度またぎ", _crosses),
)
_KIND = Condition(
    "kind", "変更の種類", lambda facts: facts.read.change.kind, "choice",
    choices=(("extend", "延長"), ("shorten", "短縮"), ("move", "日程の変更"), ("swap", "職員の交代"), ("place", "場所の変更"), ("cancel", "中止"), ("other", "その他")),
)  # fmt: skip


def _assigned(facts: Facts) -> list[int]:
    """Nobody decides his own dispatch."""
    named = [member.person for member in (*facts.read.team.members, *facts.read.change.members) if member.person]
    return sorted({*named, *facts.registers.get("assigned", ())})


MATTERS = (
    Matter(
        "dispatch", "派遣の決定", frozenset({"director_judgement"}), "director", frozenset({"approve", "decline"}),
        frozenset({"send_back", "pull_back", "withdraw_draft"}),
        {"request": "要請の内容", "team": "隊の案(職員と日程)", "consultation": "本庁との協議", "conditions": "本庁の条件"},
        _CONDITIONS, _assigned,
    ),
    Matter(
        "change", "派遣の変更", CHANGING, "director", frozenset({"approve_change", "decline_change"}), frozenset({"withdraw_change"}),
        {"change": "変更の内容", "request": "要請の内容", "team": "隊の案(職員と日程)", "change_consultation": "本庁との協議"},
        (*_CONDITIONS, _KIND), _assigned,
    ),
    Matter(
        "ratification", "緊急停止の追認", frozenset({"stopped"}), "director", frozenset({"ratify", "resume"}), frozenset(), {"stop": "停止の内容"},
        _CONDITIONS, _assigned,
    ),
)  # fmt: skip
