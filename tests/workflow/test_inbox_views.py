"""The views of an inbox: what stands in which, what a deputy may do for an absent holder, what waits for others, what was done."""

import pytest

from states import routes
from states.terms import KINDS_OF_WORK
from tests import factory, offices
from tests.offices import act
from workflow import cases, deputies, month, narrowing, notices, outbox, queries, telling, verify, views


@pytest.fixture
def office(clock, conn, who):
    made = offices.line(conn, who)
    offices.rule(conn, made)
    return made


def shown(conn, person, view, *, deputy=False):
    """The cases in a view of the inbox."""
    acting = deputies.of_person(conn, person) if deputy else None
    return [row["case_id"] for row in queries.inbox(conn, person, kinds=views.VIEWS[view], deputy=acting).rows]


def counts(conn, person):
    found = views.counts(conn, person, queries.inbox(conn, person).kinds)
    return {view: number for view, number in found.items() if number}


def waits(conn, person):
    return [row["case_id"] for row in views.others(conn, person).rows]


def up_to_decision(conn, office, case):
    act(conn, office.chief, case, "approve_step")
    act(conn, office.head, case, "approve_step")
    act(conn, office.general, case, "agree_step")
    act(conn, office.health, case, "agree_step")


# ── sorts of work ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_item_stands_in_the_view_of_what_it_asks(conn, office):
    case = offices.put_up(conn, office)
    assert counts(conn, office.chief) == {"": 1, "consent": 1}
    act(conn, office.chief, case, "approve_step")
    act(conn, office.head, case, "approve_step")
    act(conn, office.general, case, "agree_step")
    act(conn, office.health, case, "hold_step", review_on="R8.12.1", remark="予算を確かめる。")
    assert counts(conn, office.health) == {"": 1, "held": 1, "done": 1}
    act(conn, office.health, case, "agree_step")
    assert shown(conn, office.director, "decide") == [case]
    assert shown(conn, office.director, "consent") == []
    offices.away(conn, office.director)
    act(conn, office.vice, case, "approve")
    assert counts(conn, office.director) == {"": 1, "read": 1}


def test_the_decider_sees_the_clues_that_the_drafter_was_shown(conn, office):
    case = offices.put_up(conn, office)
    up_to_decision(conn, office, case)
    (row,) = queries.inbox(conn, office.director).rows
    assert row["clues"] == [("ok", "規則はすべて適合")]


def test_without_a_route_the_decider_decides_and_the_office_works(conn, clock, who):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit", "receive")
    assert shown(conn, who.bureau, "work") == [case]
    factory.drive(conn, who, case, "propose_team", "put_to_director")
    assert shown(conn, who.director, "decide") == [case]
    factory.drive(conn, who, case, "hold")
    assert counts(conn, who.director) == {"": 1, "held": 1, "done": 1}


def test_every_kind_that_is_written_stands_in_exactly_one_view(conn, office):
    held = [kind for view, kinds in views.VIEWS.items() if view for kind in kinds]
    assert sorted(held) == sorted(KINDS_OF_WORK)
    assert set(views.LABELS) == {*views.VIEWS, views.OTHERS, views.DONE}


def test_the_views_count_what_they_show(conn, office):
    for _ in range(3):
        offices.put_up(conn, office)
    page = queries.inbox(conn, office.chief, kinds=views.VIEWS["consent"], limit=2)
    assert page.counts["all"] == views.counts(conn, office.chief, page.kinds)["consent"] == 3
    assert queries.inbox(conn, office.chief, kinds=views.VIEWS["decide"]).counts["all"] == 0
    assert queries.waiting(conn, office.chief) == 3


def test_a_long_inbox_goes_on_page_by_page_over_every_kind(conn, office):
    made = [offices.put_up(conn, office) for _ in range(3)]
    for case in made[:2]:
        up_to_decision(conn, office, case)
    factory.post(conn, office.director, "bureau", office.who.office, section="総務課", title="課長補佐")
    every = [row["step_id"] for row in queries.inbox(conn, office.director).rows]
    found, after = [], ""
    while True:
        page = queries.inbox(conn, office.director, after=after, limit=1)
        found += [row["step_id"] for row in page.rows]
        after = page.next
        if not after:
            break
    assert found == every
    assert len(set(every)) == len(every) >= 2


