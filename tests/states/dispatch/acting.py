"""A dispatch acted out in memory: people, a request that nothing is wrong with, and the acts of everybody."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from states import catalogue
from states.calendar import Calendar
from states.kernel import Offer
from states.places import Directory
from states.terms import CLOCK, Ask, Child, Facts

PROCESS = catalogue.process("dispatch")
DAY = date(2026, 10, 5)  # a Monday; the dispatch is four weeks later
FIRST = date(2026, 11, 2)
WRITER, MAYOR, NEIGHBOUR, DRAFTER, CHIEF, HQ, CLERK, ONE, TWO, THREE = (
    "11", "12", "13", "21", "31", "41", "42", "51", "52", "53",
)  # fmt: skip
ROLE = {
    WRITER: "municipality",
    MAYOR: "municipality_head",
    NEIGHBOUR: "partner",
    DRAFTER: "bureau",
    CHIEF: "director",
    HQ: "headquarters",
    CLERK: "personnel",
    ONE: "staff",
    TWO: "staff",
    CLOCK: CLOCK,
}
ORG = {WRITER: "014591", MAYOR: "014591", NEIGHBOUR: "014605", HQ: "hk-headquarters"}


def request(**changes: Any) -> dict[str, Any]:
    asked = {
        "origin": "municipality_request", "office_code": "hk-kamikawa", "title": "炭鉱の記憶を巡る道づくり", "purpose": "案内の道筋を決めたい。",
        "ground": "request.plan", "tasks": [{"text": "道筋の案への助言", "role": "advice"}],
        "period": {"from": FIRST.isoformat(), "to": (FIRST + timedelta(days=4)).isoformat()},
        "destination": {"type": "municipality", "municipality_code": "014591", "municipality_name": "美瑛町"},
        "own_affairs": "no", "concurrent_appointment": "not_needed",
    }  # fmt: skip
    return asked | changes


def own(**changes: Any) -> dict[str, Any]:
    told = {"given_on": DAY.isoformat(), "text": "現地を見て、町と一緒に考えること。"}
    return request(origin="director", ground="director.wide_area", instruction=told) | changes


CONTACT = {"municipality_code": "014591", "municipality_name": "美瑛町", "department": "企画課"}
AGREED = "10月1日 課長"


def member(person: str, days: str, **more: Any) -> dict[str, Any]:
    told = {ONE: ("甲(仮名)", "主任"), TWO: ("乙(仮名)", "主事"), THREE: ("丙(仮名)", "係長")}
    name, role = told[person]
    return {"person": int(person), "name": name, "role": role, "headcount": 1, "days": days, "consent": AGREED} | more


TEAM = {"members": [member(ONE, "11/2-4"), member(TWO, "11/4-5")]}
UNNAMED = {"members": [{"person": None, "role": "主任", "headcount": 1, "days": "11/2-4"}]}


class Story:
    """A case without a database: the facts before each act, and what each act leaves behind."""

    def __init__(self, asked: Mapping[str, Any], *, team: Mapping[str, Any] | None = None, today: date = DAY) -> None:
        self.form: dict[str, Any] = copy.deepcopy(
            {"request": dict(asked), "contact": CONTACT} | ({"team": team} if team else {})
        )
        self.origin, self.state, self.today = asked["origin"], PROCESS.initial.name, today
        self.number: str | None = None
        self.lead = "hk-kamikawa"
        self.path = [self.state]
        self.parties: set[tuple[str, str]] = set()
        self.links: list[tuple[str, str]] = []
        self.children: list[dict[str, Any]] = []
        self.opened: list[Child] = []
        self.tells: frozenset[str] = frozenset()
        self.own_approval = False
        self.named: dict[str, Any] = {}
        self.recognitions: list[dict[str, Any]] | None = None

    def facts(self, by: str, inputs: Mapping[str, Any] | None = None, form: Mapping[str, Any] | None = None) -> Facts:
        laid = {**self.form, **(form or {})}
        bare = Facts(self.state, self.form, PROCESS.reading(self.form), self.today, Directory.from_csv(), Calendar())
        assert PROCESS.assigned is not None
        registers = {
            "numbers": {"case": "上川-R8-001", "receipt": "上川収第1号", "letter": "上川第1号"}, "lead": self.lead,
            "assigned": tuple(sorted({person for person, *_ in PROCESS.assigned(bare)})), "origin": self.origin,
            "personnel": "hk-jinji", "children": self.children, "own_approval": self.own_approval, "named": self.named,
        }  # fmt: skip
        if self.recognitions is not None:
            registers["recognitions"] = self.recognitions
        if inputs is not None or form is not None:
            registers |= {"edited": frozenset(form or {}), "acting_org": ORG.get(by, "hk-kamikawa")}
        return Facts(
            self.state, laid, PROCESS.reading(laid), self.today, Directory.from_csv(), Calendar(),
            roles=frozenset({ROLE[by]}), actor=by, inputs=inputs or {}, number=self.number, registers=registers,
        )  # fmt: skip

    def offers(self, by: str) -> dict[str, Offer]:
        return {offer.action.name: offer for offer in PROCESS.actions(self.facts(by))}

    def act(self, by: str, action: str, form: Mapping[str, Any] | None = None, **inputs: Any) -> "Story":
        facts = self.facts(by, inputs, form or {})
        row = PROCESS.row(action, facts)
        assert row is None or {group.partition(":")[0] for group in form or {}} <= row.edits
        move = PROCESS.decide(facts, action)
        done = move.action
        left = dict(facts.form)
        for ask in done.asks:
            if ask.into and inputs.get(ask.name):
                into = ask.into.format_map({**inputs, "acting_org": facts.registers["acting_org"]})
                group, key = into.split(".")
                left[group] = {**left.get(group, {}), key: inputs[ask.name]}
        if done.record:
            for group, part in done.record(replace(facts, state=move.source, form=left)).items():
                left[group] = {**left.get(group, {}), **part}
        after = facts.after(move.dest, left, PROCESS.reading(left), facts.number)
        self.parties -= set(done.leaves(after)) if done.leaves else set()
        self.parties |= set(done.parties(after)) if done.parties else set()
        self.links += done.links(after) if done.links else []
        self.opened += done.opens(after) if done.opens else []
        self.lead = done.leads(after) if done.leads else self.lead
        self.form, self.state, self.tells = left, move.dest, done.tells
        if "case" in done.numbers:
            self.number = "上川-R8-001"
        self.path.append(self.state)
        return self

    def on(self, day: date) -> "Story":
        self.today = day
        return self

    def run(self, *steps: Any) -> "Story":
        for name in steps:
            STEPS[name](self)
        return self

    def asks(self) -> list[Ask]:
        return list(PROCESS.inbox(self.facts(DRAFTER)))

    def ledger(self) -> list[tuple[int, date, int]]:
        assert PROCESS.assigned is not None
        return sorted(PROCESS.assigned(self.facts(DRAFTER)))

    def days(self, person: str) -> list[int]:
        """The days of the month on which a person is there, whole or half."""
        return sorted({day.day for found, day, _ in self.ledger() if found == int(person)})


def change(kind: str, **more: Any) -> dict[str, Any]:
    """The group that a page sends for a proposal."""
    return {"change": {"kind": kind, "reason_code": "municipality", "reason": "町の行事が動いた。"} | more}


STEPS: dict[str, Any] = {
    "submit": lambda s: s.act(WRITER, "submit"),
    "ask_own": lambda s: s.act(WRITER, "ask_own_approval"),
    "approve_own": lambda s: s.act(MAYOR, "approve_own", own_number="美企第5号"),
    "submit_proxy": lambda s: s.act(DRAFTER, "submit_proxy", {"receipt": {"arrived_on": s.today.isoformat(), "channel": "paper"}}),
    "receive": lambda s: s.act(DRAFTER, "receive", arrived_on=s.today.isoformat()),
    "propose": lambda s: s.act(DRAFTER, "propose_team", {"team": TEAM}),
    "put": lambda s: s.act(DRAFTER, "put_to_director", note="町だけでは難しい。"),
    "approve": lambda s: s.act(CHIEF, "approve", confirm={}),
    "decline": lambda s: s.act(CHIEF, "decline", reason="日程が合わない。", internal_reason="人が足りない。"),
    "hold": lambda s: s.act(CHIEF, "hold", internal_reason="ほかと比べる。", review_on=(s.today + timedelta(7)).isoformat()),
    "send_back": lambda s: s.act(CHIEF, "send_back", reason="隊を見直すこと。"),
    "ask_correction": lambda s: s.act(DRAFTER, "ask_correction", reason="日程を直してください。"),
    "resubmit": lambda s: s.act(WRITER, "resubmit"),
    "consult": lambda s: s.act(DRAFTER, "consult", question="併任は要るか。"),
    "agree": lambda s: s.act(HQ, "agree"),
    "countersign": lambda s: s.act(CLERK, "countersign"),
    "not_accept": lambda s: s.act(DRAFTER, "not_accept", ground="wrong_addressee", reason="隣の局の所管です。"),
    "withdraw": lambda s: s.act(WRITER, "withdraw", reason="取りやめ。"),
    "cancel": lambda s: s.act(CHIEF, "cancel", reason="大雪のため。"),
    "begin": lambda s: s.on(FIRST).act(CLOCK, "begin"),
    "end": lambda s: s.on(date(2026, 11, 6)).act(CLOCK, "end"),
    "cut": lambda s: s.on(date(2026, 11, 3)).act(CHIEF, "cancel", reason="熊が出た。", last_day="2026-11-03"),
    "stop": lambda s: s.act(DRAFTER, "stop", reason_code="weather", text="暴風雪のため。", last_day="2026-11-02"),
    "ratify": lambda s: s.act(CHIEF, "ratify"),
    "resume": lambda s: s.act(CHIEF, "resume"),
    "shorten": lambda s: s.act(
        DRAFTER, "propose_change",
        change("shorten", period={"from": "", "to": "2026-11-04"}, members=[member(ONE, "11/2-4"), member(TWO, "11/4")]),
    ),
    "give_up": lambda s: s.act(DRAFTER, "propose_change", change("cancel")),
    "change": lambda s: s.act(CHIEF, "approve_change", confirm={}),
    "keep": lambda s: s.act(CHIEF, "decline_change", reason="そのまま行う。", internal_reason="要らない。"),
    "report_one": lambda s: s.act(ONE, "file_trip_report", {f"report:{ONE}": {"findings": "道は歩ける。"}}),
    "report_two": lambda s: s.act(TWO, "file_trip_report", {f"report:{TWO}": {"findings": "看板が要る。"}}),
    "result": lambda s: s.act(DRAFTER, "file_result", {"result": {"results": "道筋が決まった。"}}),
}  # fmt: skip

HALFWAY = ("submit", "receive", "propose", "put")
AT_WORK = (*HALFWAY, "approve", "begin")


def decided() -> Story:
    return Story(request()).run(*HALFWAY, "approve")


def under_way(day: date = FIRST) -> Story:
    return decided().run("begin").on(day)
