"""Versions of a program: which one judges, what `plan` says before one is published, and what it leaves to members."""

from laurels import wiring
from tests.scenarios.document import shop
from tests.scenarios.house import House
from tests.scenarios.story import Story, Tell

MEMBER = "{id: member}"
SILVER = '{id: silver, enter: "1000.00"}'
GOLD = '{id: gold, enter: "5000.00"}'


def tiers(*tiers: str) -> str:
    return f"membership: {{measure: {{spent: net}}, tiers: [{', '.join((MEMBER, *tiers))}]}}"


def rate(points: int) -> str:
    return shop(base=f'{{on: purchase, grant: {{wallet: points, points: {points}, per: "1.00"}}}}')


def spenders(tell: Tell, *tiers_of: str, **amounts: str) -> Story:
    """Members who spent so much in March 2026."""
    here = tell(shop(tracks=tiers(*tiers_of)))
    for member, amount in amounts.items():
        here.enrol(member, at="2026-03-01")
        here.buy(member, f"{member}-1", amount)
    return here


# --- what takes something away ---


def test_plan_lists_the_members_whom_a_raised_threshold_would_cost_their_tier(tell: Tell) -> None:
    """Case 10."""
    here = spenders(tell, SILVER, ann="999.99", bob="1000.00", cy="1999.99", dan="2000.00")
    raised = here.plan(shop(tracks=tiers('{id: silver, enter: "2000.00"}')))
    # To keep silver takes what it takes to enter it where nothing else is said. Of the three who hold it, bob and cy
    # have reached what keeps it now and not what would keep it then.
    keep = raised["/tracks/membership/tiers/1/keep"]
    assert (keep["takes_away"], keep["members"], keep["first_members"]) == (True, 2, ["bob", "cy"])
    assert 'threshold to keep changes from "1000.00" to "2000.00"' in keep["text"]["en"]
    # ann is below silver and on the way to it: she needs more than before.
    enter = raised["/tracks/membership/tiers/1/enter"]
    assert (enter["members"], enter["first_members"]) == (1, ["ann"])


def test_whether_those_who_hold_a_tier_keep_it_on_the_old_terms_is_the_programs_choice(tell: Tell) -> None:
    """Case 10."""
    strict = shop(tracks=tiers('{id: silver, enter: "2000.00"}'))
    lenient = shop(tracks=tiers('{id: silver, enter: "2000.00", keep: "1000.00"}'))
    for document, tier in ((strict, "member"), (lenient, "silver")):
        here = spenders(tell, SILVER, ann="1000.00")
        concerned = [change["members"] for change in here.plan(document).values() if change["takes_away"]]
        assert sum(concerned) == (1 if document is strict else 0)
        here.publish(document, "2026-06-01")
        # In either case nobody loses a tier before its time: silver of 2026 holds until the end of 2027.
        here.buy("ann", "ann-2", "1000.00", at="2027-03-01")
        assert here.tier("ann") == "silver"
        # The review of 1 January 2028 asks what is in effect then: 1,000.00 are enough to keep it, or 2,000.00.
        here.clock("2028-01-01")
        assert here.tier("ann") == tier


def test_a_tier_in_use_can_only_go_with_a_mapping_and_plan_lists_who_holds_it(tell: Tell) -> None:
    """Case 10."""
    here = spenders(tell, SILVER, GOLD, ann="1000.00", bob="5000.00", cy="6000.00")
    unmapped = shop(tracks=tiers(SILVER))
    gone = here.plan(unmapped)["/tracks/membership/tiers/2"]
    assert (gone["kind"], gone["needs_mapping"], gone["takes_away"]) == ("removed", True, True)
    assert (gone["members"], gone["first_members"]) == (2, ["bob", "cy"])
    here.publish(unmapped, refused="needs_mapping")
    assert len(here.get("/v1/program/versions")["items"]) == 1
    mapped = shop(tracks=tiers(SILVER), retired="tiers: {membership.gold: silver}")
    assert here.plan(mapped)["/tracks/membership/tiers/2"]["needs_mapping"] is False
    here.publish(mapped, "2026-06-01")
    here.clock("2026-05-31 23:59:59.999999")
    assert [here.tier(member) for member in here.members] == ["silver", "gold", "gold"]
    here.clock("2026-06-01")
    assert [here.tier(member) for member in here.members] == ["silver", "silver", "silver"]


def test_a_renamed_tier_takes_nothing_from_anybody(tell: Tell) -> None:
    """Case 10."""
    here = spenders(tell, SILVER, ann="1000.00")
    renamed = shop(tracks=tiers('{id: bronze, enter: "1000.00", was: silver}'))
    assert not any(change["takes_away"] for change in here.plan(renamed).values())
    here.publish(renamed, "2026-06-01")
    here.clock("2026-06-01")
    assert (here.tier("ann"), here.until("ann")) == ("bronze", "2028-01-01 00:00")


