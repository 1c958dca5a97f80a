"""The law of routes told a second time, in few words, for tests to hold the engine against; it shares no code with `states`.

A slot is one post of a stage. Who is asked follows from the answers given: stage after stage, a consent by its rule.
"""

from dataclasses import dataclass, field
from typing import Any

REVIEW, CONSENT, DECIDE, CIRCULATE, CONSULT, AFTER = (
    "review",
    "consent",
    "decide",
    "circulate",
    "consult",
    "review_after",
)
STAND_INS = {"charge", "acting"}


@dataclass
class Team:
    """Posts with who holds them by which tenure, who is away, deputies in their order, superiors."""

    holders: dict[int, list[tuple[int, str]]]
    away: set[int]
    deputies: dict[int, list[int]]
    superior: dict[int, int]

    def posts_of(self, person):
        return {post for post, held in self.holders.items() if any(one == person for one, _ in held)}

    def sole(self, post):
        held = self.holders[post]
        return held[0][0] if len(held) == 1 else None

    def absent(self, post):
        return bool(self.holders[post]) and all(person in self.away for person, _ in self.holders[post])

    def stands_in(self, person, post, barred):
        """代決: the post's own holders are all away, and this person holds the first deputy post with somebody able."""
        if not self.absent(post) or any(tenure in STAND_INS for _, tenure in self.holders[post]):
            return False
        for deputy in self.deputies.get(post, []):
            able = {p for p, tenure in self.holders[deputy] if tenure not in STAND_INS and p not in self.away | barred}
            if able:
                return person in able
        return False


@dataclass
class Slot:
    no: int
    stage: int
    kind: str
    post: int
    must: bool = False
    covers: tuple[str, ...] = ()
    said: str = ""
    by: int = 0
    at: int = 0
    acting: bool = False
    along: int = -1  # the slot at which the same person is asked; 0 for the drafter's own
    with_: int = -1  # that slot again, also while it is heard already
    skipped: bool = False
    since: int = 0  # when it was changed or sent back: no answer from before speaks for it
    spoken: bool = False  # read, or advice given: of slots beside the stages
    table: int = 0  # the post that decides by the table, also while its superior is asked

    def about(self, groups):
        return bool(groups) and (not self.covers or bool(set(self.covers) & groups))