# ── for absent holders ──────────────────────────────────────────────────────────────────────────────────────────────


def test_only_the_first_deputy_present_sees_the_work_of_who_is_absent_and_why(conn, office):
    case = offices.put_up(conn, office)
    up_to_decision(conn, office, case)
    assert shown(conn, office.vice, "decide", deputy=True) == []
    offices.away(conn, office.director)
    (row,) = queries.inbox(conn, office.vice, deputy=deputies.of_person(conn, office.vice)).rows
    assert (row["case_id"], row["acting"], row["instead"], row["why"]) == (case, True, "局長", "出張")
    assert shown(conn, office.vice, "decide") == []
    assert shown(conn, office.department, "decide", deputy=True) == []
    offices.away(conn, office.vice)
    assert shown(conn, office.department, "decide", deputy=True) == [case]
    assert shown(conn, office.vice, "decide", deputy=True) == []


def test_a_deputy_is_shown_no_case_whose_decision_is_barred_to_him(conn, office):
    drafted = offices.put_up(conn, office, by=office.vice)
    marked = offices.put_up(conn, office, inputs={"mark": "important"})
    free = offices.put_up(conn, office)
    for case in (drafted, marked, free):
        up_to_decision(conn, office, case)
    offices.away(conn, office.director)
    assert shown(conn, office.vice, "decide", deputy=True) == [free]
    assert shown(conn, office.department, "decide", deputy=True) == [drafted]
    deputy = deputies.of_person(conn, office.vice)
    assert len(views.for_absent(conn, office.vice, deputy)) == 1


def test_who_does_not_see_a_case_does_not_see_it_as_a_deputy(conn, office):
    case = offices.put_up(conn, office)
    up_to_decision(conn, office, case)
    stranger = factory.person(conn, "bureau", "hk-sorachi", title="副局長")
    offices.deputy(conn, office.posts["director"], offices.held(conn, stranger), 0)
    offices.away(conn, office.director)
    deputy = deputies.of_person(conn, stranger)
    assert deputy.absent == (office.posts["director"],)
    assert shown(conn, stranger, "decide", deputy=True) == []
    assert views.for_absent(conn, stranger, deputy) == []


def test_the_list_of_a_deputy_fills_its_page_past_those_that_are_barred(conn, office):
    barred = [offices.put_up(conn, office, inputs={"mark": "new"}) for _ in range(3)]
    free = offices.put_up(conn, office)
    for case in (*barred, free):
        up_to_decision(conn, office, case)
    offices.away(conn, office.director)
    page = queries.inbox(conn, office.vice, deputy=deputies.of_person(conn, office.vice), limit=1)
    assert [row["case_id"] for row in page.rows] == [free]
    assert not page.next


# ── others and done ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_drafted_answered_or_comes_later_sees_whom_a_case_waits_for(conn, office):
    case = offices.put_up(conn, office)
    for person in (office.officer, office.head, office.general, office.director):
        assert waits(conn, person) == [case], person
    assert waits(conn, office.chief) == waits(conn, office.vice) == []
    act(conn, office.chief, case, "approve_step")
    assert waits(conn, office.chief) == [case]
    (row,) = views.others(conn, office.chief).rows
    assert row["asked"] == ["地域政策課 課長(回議)"]
    act(conn, office.head, case, "approve_step")
    # Of two who are asked at once, the first to answer waits for the other.
    act(conn, office.general, case, "agree_step")
    assert waits(conn, office.general) == [case]
    assert waits(conn, office.health) == []
    act(conn, office.health, case, "agree_step")
    act(conn, office.director, case, "approve")
    for person in (office.officer, office.chief, office.head, office.general, office.health, office.director):
        assert waits(conn, person) == [], person


def test_what_waits_for_others_goes_on_page_by_page(conn, office):
    made = {offices.put_up(conn, office) for _ in range(3)}
    found, after = [], ""
    while True:
        page = views.others(conn, office.director, after=after, limit=2)
        found += [row["case_id"] for row in page.rows]
        after = page.next
        if not after:
            break
    assert sorted(found) == sorted(made)
    assert counts(conn, office.director) == {"others": 3}


