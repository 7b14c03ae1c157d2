"""Vouchers that points buy: by themselves where the member chose that, used at the till, taken back while unused."""

from tests.api.harness import Json
from tests.scenarios.document import shop
from tests.scenarios.story import Story, Tell
from tests.scenarios.test_rewards import redeem
from tests.scenarios.test_vouchers import read

TEN = "ten: {gives: {off: 10.00}, expires: {after: 30D}}"
TREAT = "treat: {gives: {voucher: ten}, price: {wallet: points, points: 100}, stock: 5, automatic: 150}"


def story(tell: Tell, rewards: str = TREAT) -> Story:
    here = tell(shop(vouchers=TEN, rewards=rewards))
    here.enrol("ann", at="2026-03-01 10:00")
    return here


def codes(grants: Json) -> list[str]:
    return [each["code"] for each in grants if each["kind"] == "voucher"]


def listed(here: Story) -> list[str]:
    """The codes of Ann's vouchers."""
    return [each["code"] for each in here.get("/v1/members/ann/vouchers")["items"]]


def left(here: Story) -> Json:
    return here.get("/v1/rewards")["items"][0]["stock"]["left"]


def test_points_become_a_voucher_at_a_threshold_where_the_member_chose_that_and_it_is_used(tell: Tell) -> None:
    here = story(tell)
    here.buy("ann", "o-1", "149.00")
    here.post("ann", "choice", {"reward": "treat", "automatic": True})
    assert listed(here) == []
    earned = here.buy("ann", "o-2", "1.00")
    (grant,) = [each for each in earned.json["grants"] if each["kind"] == "voucher"]
    assert (grant["voucher"], grant["reason"], here.local(grant["expires_at"])) == (
        "ten",
        "reward",
        "2026-03-31 10:00",
    )
    code = grant["code"]
    assert here.points("ann") == (50, 0, 0, 0)
    assert (read(here, code)["status"], left(here)) == ("issued", 4)
    used = here.buy("ann", "o-3", {"amount": "20.00", "discounts": [{"code": code, "amount": "10.00"}]})
    assert (used.granted("base"), read(here, code)["status"]) == (20, "redeemed")


def test_an_unused_voucher_is_taken_back_with_its_redemption(tell: Tell) -> None:
    here = story(tell)
    here.adjust("ann", 100)
    done = here._redemption("/v1/redemptions", {"id": "r", "member": "ann", "reward": "treat"}, None)
    assert done["status"] == "captured"
    (code,) = listed(here)
    assert (here.points("ann"), left(here)) == ((0, 0, 0, 0), 4)
    assert here.cancel("r")["status"] == "cancelled"
    assert (here.points("ann"), left(here)) == ((100, 0, 0, 0), 5)
    assert read(here, code)["status"] == "revoked"
    here.buy("ann", "o-1", "50.00", vouchers=[code], refused="voucher_revoked")
    here.cancel("r", refused="redemption_not_held")


def test_a_used_voucher_stands_until_its_purchase_is_returned(tell: Tell) -> None:
    here = story(tell)
    here.adjust("ann", 100)
    redeem(here, "treat", "r")
    (code,) = listed(here)
    line = {"amount": "20.00", "discounts": [{"code": code, "amount": "10.00"}]}
    here.buy("ann", "o-1", line)
    here.cancel("r", refused="voucher_redeemed")
    here.give_back("ann", "o-1")
    assert (read(here, code)["status"], here.points("ann")) == ("issued", (0, 0, 0, 0))
    here.cancel("r")
    assert (read(here, code)["status"], here.points("ann")) == ("revoked", (100, 0, 0, 0))


def test_a_held_redemption_gives_its_voucher_when_it_is_captured(tell: Tell) -> None:
    here = story(tell, "treat: {gives: {voucher: ten, count: 2}, price: {wallet: points, points: 100}, hold: 2D}")
    here.adjust("ann", 100)
    redeem(here, "treat", "r")
    assert listed(here) == []
    status, answer = here.call("POST", "/v1/redemptions/r/capture", {})
    assert status == 200
    assert sorted(codes(answer["activity"]["grants"])) == sorted(listed(here))
    assert len(listed(here)) == 2


def test_a_redemption_tells_the_codes_that_it_gave_whatever_became_of_them(tell: Tell) -> None:
    here = story(tell, "treat: {gives: {voucher: ten, count: 2}, price: {wallet: points, points: 100}}")
    here.adjust("ann", 300)
    done = redeem(here, "treat", "r-1")
    given = here.redemption("r-1")["given"]
    assert (sorted(given["vouchers"]), given["tickets"], given["value"]) == (sorted(listed(here)), None, None)
    assert done["given"] == given
    here.buy("ann", "o-1", "20.00", vouchers=[given["vouchers"][0]])
    assert here.redemption("r-1")["given"] == given
    redeem(here, "treat", "r-2")
    page = here.get("/v1/members/ann/redemptions?limit=1")
    (last,) = here.get(f"/v1/members/ann/redemptions?limit=1&cursor={page['next_cursor']}")["items"]
    assert {page["items"][0]["id"], last["id"]} == {"r-1", "r-2"}
    assert last == here.redemption(last["id"])
    assert here.call("GET", "/v1/members/nobody/redemptions")[1]["code"] == "no_such_member"