@dataclass
class Law:
    """One route of one round."""

    team: Team
    stages: list[dict[str, Any]]
    drafter: int
    drafter_post: int
    excluded: set[int]
    no_deputy: bool
    slots: list[Slot] = field(default_factory=list)
    status: str = "running"
    forced: set[int] = field(default_factory=set)
    then: str = "again"

    def __post_init__(self):
        for number, stage in enumerate(self.stages, 1):
            for post, must in stage["asked"]:
                self.slots.append(
                    Slot(len(self.slots) + 1, number, stage["kind"], post, must, tuple(stage.get("covers", ())))
                )
        self.seat()

    # ── who is asked ────────────────────────────────────────────────────────────────────────────────────────────────

    def may_decide(self, person):
        return person != self.drafter and person not in self.excluded

    def seat(self):
        """The decision goes up from whom it concerns; every person is asked at one slot, the last that is sure to be asked.

        It is its own post's again once somebody holds that; while the post is vacant it stays where it went.
        """
        for slot in self.slots:
            seen = set()
            slot.table = slot.table or slot.post
            if slot.kind == DECIDE and not slot.said and self.team.holders[slot.table]:
                slot.post = slot.table
            while slot.kind == DECIDE and not slot.said and slot.post not in seen and self.team.holders[slot.post]:
                if (
                    any(self.may_decide(person) for person, _ in self.team.holders[slot.post])
                    or slot.post not in self.team.superior
                ):
                    break
                seen.add(slot.post)
                slot.post = self.team.superior[slot.post]
        gone = [slot for slot in self.slots if self.void(slot)]
        free = [
            slot
            for slot in self.slots
            if slot.stage and slot.kind != CIRCULATE and not slot.said and not slot.skipped and slot not in gone
        ]
        # What was heard along with another, or drafted, stays so whoever holds the post now.
        kept = [s for s in free if s.along == 0 or (s.along > 0 and self.over(self.slots[s.along - 1]))]
        free = [slot for slot in free if slot not in kept]
        for slot in free:
            slot.along = -1
        for slot in free:
            person = self.team.sole(slot.post)
            if slot.kind == DECIDE or person is None:
                continue
            same = [s for s in free if s is not slot and s.along < 0 and self.team.sole(s.post) == person]
            later = [s.no for s in same if s.no > slot.no and (self.sure(s) or s.stage == slot.stage)]
            done = [
                s.no
                for s in self.slots
                if s.no < slot.no
                and s.said in ("approve", "agree")
                and s.by == person
                and not s.acting
                and s.stage
                and s.at > slot.since
            ]
            before = [] if self.sure(slot) else [s.no for s in same if s.no < slot.no]
            slot.along = 0 if person == self.drafter else later[-1] if later else (done + before + [-1])[0]
        for slot in free:
            slot.with_ = slot.along

    def over(self, slot):
        return bool(slot.said or slot.skipped or self.void(slot))

    def sure(self, slot):
        return slot.kind != CONSENT or slot.must or self.stages[slot.stage - 1].get("passes", "all") == "all"

    def settled(self, slot):
        return bool(slot.said or slot.skipped or slot.along >= 0)

    def heard(self, slot):
        """Whether the person of a slot has agreed, here or where the slot is asked along."""
        if slot.said:
            return slot.said in ("approve", "agree")
        return (
            slot.skipped
            or slot.along == 0
            or (slot.along > 0 and self.slots[slot.along - 1].said in ("approve", "agree"))
        )

    def passed(self, number):
        """passed, asked or stopped: what a stage has come to."""
        stage, here = self.stages[number - 1], [slot for slot in self.slots if slot.stage == number]
        if stage["kind"] == CIRCULATE or number in self.forced:
            return "passed"
        if stage["kind"] != CONSENT:
            return "passed" if all(self.settled(slot) for slot in here) else "asked"
        asked = [slot for slot in here if slot.along < 0 or slot.said or self.heard(slot)]
        yes = [slot for slot in asked if self.heard(slot)]
        no = [slot for slot in here if slot.said == "disagree"]
        silent = [slot for slot in asked if slot not in yes and slot not in no]
        if stage.get("refusal", "first") == "first" and no:
            return "stopped"
        if stage.get("refusal", "first") == "all" and silent:
            return "asked"
        need = {"any": 1, "quorum": stage.get("quorum", 0)}.get(stage.get("passes", "all"), len(here))
        if len(yes) >= min(need, len(asked)) and all(slot in yes for slot in asked if slot.must):
            return "passed"
        return "asked" if silent else "stopped"

    def turn(self):
        """The stage whose answers are awaited, and whether it has stopped; 0 where nothing is awaited."""
        for number in range(1, len(self.stages) + 1):
            outcome = self.passed(number)
            if outcome != "passed":
                return number, outcome == "stopped"
        return 0, False

    def live(self):
        return self.status in ("running", "stopped")

    def open(self):
        number, stopped = self.turn()
        found = []
        for slot in self.slots:
            if slot.stage == 0 or slot.kind == CIRCULATE:
                reached = slot.stage == 0 or not number or slot.stage <= number or self.status == "decided"
                gone = slot.kind == CONSULT and not self.live()
                found += [slot] if reached and not gone and not slot.spoken else []
            elif self.live() and slot.stage == number and not stopped and not self.settled(slot):
                found.append(slot)
        return found

    def void(self, slot):
        if not slot.stage or slot.kind != CONSENT or self.settled(slot):
            return False
        number, stopped = self.turn()
        return not number or slot.stage < number or (slot.stage == number and stopped)

    def waiting(self, slot):
        return (
            bool(slot.stage)
            and slot.kind != CIRCULATE
            and not self.settled(slot)
            and not self.void(slot)
            and slot not in self.open()
        )

    # ── who may ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def stands(self, person):
        """The open slots that this person may answer, and whether as a deputy."""
        found, posts = {}, self.team.posts_of(person)
        for slot in self.open():
            if slot.post in posts:
                if slot.kind != DECIDE or self.may_decide(person):
                    found[slot.no] = False
            elif slot.kind in (REVIEW, CONSENT, DECIDE):
                barred = {self.drafter} | (self.excluded if slot.kind == DECIDE else set())
                closed = slot.kind == DECIDE and (self.no_deputy or any(s.said == "disagree" for s in self.slots))
                if not closed and self.team.stands_in(person, slot.post, barred):
                    found[slot.no] = True
        return found

    def at(self, person, *kinds):
        numbers = [no for no in sorted(self.stands(person)) if self.slots[no - 1].kind in kinds]
        return self.slots[numbers[0] - 1] if numbers else None

    def drafts(self, person):
        posts = self.team.posts_of(person)
        return bool(posts) and (person == self.drafter or self.drafter_post in posts)

    def given(self, person):
        if not self.team.posts_of(person):
            return None  # who holds no post any more may do nothing
        own = [
            s
            for s in self.slots
            if s.said and s.by == person and s.kind in (REVIEW, CONSENT) and s.stage and not self.along_with(s)
        ]
        last = max(own, key=lambda s: s.at, default=None)
        later = [s for s in self.slots if last and s.said and s.stage and s.kind != CIRCULATE and s.at > last.at]
        return None if later else last

    def along_with(self, slot):
        return slot.along > 0 and self.slots[slot.along - 1].said and self.slots[slot.along - 1].at == slot.at

    def later(self, person):
        posts = self.team.posts_of(person)
        return next((s for s in self.slots if s.kind in (REVIEW, DECIDE) and s.post in posts and self.waiting(s)), None)

    def allows(self, person, verb, choice):
        """Whether the person may do this now, with that choice of post or step."""
        if verb in ("mark_read", "give_advice"):
            return self.at(person, *((CIRCULATE, AFTER) if verb == "mark_read" else (CONSULT,))) is not None
        if not self.live():
            return False
        here = self.at(person, REVIEW, CONSENT, DECIDE)
        if verb in ("approve_step", "agree_step", "disagree_step", "hold_step", "decide"):
            kinds = {"approve_step": (REVIEW,), "hold_step": (REVIEW, CONSENT), "decide": (DECIDE,)}.get(
                verb, (CONSENT,)
            )
            return self.at(person, *kinds) is not None
        if verb == "return_step":
            return here is not None and any(
                s.no == choice and s.said and s.stage and s.stage < here.stage and s.kind != CIRCULATE
                for s in self.slots
            )
        if verb == "pull_back_step":
            return self.given(person) is not None
        if verb == "take_up":
            target = self.later(person)
            before = [
                s
                for s in self.slots
                if target and s.kind == CONSENT and s.stage < target.stage and not self.settled(s) and not self.void(s)
            ]
            return target is not None and not before and not self.turn()[1]
        if verb == "pass_over":
            return self.drafts(person) and any(
                s.no == choice and s.kind == REVIEW and self.team.absent(s.post) for s in self.open()
            )
        if verb == "go_on":
            return self.drafts(person) and self.turn()[1]
        assert verb in ("ask_advice", "circulate")
        reading = {s.post for s in self.open() if s.kind in (CIRCULATE, CONSULT)}
        fits = (
            choice in self.team.holders
            and self.team.holders[choice]
            and choice not in reading | self.team.posts_of(person)
        )
        return bool(fits) and (here is not None or (verb == "circulate" and self.drafts(person)))

    # ── what comes of it ────────────────────────────────────────────────────────────────────────────────────────────

    def does(self, person, verb, choice, then, now):
        """Carry an allowed verb out."""
        kinds = {"approve_step": (REVIEW,), "decide": (DECIDE,), "agree_step": (CONSENT,), "disagree_step": (CONSENT,)}
        if verb in kinds:
            self.answer(
                self.at(person, *kinds[verb]),
                person,
                {"agree_step": "agree", "disagree_step": "disagree"}.get(verb, "approve"),
                now,
            )
        elif verb in ("mark_read", "give_advice"):
            self.at(person, *((CIRCULATE, AFTER) if verb == "mark_read" else (CONSULT,))).spoken = True
        elif verb == "return_step":
            self.send_back(self.at(person, REVIEW, CONSENT, DECIDE), self.slots[choice - 1], then, now)
        elif verb == "pull_back_step":
            back = self.given(person)
            taken = [s for s in self.slots if s.said and s.stage and (s.by, s.at) == (back.by, back.at)]
            for slot in taken:
                slot.said = ""
                slot.along = slot.with_ if any(slot.with_ == s.no for s in taken) else -1
        elif verb == "take_up":
            target = self.later(person)
            for slot in [s for s in self.slots if s.kind == REVIEW and s.stage < target.stage and not self.settled(s)]:
                self.skip(slot)
        elif verb == "pass_over":
            self.skip(self.slots[choice - 1])
        elif verb == "go_on":
            self.go_on()
        elif verb in ("ask_advice", "circulate"):
            self.beside(CONSULT if verb == "ask_advice" else CIRCULATE, choice)
        if verb in ("return_step", "pull_back_step", "go_on"):
            self.seat()

    def answer(self, slot, person, said, now):
        acting = self.stands(person)[slot.no]
        for one in self.slots:
            if one is slot or (one.along == slot.no and not one.said):
                alike = said if said == "disagree" else "agree"
                one.said = said if one is slot else alike if one.kind == CONSENT else "approve"
                one.by, one.at, one.acting = person, now, acting
        if slot.kind == DECIDE:
            self.status = "decided"
            if acting:
                self.beside(AFTER, slot.post)

    def send_back(self, sender, target, then, now):
        again = [target]
        if then == "again":
            again += [
                s
                for s in self.slots
                if s.stage and target.stage <= s.stage < sender.stage and s.said and s.kind != CIRCULATE
            ]
        self.ask_again(again, now)
        self.forced = {n for n in self.forced if n < target.stage or (then == "straight" and n != target.stage)}

    def ask_again(self, slots, now):
        for slot in slots:
            slot.said, slot.since = "", now
        for slot in slots:
            # Asked along with the other, unless that one has been heard and counts.
            slot.along = slot.with_ if slot.with_ > 0 and not self.slots[slot.with_ - 1].said else -1

    def skip(self, slot):
        slot.skipped = True
        self.beside(AFTER, slot.post)

    def go_on(self):
        self.forced |= {
            n for n in range(1, len(self.stages) + 1) if any(s.said == "disagree" and s.stage == n for s in self.slots)
        }
        # Looked at before any is changed: the first one asked again makes the stage after it wait instead of void.
        left = [s for s in self.slots if s.along > 0 and not s.said and self.void(self.slots[s.along - 1])]
        for slot in left:
            slot.along = slot.with_ = -1

    def beside(self, kind, post):
        self.slots.append(Slot(len(self.slots) + 1, 0, kind, post))

    def changed(self, groups, now):
        """What was approved has changed: exactly those who approved it are asked again, also who was heard elsewhere."""
        about = [s for s in self.slots if s.stage and s.kind != CIRCULATE and s.about(groups)]
        self.ask_again([s for s in about if s.said in ("approve", "agree")], now)
        for slot in about:
            slot.since = now
        self.part()
        self.seat()

    def part(self):
        """Nobody is heard by an answer from before the change of what the slot is about."""
        for slot in self.slots:
            into = self.slots[slot.along - 1] if slot.along > 0 else None
            if into and not slot.said and into.said in ("approve", "agree") and into.at <= slot.since:
                slot.along = slot.with_ = -1

    def keep(self, was, groups, now):
        """Put up again straight: what was approved before and has not changed since stays approved."""
        for old in was.slots:
            new = next(
                (s for s in self.slots if s.stage and (s.kind, s.post, s.stage) == (old.kind, old.post, old.stage)),
                None,
            )
            if new is None:
                continue
            new.since = now if old.about(groups) else old.since
            if old.said in ("approve", "agree") and not old.about(groups):
                new.said, new.by, new.at, new.acting = old.said, old.by, old.at, old.acting
        self.part()