def test_who_left_the_office_is_shown_no_case_of_it(conn, office):
    case = offices.put_up(conn, office)
    act(conn, office.chief, case, "approve_step")
    conn.execute(
        "UPDATE tenure SET valid_to = valid_from WHERE person_id = ANY (%s)", ([office.chief, office.officer],)
    )
    for person in (office.chief, office.officer):
        factory.post(conn, person, "bureau", "hk-sorachi")
        assert waits(conn, person) == []
        assert list(views.done(conn, person).rows) == []
        assert counts(conn, person) == {}


def test_done_is_what_i_did_the_newest_first_and_only_lately(conn, office, owner):
    first, second = offices.put_up(conn, office), offices.put_up(conn, office)
    for case in (first, second):
        act(conn, office.chief, case, "approve_step")
    page = views.done(conn, office.chief, limit=1)
    assert [(row["case_id"], row["action_label"], row["asked"]) for row in page.rows] == [
        (second, "承認して上げる", ["地域政策課 課長(回議)"])
    ]
    assert [row["case_id"] for row in views.done(conn, office.chief, after=page.next).rows] == [first]
    assert counts(conn, office.chief) == {"done": 2, "others": 2}
    owner.execute("UPDATE installation SET clock_offset = clock_offset + interval '31 days'")
    assert counts(conn, office.chief) == {"others": 2}


def test_a_decision_for_another_is_said_to_be_one(conn, office):
    case = offices.put_up(conn, office)
    up_to_decision(conn, office, case)
    offices.away(conn, office.director)
    act(conn, office.vice, case, "approve")
    assert [row["deputy"] for row in views.done(conn, office.vice).rows] == [True]
    assert [row["deputy"] for row in views.done(conn, office.health).rows] == [False]


# ── kept views ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_kept_view_is_ones_own_or_shared_with_colleagues(conn, who):
    views.keep(conn, who.bureau, "/inbox", "view=decide", "今週の決裁", None)
    views.keep(conn, who.bureau, "/inbox", "view=held", "保留", who.office)
    own = [(one.name, one.own) for one in views.kept(conn, who.bureau, "/inbox")]
    assert own == [("今週の決裁", True), ("保留", True)]
    (shared,) = views.kept(conn, who.bureau_colleague, "/inbox")
    assert (shared.name, shared.own, shared.shared) == ("保留", False, True)
    assert views.kept(conn, who.headquarters, "/inbox") == views.kept(conn, who.bureau_colleague, "/headquarters") == []
    assert views.drop(conn, who.bureau_colleague, shared.id) is None
    assert views.drop(conn, who.bureau, shared.id) == "/inbox"
    assert views.kept(conn, who.bureau_colleague, "/inbox") == []


@pytest.mark.parametrize("name", ["", "  ", "長" * 41, "改行\x07"])
def test_a_view_without_a_good_name_is_not_kept(conn, who, name):
    with pytest.raises(views.NotKept):
        views.keep(conn, who.bureau, "/inbox", "", name, None)
    assert views.kept(conn, who.bureau, "/inbox") == []


def test_a_name_is_kept_once_and_a_person_keeps_only_so_many(conn, who, monkeypatch):
    monkeypatch.setattr(views, "MOST", 2)
    views.keep(conn, who.bureau, "/inbox", "", "一", None)
    with pytest.raises(views.NotKept):
        views.keep(conn, who.bureau, "/inbox", "", "一", None)
    views.keep(conn, who.bureau, "/inbox", "", "二", None)
    with pytest.raises(views.NotKept):
        views.keep(conn, who.bureau, "/inbox", "", "三", None)


# ── notices ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def mailed(conn, case, seq):
    """Persons told of one event, each with the mail's subject and text."""
    rows = conn.execute(
        """SELECT m.person_id, m.subject, m.body FROM message m JOIN outbox o ON o.id = m.outbox_id
           WHERE o.case_id = %s AND o.seq = %s""",
        (case, seq),
    ).fetchall()
    return {person: (subject, body) for person, subject, body in rows}


