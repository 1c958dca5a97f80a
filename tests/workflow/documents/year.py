"""A bureau whose year holds a case of every kind, acted out by real acts at their own days."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from tests import factory
from tests.factory import Cast, cast, drive, request_form, set_clock
from workflow import cases
from workflow.db import Database, type_connection
from workflow.deadlines import TOKYO

# Days of two persons of one case over the end of the fiscal year 2024.
CROSSING = ("2025-03-24〜2025-03-25、2025-04-10〜2025-04-11", "2025-03-31〜2025-04-02")


@dataclass
class Bureau:
    """The database of one test, its people, and a clock that can be set."""

    owner_url: str
    app_url: str
    db: Database
    conn: type_connection
    who: Cast
    others: list[int] = field(default_factory=list)

    def on(self, day: date | str, hour: int = 10) -> None:
        """It is that day now."""
        when = date.fromisoformat(day) if isinstance(day, str) else day
        set_clock(self.owner_url, datetime.combine(when, time(hour), TOKYO))

    def decided(
        self, asked: str, days: Sequence[str], *, period: tuple[str, str], contact: Mapping[str, Any] | None = None, **request: Any
    ) -> int:  # fmt: skip
        """A case that was asked for and decided on that day; `days` are those of the two members of staff."""
        self.on(asked)
        form = request_form(self.conn, self.who, **{"period": {"from": period[0], "to": period[1]}} | request)
        form["contact"] |= contact or {}
        case_id = cases.open_case(self.conn, self.who.municipality, "dispatch", "municipality_request", form)
        drive(self.conn, self.who, case_id, "submit", "receive", ("propose_team", {"form": self.team(days)}))
        reasons = self._warned(case_id)
        note = {"note": "職員で対応できる。", "reasons": dict.fromkeys(reasons, "日を分けて行うため。")}
        drive(self.conn, self.who, case_id, ("put_to_director", {"inputs": note}))
        drive(self.conn, self.who, case_id, ("approve", {"inputs": {"confirm": dict.fromkeys(reasons, "")}}))
        return case_id

    def team(self, days: Sequence[str]) -> dict[str, Any]:
        people = (self.who.staff, self.who.staff_colleague)
        members = [
            {"person": person, "name": f"派遣{number}（仮名）", "role": "主任", "section": "地域政策課", "leader": number == 1,
             "headcount": 1, "days": told, "consent": "所属長(起案の日)"}
            for number, (person, told) in enumerate(zip(people, days, strict=False), start=1)
        ]  # fmt: skip
        return {"team": {"members": members}}

    def _warned(self, case_id: int) -> list[str]:
        view = cases.look(self.conn, self.who.bureau, case_id)
        offer = next(o for o in view.offers if o.action.name == "put_to_director")
        return [v.rule for v in offer.warnings if v.rule]

    def begun(self, case_id: int, day: str) -> int:
        self.on(day)
        assert cases.act_by_clock(self.conn, case_id, "begin")
        return case_id

    def ended(self, case_id: int, day: str) -> int:
        self.on(day)
        assert cases.act_by_clock(self.conn, case_id, "end")
        return case_id

    def reported(self, case_id: int, *, result: Mapping[str, str] | None = None) -> int:
        """Everybody's 復命 and the result are in."""
        for person in cases.look(self.conn, self.who.bureau, case_id).facts.registers["assigned"]:
            text = {"actual_days": "", "findings": "現地で確かめた。"}
            drive(
                self.conn, self.who, case_id, ("file_trip_report", {"by": person, "form": {f"report:{person}": text}})
            )
        drive(
            self.conn, self.who, case_id, ("file_result", {"form": {"result": result or {"results": "骨子ができた。"}}})
        )
        return case_id

    def crossing(self) -> int:
        """The dispatch over 31 March 2025, begun and ended."""
        case_id = self.decided("2025-03-03", CROSSING, period=("2025-03-24", "2025-04-11"))
        return self.ended(self.begun(case_id, "2025-03-24"), "2025-04-12")


@contextmanager
def a_bureau(database: Any) -> Iterator[Bureau]:
    """The bureau in a test's own database, on 3 March 2025."""
    set_clock(database.owner_url, datetime(2025, 3, 3, 10, tzinfo=TOKYO))
    db = Database(database.app_url, pool_size=4)
    with db.connection() as conn:
        yield Bureau(database.owner_url, database.app_url, db, conn, cast(conn, factory.OFFICE))
    db.close()