def test_plan_lists_those_to_whom_a_campaign_that_goes_had_granted_something(tell: Tell) -> None:
    """Case 10."""
    beans = "beans: {on: purchase, when: purchase.total >= 50.00, grant: {wallet: points, fixed: 5}}"
    here = tell(shop(campaigns=beans))
    for member, amount in (("ann", "49.99"), ("bob", "50.00")):
        here.enrol(member, at="2026-03-01")
        here.buy(member, member, amount)
    gone = here.plan(shop())["/campaigns/beans"]
    assert (gone["kind"], gone["members"], gone["first_members"]) == ("removed", 1, ["bob"])


def test_plan_names_members_to_nobody_who_may_not_read_them(tell: Tell, house: House) -> None:
    """Case 10."""
    here = spenders(tell, SILVER, ann="1000.00")
    key = wiring.make_key(house.here.running, here.program, source="desk", name="desk", scopes=["program:read"])
    secret, _known = house.run(key)
    document = {"document": here.document(shop(tracks=tiers('{id: silver, enter: "2000.00"}')))}
    answered = house.run(house.here.call("POST", "/v1/program/plan", document, secret=secret)).json()
    assert [change["members"] for change in answered["changes"]] == [0, 1]
    assert [change["first_members"] for change in answered["changes"]] == [[], []]


def test_plan_writes_nothing(tell: Tell) -> None:
    """Case 10."""
    here = spenders(tell, SILVER, ann="1000.00")
    before = (here.get("/v1/program"), here.get("/v1/program/versions"), here.journal("ann"), here.standing("ann"))
    here.plan(shop(tracks=tiers(GOLD)))
    after = (here.get("/v1/program"), here.get("/v1/program/versions"), here.journal("ann"), here.standing("ann"))
    assert after == before


# --- which one judges ---


def test_earning_is_judged_by_the_version_of_the_instant_it_occurred_and_every_entry_says_which(tell: Tell) -> None:
    """Case 10."""
    here = tell(rate(1))
    here.enrol("ann", at="2026-05-01")
    here.publish(rate(2), "2026-06-01")
    assert here.buy("ann", "o-1", "10.00", at="2026-05-31 23:59:59.999999").granted("base") == 10
    assert here.buy("ann", "o-2", "10.00", at="2026-06-01").granted("base") == 20
    # What arrives late is judged as of its time, and so is a return by its purchase.
    here.clock("2026-07-01")
    assert here.buy("ann", "o-3", "10.00", at="2026-05-02").granted("base") == 10
    assert here.give_back("ann", "o-3").moved("available", "issuance") == 10
    assert [(each["points"], each["version"]) for each in reversed(here.journal("ann"))] == [
        (10, 1),
        (20, 2),
        (10, 1),
        (-10, 1),
    ]


def test_before_the_first_version_nothing_can_be_recorded(tell: Tell) -> None:
    """Case 19."""
    here = tell(rate(1), effective="2026-02-01")
    refused = here.post("ann", "enrol", at="2026-01-31 23:59:59.999999", id="e-1", refused="unknown_program_version")
    assert refused.entries == []
    body = {"id": "ann", "enrolled_at": here.text("2026-01-15")}
    status, answered = here.call("POST", "/v1/members", body)
    assert (status, answered["code"]) == (409, "unknown_program_version")
    assert here.get("/v1/members?query=ann")["items"] == []
    here.enrol("ann", at="2026-02-01")
    here.buy("ann", "o", "10.00", at="2026-01-20", id="p-1", refused="unknown_program_version")
    assert here.buy("ann", "o", "10.00", at="2026-02-02", id="p-1").granted("base") == 10


def test_a_version_that_nobody_published_is_not_found(tell: Tell) -> None:
    """Case 19."""
    here = tell(rate(1))
    here.enrol("ann", at="2026-05-01")
    for number in ("2", "0", "one"):
        status, answered = here.call("GET", f"/v1/program/versions/{number}")
        assert (status, answered["code"]) == (404, "no_such_version")


# --- what was stored before it was declared ---


def test_an_attribute_stored_before_it_was_declared_reads_as_absent_where_it_is_of_another_type(tell: Tell) -> None:
    """It must not keep the member from everything that rules are asked about."""
    here = tell(shop())
    for member, visits in (("ann", "many"), ("bob", 7)):
        here.enrol(member, at="2026-03-01", attributes={"visits": visits})
    loyal = "{on: purchase, when: member.visits > 3, grant: {wallet: points, fixed: 5}}"
    here.publish(shop(campaigns=f"loyal: {loyal}", fields="member: {visits: {type: int, default: 0}}"), "2026-03-02")
    # ann's 0 by default is not more than 3, bob's 7 is: 10 of the base, and 5.
    assert here.buy("ann", "o-1", "10.00", at="2026-03-03").granted("base") == 10
    assert (here.points("ann")[0], here.buy("bob", "o-2", "10.00").granted("loyal")) == (10, 5)