@pytest.mark.parametrize(
    ("name", "inputs", "by"),
    [
        ("send_back", {"reason": "目的を書き足すこと。", "then": "again"}, "head"),
        ("withdraw_draft", {"reason": "数字を直す。"}, "officer"),
        ("withdraw", {"reason": "町の予定が変わった。"}, "officer"),
        ("pull_back", {}, "officer"),
    ],
)
def test_who_answered_hears_that_a_draft_died(db, conn, office, name, inputs, by):
    case = offices.put_up(conn, office)
    act(conn, office.chief, case, "approve_step")
    done = act(conn, getattr(office, by), case, name, **inputs)
    outbox.deliver(db)
    found = mailed(conn, case, done.version)
    assert office.chief in found
    assert "あなたの職が承認・合議した起案は" in found[office.chief][1]
    assert all(
        "あなたの職が承認・合議した起案は" not in body for who, (_, body) in found.items() if who != office.chief
    )
    assert not verify.run(db).breaks


def test_a_decision_does_not_tell_those_who_answered_that_it_died(db, conn, office):
    case = offices.put_up(conn, office)
    up_to_decision(conn, office, case)
    act(conn, office.director, case, "approve")
    payloads = conn.execute("SELECT payload FROM outbox WHERE case_id = %s AND kind = 'notice'", (case,)).fetchall()
    assert all("posts" not in payload for (payload,) in payloads)


def test_the_mail_says_what_is_asked_and_of_which_post(db, conn, office):
    case = offices.put_up(conn, office)
    version = factory.version(conn, case)
    outbox.deliver(db)
    subject, body = mailed(conn, case, version)[office.chief]
    assert "[回議する]" in subject
    assert "回議 ・ 「地域政策課 係長」として" in body


def test_the_deputy_who_may_act_now_is_told_as_well(db, conn, office):
    case = offices.put_up(conn, office)
    offices.away(conn, office.director, kind="illness")
    up_to_decision(conn, office, case)
    version = factory.version(conn, case)
    outbox.deliver(db)
    found = mailed(conn, case, version)
    assert set(found) == {office.director, office.vice}
    subject, body = found[office.vice]
    assert "代決できます" in subject
    assert "「局長」が不在のため、代決できます" in body
    assert "病気" not in subject + body
    assert "代決" not in found[office.director][0]


def test_a_deputys_digest_says_that_he_would_act_for_another(db, conn, office):
    case = offices.put_up(conn, office)
    offices.away(conn, office.director)
    up_to_decision(conn, office, case)
    row = conn.execute(
        """SELECT id, case_id, seq, kind, payload, dedup, tries FROM outbox WHERE case_id = %s AND kind = 'notice' ORDER BY seq DESC LIMIT 1""",
        (case,),
    ).fetchone()
    (item,) = notices.still_said(conn, notices.Row(*row), office.vice)
    assert item.what == "派遣を判断する(代決)"
    offices.back(conn, office.director)
    assert notices.still_said(conn, notices.Row(*row), office.vice) == []


def test_who_will_be_told_is_the_post_that_the_route_asks(db, conn, office):
    case = factory.opened(conn, office.who)
    factory.drive(conn, office.who, case, "submit", "receive", "propose_team")

    def said(person):
        return telling.before(conn, person, case, cases.look(conn, person, case).offers)

    assert said(office.officer)["put_to_director"] == "上川総合振興局 地域政策課(回議する)"
    factory.drive(conn, office.who, case, ("put_to_director", {"by": office.officer}))
    assert said(office.chief)["approve_step"] == "上川総合振興局 地域政策課(回議する)"
    act(conn, office.chief, case, "approve_step")
    assert "総務課(合議に答える)" in said(office.head)["approve_step"]
    assert "保健行政室(合議に答える)" in said(office.head)["approve_step"]
    assert said(office.head)["ask_advice"] == telling.CHOSEN
    # Those who have answered are told when the draft goes back.
    assert "地域政策課" in said(office.head)["send_back"]
    offices.away(conn, office.general)
    offices.deputy(conn, office.posts["general"], office.posts["department"], 1)
    assert "合議に答える、代決できます" in said(office.head)["approve_step"]


