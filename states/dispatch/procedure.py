"""Guards of the procedure itself: what must be there before an act. The rules of the 要領 stand in `rules.py`."""

from collections.abc import Iterator

from states.dates import read_date, short
from states.dispatch import situation
from states.terms import Facts, Verdict, block, guard, ok, warn


@guard(None)
def complete(facts: Facts) -> Iterator[Verdict]:
    """The few fields without which nobody can judge."""
    request = facts.read.request
    for value, label, field in (
        (request.title.strip(), "件名", "request.title"),
        (request.purpose.strip(), "困っていること・目的", "request.purpose"),
        (request.ground, "対象業務の区分", "request.ground"),
        (request.period.from_, "派遣の初めの日", "request.period.from"),
        (request.period.to, "派遣の終わりの日", "request.period.to"),
        (request.own_affairs, "固有の事務を含むか", "request.own_affairs"),
    ):
        if not value:
            yield block(f"「{label}」を書いてください。", field)
    if not any(task.text.strip() for task in request.tasks):
        yield block("「してほしいこと」を1つ以上書いてください。", "request.tasks")
    for number, task in enumerate(request.tasks):
        if task.text.strip() and not task.role:
            yield block(f"「してほしいこと」{number + 1}行目の役割を選んでください。", f"request.tasks.{number}.role")


@guard(None)
def asked_in_time(facts: Facts) -> Iterator[Verdict]:
    """Work in March is asked for by the day that is set for it; later it may be asked for still, with a word to the office."""
    cut = next((due for due in facts.registers.get("deadlines", ()) if due.kind == "march_request" and due.on), None)
    if cut is None or situation.march_work(facts) is None:
        return
    by, asked = cut.counted(facts), facts.read.receipt.on.date or facts.today
    if by < asked:
        yield warn(
            f"3月の派遣は、{short(by)}までに要請することになっています。過ぎているので、日程の合わないことがあります。出す前に、振興局の担当に電話などで伝えてください。",
            "request.period.from",
        )
    else:
        yield ok(f"3月の派遣を要請する締切({short(by)})に間に合います。", "request.period.from")


@guard(None)
def instructed(facts: Facts) -> Iterator[Verdict]:
    """The director's own initiative starts from his instruction (要領1)."""
    instruction = facts.read.request.instruction
    if not instruction.text.strip():
        yield block("振興局長の指示の内容を書いてください。", "request.instruction.text")
    if read_date(instruction.given_on).date is None:
        yield block("振興局長の指示を受けた日を書いてください。", "request.instruction.given_on")


@guard(None)
def team_proposed(facts: Facts) -> Iterator[Verdict]:
    """A judgement needs a team: at least one place with days."""
    if not situation.days_of(facts):
        yield block("派遣する職員と派遣日の案がありません。「隊の案をつくる」で入れてください。", "team.members")
    else:
        yield ok("派遣職員と派遣日の案があります。", "team.members")


@guard(None)
def received(facts: Facts) -> Iterator[Verdict]:
    if not facts.number:
        yield block("まだ収受していません。先に「収受する」を押してください。", "receipt.number")


@guard(None)
def not_received(facts: Facts) -> Iterator[Verdict]:
    if facts.number:
        yield block(f"すでに収受しています({facts.number})。", "receipt.number")


@guard(None)
def arrival(facts: Facts) -> Iterator[Verdict]:
    """The true day of arrival, which may lie before the day on which it is entered."""
    typed = facts.inputs.get("arrived_on")
    if typed:
        reading = read_date(str(typed))
        if reading.date is None:
            yield block(reading.problem, "arrived_on")
        elif reading.date > facts.today:
            yield block("到達日が今日より後になっています。実際に届いた日を書いてください。", "arrived_on")


@guard(None)
def something_to_consult(facts: Facts) -> Iterator[Verdict]:
    request = facts.read.request
    if request.own_affairs not in ("yes", "unknown") and request.concurrent_appointment != "needed":
        yield block("固有の事務も併任も含まない要請なので、本庁との協議は要りません。")


@guard(None)
def another_person(facts: Facts) -> Iterator[Verdict]:
    """Who drafted this round does not decide it, and nobody decides his own dispatch."""
    if facts.actor and (facts.form.get("drafting") or {}).get("by") == facts.actor:
        yield block("起案した人は、その案件を判断できません。ほかの決裁権者に回してください。")
    if facts.actor.isdigit() and int(facts.actor) in facts.registers.get("assigned", ()):
        yield block("派遣される人は、自分の派遣を判断できません。上位の職に判断を求めてください。")


