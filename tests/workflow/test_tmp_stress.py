from tests.workflow.test_races import *
def test_stress(crowd, conn, who, db):
    bad=[]
    for r in range(25):
        some = [factory.opened(conn, who) for _ in range(CROWD)]
        for case in some:
            factory.drive(conn, who, case, "submit")
        inputs = {"arrived_on": cases.today(conn).isoformat()}
        found = at_once(crowd, [acting(who.bureau, case, "receive", 1, inputs) for case in some])
        bad += [repr(a) for a in found if not isinstance(a, Done)]
    print(bad)
    assert not bad