def test_a_late_decision_is_told_to_the_post_above_it(db, conn, office):
    case = offices.put_up(conn, office)
    up_to_decision(conn, office, case)
    (deadline,) = conn.execute(
        "SELECT id FROM deadline WHERE case_id = %s AND kind = 'judgement' AND closed_at IS NULL", (case,)
    ).fetchone()

    def told(rung):
        row = notices.Row(
            0,
            case,
            factory.version(conn, case),
            f"reminder:{deadline}:{rung}",
            {"deadline": deadline, "rung": rung},
            "x",
            0,
        )
        found = notices.reminder(conn, row)
        assert found is not None
        return {message.person_id for message in found.messages}

    assert told(0) == {office.director}
    assert told(7) == {office.director, office.above}
    conn.execute("UPDATE post SET superior_id = NULL")
    assert told(7) == {office.director}


def test_the_month_has_what_a_route_asks_of_a_post(conn, office):
    case = offices.put_up(conn, office)
    today = cases.today(conn)
    found = month.of_person(conn, office.chief, today, today.replace(day=28))
    assert [(entry.case_id, entry.words) for entry in found] == [(case, "回議する")]
    assert "#" not in found[0].key


# ── the write ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_waits_is_written_with_the_open_steps_and_follows_the_route(conn, office):
    case = offices.put_up(conn, office)
    act(conn, office.chief, case, "approve_step")
    act(conn, office.head, case, "approve_step")
    act(conn, office.general, case, "agree_step")
    form = conn.execute("SELECT form FROM cases WHERE id = %s", (case,)).fetchone()[0]
    rows = conn.execute(
        "SELECT kind, awaited_by FROM step WHERE case_id = %s AND closed_at IS NULL", (case,)
    ).fetchall()
    route = routes.of(form)
    assert route is not None
    expected = list(routes.awaited_by(route))
    assert rows == [("consent", expected)]
    assert f"#{office.posts['director']}" in expected
    assert {f"@{office.officer}", f"@{office.chief}", f"@{office.general}"} <= set(expected)


# ── the line and its office's desk ──────────────────────────────────────────────────────────────────────────────────


def received(conn, office):
    made = factory.opened(conn, office.who)
    factory.drive(conn, office.who, made, "submit", "receive")
    return made


def test_the_line_sees_its_own_posts_work_and_the_desks_apart(conn, office):
    case, routed = received(conn, office), offices.put_up(conn, office)
    assert shown(conn, office.officer, "work") == [case]
    assert narrowing.of_desk(conn, office.officer, views.VIEWS["work"]) is None, "it is the officers' own"
    assert shown(conn, office.chief, "") == [routed]
    for key in ("head", "vice", "department"):  # asked by the table, or in a decider's order of deputies
        person = office.people[key]
        assert (shown(conn, person, "work"), queries.waiting(conn, person)) == ([], 0), key
        assert narrowing.of_desk(conn, person, views.VIEWS["work"]) == 1, key
        assert [row["case_id"] for row in queries.inbox(conn, person, whole=True).rows] == [case], key
        assert queries.inbox(conn, person, whole=True).counts["all"] == 1, key
    assert narrowing.choices(conn, office.head)["ask"] == []
    assert len(narrowing.choices(conn, office.head, whole=True)["ask"]) == 1


def test_what_is_named_to_somebody_of_the_line_is_theirs(conn, office):
    case = received(conn, office)
    conn.execute("UPDATE step SET person_id = %s WHERE case_id = %s AND closed_at IS NULL", (office.head, case))
    assert shown(conn, office.head, "work") == [case]
    assert narrowing.of_desk(conn, office.head, views.VIEWS["work"]) == 0
    assert shown(conn, office.vice, "work") == []


def test_where_no_officer_is_left_the_line_does_the_desks_work(conn, office):
    case = received(conn, office)
    conn.execute(
        "UPDATE tenure SET valid_to = '2026-11-01' WHERE person_id = ANY (%s)",
        ([office.officer, office.who.bureau_colleague],),
    )
    assert shown(conn, office.head, "work") == [case]
    assert narrowing.of_desk(conn, office.head, views.VIEWS["work"]) is None


