"""The 要対応 board: what runs and what does not, in words a clerk understands, each with what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from workflow import following, notices, outbox, staying, troubles, watch
from workflow.loading import NotFound
from workflow.story import HOLDERS
from workflow.troubles import READERS, SEES_ALL
from workflow.web.health import redis_state
from workflow.web.render import page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()

HOUR = 3600.0
# What each background work does, and after how many seconds without it something is wrong.
WORKS: Mapping[str, tuple[str, float]] = {
    watch.BEAT: ("時計(beat)。仕事を時刻どおりに送り出す", 30),  # before what it sends is missed
    watch.WORKER: ("裏方(worker)。送り出された仕事を行う", 60),
    "deliver": ("知らせと文書の配送", 60),
    "clock": ("期限の見守りと、日付による自動の操作", 120),
    "digest": ("まとめの知らせの支度", 120),
    "compile": ("報告の様式の作成", 300),
    "search": ("検索の支度", 120),
    "check": ("毎晩の検証", 26 * HOUR),
}
KINDS = {
    outbox.UNSENT: "メールが届かなかった",
    outbox.WAITS: "メールがまだ送れていない",
    outbox.UNWRITTEN: "通知文書が作れなかった",
    notices.NO_ADDRESS: "メールアドレスの登録がない",
    notices.NO_HOLDER: "手番の職に就いている方がいない",
    watch.HELD_UP: "日付による自動の操作が止まっている",
    following.HELD_UP: "回す順を人事の発令に合わせられなかった",
    staying.OFFICE_CHANGED: "市町村の所管が変わった。転送するか、続けるかを選ぶ",
}


@dataclass(frozen=True)
class Sign:
    """A line on what runs: the mark, its word, what it is, and what to do."""

    kind: str
    word: str
    what: str
    advice: str = ""


@router.get("/attention")
def show(request: Request, conn: Connection, signed: SignedIn, done: str = "") -> Response:
    """An office sees its own failed notices; the administrator everything, as figures."""
    actor = signed.actor
    if not actor.roles & READERS:
        raise NotFound
    every = SEES_ALL in actor.roles
    beside: dict[str, Any] = {}
    if every:
        beside = {
            "signs": signs(troubles.pulses(conn), redis_state(), troubles.clock_difference(conn)),
            "waiting": troubles.waiting(conn), "reports": troubles.reports(conn),
            "overdue": [{**row, "holder": HOLDERS.get(row["holder"], row["holder"])} for row in troubles.overdue(conn)],
            "called": [{**row, "label": KINDS.get(row["kind"], "そのほか")} for row in troubles.called(conn)],
        }  # fmt: skip
    failed = [
        row | {"what": _what(row["kind"]), "offices": sorted({office or "" for _, _, office in row["cases"]})}
        for row in troubles.failed(conn, actor)
    ]
    return page(request, signed, "attention.html", every=every, failed=failed, most=troubles.MOST, done=done, **beside)


@router.post("/attention/{entry:int}/retry")
def retry(conn: Connection, signed: SignedIn, entry: RowId) -> Response:
    """Try one failed notice once more. Pressed twice it is one row all the same."""
    again = troubles.retry(conn, signed.actor, entry)
    return RedirectResponse(f"/attention?done={'again' if again else 'already'}", 303)


def signs(pulses: Mapping[str, float], broker: str, ahead: float) -> list[Sign]:
    """How the background works are, the worst first: what stands still, then what runs."""
    found = []
    for name, (what, patience) in WORKS.items():
        seconds = pulses.get(name)
        if seconds is None:
            found.append(Sign("warn", "まだ", what, "まだ一度も動いていません。入れた直後なら、少し待ってください。"))
        elif seconds > (patience if name in (*watch.PROCESSES, "check") else min(patience, _bearable(pulses))):
            kind, word, advice = _stopped(name, pulses, broker)
            found.append(Sign(kind, word, what, f"最後に動いたのは{ago(seconds)}です。{advice}"))
        else:
            found.append(Sign("ok", "動いています", what, f"最後に動いたのは{ago(seconds)}です。"))
    if broker != "ok":
        advice = (
            "Redis(または Valkey)を起動し直してください。その間も画面は使え、知らせは順番に待ち、つながると届きます。"
        )
        found.append(Sign("stop", "つながりません", "仕事の受け渡し(Redis)", advice))
    if ahead:
        word = "進んで" if ahead > 0 else "遅れて"
        advice = (
            f"画面の機械の時計が、データベースより{abs(ahead):.0f}秒{word}います。期限はデータベースの時計で決まるので狂いません。"
            "30秒を超えると背景の仕事が捨てられることがあるので、時刻合わせ(NTP)を確かめてください。"
        )
        found.append(Sign("warn", "ずれています", "時計", advice))
    order = {"stop": 0, "warn": 1, "ok": 2}
    return sorted(found, key=lambda sign: order[sign.kind])


def _stopped(name: str, pulses: Mapping[str, float], broker: str) -> tuple[str, str, str]:
    """Mark, word and next step for what has not been done for too long: told of the one process that is at fault."""
    stop, waits = ("stop", "止まっています"), ("warn", "待っています")
    if name == watch.BEAT and broker != "ok":
        return (
            *waits,
            "Redis を待っているのかもしれません。先に Redis を起動し、それでも動かなければ beat を起動し直してください。",
        )
    if name == watch.BEAT:
        return *stop, "beat を1つ起動し直してください。その間も画面は使え、知らせは順番に待ち、動きだすと届きます。"
    if name == "check":
        return (
            *stop,
            "夜の2時台に beat と worker が動いていたかを確かめてください。急ぐときは tobidashi verify を行います。",
        )
    if broker != "ok":
        return *waits, "Redis につながらないためです。先に Redis を起動してください。"
    if not _fresh(watch.BEAT, pulses):
        again = "動くかどうかが分かります" if name == watch.WORKER else "続きから行います"
        return *waits, f"beat が仕事を送り出していないためです。先に beat を起動すると、{again}。"
    if name == watch.WORKER:
        return (
            *stop,
            "beat は動いています。worker を起動し直してください。待っていた仕事は、動きだすと続きから行われ、失われません。",
        )
    if not _fresh(watch.WORKER, pulses):
        return *waits, "worker が止まっているためです。worker を起動すると、続きから行います。"
    return (
        *stop,
        "ほかの仕事は動いています。worker の記録(ログ)を見て、続くときは worker を起動し直してください。",
    )


def _bearable(pulses: Mapping[str, float]) -> float:
    """Seconds without any one work that are no sign of trouble: a process that stands still does none of them."""
    return min((WORKS[name][1] for name in watch.PROCESSES if not _fresh(name, pulses)), default=HOUR)


def _fresh(name: str, pulses: Mapping[str, float]) -> bool:
    """Whether a process has lately given its sign of life."""
    return pulses.get(name, HOUR) <= WORKS[name][1]


def ago(seconds: float) -> str:
    """「3秒前」「2時間前」."""
    for size, word in ((24 * HOUR, "日"), (HOUR, "時間"), (60.0, "分")):
        if seconds >= size:
            return f"{int(seconds // size)}{word}前"
    return f"{max(int(seconds), 0)}秒前"


def _what(kind: str) -> str:
    if kind.startswith("reminder:"):
        return "期限の知らせ"
    if kind.startswith("letter:"):
        return "通知文書"
    return {"digest": "まとめの知らせ", notices.REMARKED: "やりとりの知らせ"}.get(kind, "操作の知らせ")