@guard(None)
def named(facts: Facts) -> Iterator[Verdict]:
    """A request may leave places without a name; a decision, and who leaves, may not."""
    if situation.unnamed(facts):
        yield block("氏名の決まっていない派遣職員がいます。隊の案で、全員の氏名を入れてください。", "team.members")


@guard(None)
def same_team(facts: Facts) -> Iterator[Verdict]:
    """After the decision persons and days are changed by a new one only; what is entered here stands beside them."""
    decided = (facts.form.get("decision") or {}).get("days")
    if decided and decided != situation.places_of(facts.read):
        yield block(
            "決定した職員と日程は、ここでは変えられません。変えるときは「変更を伺う」を押してください。", "team.members"
        )


@guard(None)
def time_to_begin(facts: Facts) -> Iterator[Verdict]:
    day = situation.first_day(facts)
    if day is None or facts.today < day:
        yield block("派遣の初めの日がまだ来ていません。", "team.members")


@guard(None)
def time_to_end(facts: Facts) -> Iterator[Verdict]:
    day = situation.day_after(facts)
    if day is None or facts.today < day:
        yield block("派遣の終わりの日がまだ過ぎていません。", "team.members")


@guard(None)
def own_report(facts: Facts) -> Iterator[Verdict]:
    """Staff report for themselves; the bureau may enter one for somebody who cannot."""
    edited = [group for group in facts.registers.get("edited", ()) if group.startswith("report:")]
    for group in edited:
        person = group.removeprefix("report:")
        if person != facts.actor and "bureau" not in facts.roles:
            yield block("ほかの人の復命は書けません。", group)
        if not (person.isdecimal() and len(person) < 19) or int(person) not in situation.reporters(facts):
            yield block("この派遣の職員ではない人の復命です。", group)
        if not str(facts.form[group].get("findings") or "").strip():
            yield block("「分かったこと」を書いてください。", f"{group}.findings")
        yield from _days_there(facts, group)
        yield from _days_gone(facts, group)
    if "edited" in facts.registers and not edited:
        yield block("復命の内容を書いてください。", "report")


def _days_gone(facts: Facts, group: str) -> Iterator[Verdict]:
    """What is ticked of the days goes with what is written of them; that somebody did not go at all is entered by the office."""
    report = facts.read.reports[group.removeprefix("report:")]
    written = bool(report.actual_days.strip())
    if report.went == "other" and not report.reading.days:
        yield block("実際に行った日を書いてください。半日は「11/9午前」のように書けます。", f"{group}.actual_days")
    if report.went in ("planned", "none") and written:
        ticked = {"planned": "予定のとおり行った", "none": "行かなかった"}[report.went]
        yield block(f"「{ticked}」を選び、行った日も書いてあります。どちらかにしてください。", f"{group}.actual_days")
    if report.went == "none" and "bureau" not in facts.roles:
        yield block("行かなかったときは、振興局の担当に伝えてください。担当が代わりに入れます。", f"{group}.went")


def _days_there(facts: Facts, group: str) -> Iterator[Verdict]:
    """The days really worked, where they are written: readable, and over."""
    report = facts.read.reports[group.removeprefix("report:")]
    if not report.actual_days.strip():
        return
    for problem in report.reading.problems:
        yield block(problem, f"{group}.actual_days")
    if any(day > facts.today for day in report.reading.days):
        yield block(
            "「実際に行った日」に、これからの日があります。行った日だけを書いてください。", f"{group}.actual_days"
        )


@guard(None)
def result_written(facts: Facts) -> Iterator[Verdict]:
    if "edited" in facts.registers and not str((facts.form.get("result") or {}).get("results") or "").strip():
        yield block("「成果」を書いてください。", "result.results")


@guard(None)
def evaluation_written(facts: Facts) -> Iterator[Verdict]:
    """The municipality says once what it thinks of the result, when there is one."""
    if not situation.result_filed(facts):
        yield block("結果の報告がまだ届いていません。届いてから評価します。", "evaluation.grade")
    elif "evaluation" in facts.registers.get("edited", ()) and not facts.read.evaluation.grade:
        yield block("「評価」を選んでください。", "evaluation.grade")