def test_without_a_table_of_decisions_nobody_stands_on_a_line(conn, clock, who):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit", "receive")
    head = factory.person(conn, "bureau", who.office, section="地域政策課", title="課長")
    assert shown(conn, head, "work") == [case]
    below = offices.held(conn, who.bureau)
    conn.execute("UPDATE post SET superior_id = %s WHERE id = %s", (offices.held(conn, head), below))
    assert shown(conn, head, "work") == [], "above somebody of the office"
    assert shown(conn, who.bureau, "work") == [case]


def test_the_inbox_is_filtered_by_process(conn, office):
    case = received(conn, office)
    assert [row["case_id"] for row in queries.inbox(conn, office.officer, process="dispatch").rows] == [case]
    assert list(queries.inbox(conn, office.officer, process="condition").rows) == []
    (known,) = narrowing.choices(conn, office.officer)["process"]
    assert known[0] == "dispatch"


def of_process(conn, office, view):
    """What the officer sees in a view of what is not one's own work: everything, of one process, of another."""
    return [
        [row["case_id"] for row in view(conn, office.officer, process=process).rows]
        for process in ("", "dispatch", "condition")
    ]


def test_what_waits_for_others_and_what_is_done_are_filtered_by_process(conn, office):
    case = offices.put_up(conn, office)
    assert of_process(conn, office, views.others) == [[case], [case], []]
    every, dispatches, conditions = of_process(conn, office, views.done)
    assert every == dispatches != []
    assert conditions == []


def test_a_filtered_list_goes_on_page_by_page(conn, office):
    made = [offices.put_up(conn, office) for _ in range(3)]
    for view in (views.others, views.done):
        found, after = [], ""
        while True:
            page = view(conn, office.officer, process="dispatch", after=after, limit=1)
            found += [row["case_id"] for row in page.rows]
            if not (after := page.next):
                break
        assert set(found) == set(made), view.__name__
        assert len(found) == len(list(view(conn, office.officer).rows)), view.__name__


def asked_by_mail(db, conn, case):
    """Persons to whom the mails about a case bring work."""
    outbox.deliver(db)
    rows = conn.execute(
        """SELECT m.person_id FROM message m JOIN outbox o ON o.id = m.outbox_id
           WHERE o.case_id = %s AND m.body LIKE '%%検討して判断を求める%%'""",
        (case,),
    ).fetchall()
    return {person for (person,) in rows}


def sees_at_once(conn, case):
    """Everybody in whose inbox the case stands as it opens."""
    people = [person for (person,) in conn.execute("SELECT id FROM person").fetchall()]
    return {person for person in people if case in shown(conn, person, "")}


def test_a_desks_work_is_told_to_those_who_see_it_at_once(db, conn, office):
    case = factory.opened(conn, office.who)
    factory.drive(conn, office.who, case, "submit")
    before = telling.before(conn, office.officer, case, cases.look(conn, office.officer, case).offers)["receive"]
    assert "検討して判断を求める" in before
    assert all(section not in before for section in ("総務課", "保健行政室")), "the sections of the line's posts"
    factory.drive(conn, office.who, case, ("receive", {"by": office.officer}))
    others = sees_at_once(conn, case) - {office.officer}
    assert others == {office.who.bureau_colleague}
    assert asked_by_mail(db, conn, case) == others


def test_who_holds_an_officers_post_beside_one_of_the_line_is_told(db, conn, office):
    factory.post(conn, office.head, "bureau", office.who.office, section="地域政策課", title="主査")
    case = received(conn, office)
    assert office.head in asked_by_mail(db, conn, case)
    assert office.head in sees_at_once(conn, case)


def test_where_no_officer_is_left_the_line_is_told_of_the_desks_work(db, conn, office):
    case = factory.opened(conn, office.who)
    factory.drive(conn, office.who, case, "submit")
    conn.execute(
        "UPDATE tenure SET valid_to = '2026-10-01' WHERE person_id = ANY (%s)",
        ([office.officer, office.who.bureau_colleague],),
    )
    factory.drive(conn, office.who, case, ("receive", {"by": office.chief}))
    line = {office.people[key] for key in ("head", "general", "health", "department", "vice")}
    assert asked_by_mail(db, conn, case) == line
    assert sees_at_once(conn, case) == line | {office.chief}
