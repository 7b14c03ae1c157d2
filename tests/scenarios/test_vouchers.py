"""Vouchers through the public interface: reserved, used, given back, taken back, passed on, in batches and in races."""

from __future__ import annotations

import pytest

from laurels.clock import RealClock
from laurels.core.case import Code
from laurels.core.code import canonical
from laurels.store import codes
from tests.api.harness import Json
from tests.scenarios.answer import Answer
from tests.scenarios.document import line, shop
from tests.scenarios.story import Story, Tell

TEN = "ten: {gives: {off: 10.00}, hold: 15MIN, expires: {after: 30D}, transferable: true}"
SPLIT = "ten: {gives: {off: 10.00}, on_return: split}"
GIFT = 'gift: {on: purchase, when: "purchase.total >= 100.00", grant: {voucher: ten}}'


def story(tell: Tell, vouchers: str = TEN, **parts: str) -> Story:
    """Ann and bob, and a program with these vouchers."""
    here = tell(shop(vouchers=vouchers, **parts))
    here.enrol("ann", at="2026-03-01 10:00")
    here.enrol("bob")
    return here


def given(here: Story, member: str = "ann", voucher: str = "ten") -> str:
    """The code of a voucher that a person gives."""
    (grant,) = here.post(member, "voucher_issue", {"voucher": voucher, "reason": "sorry"}).json["grants"]
    assert grant["kind"] == "voucher"
    code: str = grant["code"]
    return code


def read(here: Story, code: str) -> Json:
    return here.get(f"/v1/vouchers/{code}")


def reserve(here: Story, code: str, order: str, member: str = "ann", refused: str | None = None) -> Answer:
    return here.post(member, "voucher_reserve", {"code": code, "order": order}, refused=refused)


def parted(answer: Answer) -> Json:
    """The voucher that a return gave, beside the discount that it brought back."""
    (part,) = [grant for grant in answer.json["grants"] if grant["kind"] == "voucher"]
    return part


def off(code: str, amount: str) -> list[dict[str, Json]]:
    return [{"code": code, "amount": amount}]


def test_a_voucher_that_a_checkout_reserved_and_never_came_back_for_is_free_again_when_its_time_is_over(
    tell: Tell,
) -> None:
    here = story(tell)
    code = given(here)
    reserve(here, code, "o-1")
    assert read(here, code)["status"] == "reserved"
    here.buy("ann", "o-2", "40.00", vouchers=[code], refused="voucher_reserved")
    (said,) = here.quote("ann", "40.00", vouchers=[code]).json["prices"]["vouchers"]
    assert (said["applied"], said["text"]["zh-CN"]) == (False, "该优惠券已被其他订单锁定。")
    here.drift("2026-03-01 10:15")
    (said,) = here.quote("ann", "40.00", vouchers=[code]).json["prices"]["vouchers"]
    assert (said["applied"], said["text"]["zh-CN"]) == (True, "优惠 10.00。")
    # Nobody looked at ann since; reading and judging say the same.
    assert read(here, code)["status"] == "issued"
    here.buy("ann", "o-2", "40.00", vouchers=[code])
    found = read(here, code)
    assert (found["status"], found["order"], found["member"]) == ("redeemed", "o-2", "ann")
    here.buy("ann", "o-3", "40.00", vouchers=[code], refused="voucher_redeemed")


def test_a_voucher_comes_back_only_when_its_whole_order_is_returned(tell: Tell) -> None:
    here = story(tell)
    code = given(here)
    here.buy("ann", "o-1", line("30.00", discounts=off(code, "7.50")), line("10.00", discounts=off(code, "2.50")))
    assert read(here, code)["took_off"] == {"amount": "10.00", "currency": "CNY"}
    here.give_back("ann", "o-1", "1")
    assert read(here, code)["status"] == "redeemed"
    here.give_back("ann", "o-1", "2")
    assert read(here, code)["status"] == "issued"
    here.buy("ann", "o-2", "40.00", vouchers=[code])


@pytest.mark.parametrize(
    ("grace", "status", "until", "said"),
    [
        ("", "expired", None, "退回时已过期，已失效。"),
        (", restore_grace: 14D", "graced", "2026-04-19 10:00", "退回时已过期，按宽限期继续有效。"),
    ],
)
def test_the_outcome_says_of_a_voucher_that_comes_back_too_late_whether_it_was_restored(
    tell: Tell, grace: str, status: str, until: str | None, said: str
) -> None:
    here = story(tell, f"ten: {{gives: {{off: 10.00}}, expires: {{after: 30D}}{grace}}}")
    code, intime = given(here), given(here)
    here.buy("ann", "o-1", "40.00", vouchers=[code])
    here.buy("ann", "o-2", "40.00", vouchers=[intime])
    restored = here.give_back("ann", "o-2", at="2026-03-05 10:00")
    assert [each["status"] for each in restored.json["grants"] if each["kind"] == "voucher_back"] == ["restored"]
    back = here.give_back("ann", "o-1", at="2026-04-05 10:00")
    (told,) = [each for each in back.json["grants"] if each["kind"] == "voucher_back"]
    assert (told["code"], told["status"], here.local(told["until"])) == (code, status, until)
    (why,) = here.explanation("ann", back.json["id"])["returned"]["vouchers"]
    assert why["text"]["zh-CN"] == said
    assert read(here, code)["status"] == ("expired" if until is None else "issued")


def test_a_gift_that_comes_back_after_its_own_order_did_is_said_to_be_taken_back(tell: Tell) -> None:
    here = story(tell, campaigns=GIFT)
    (gift,) = [each for each in here.buy("ann", "o-1", "100.00").json["grants"] if each["kind"] == "voucher"]
    here.buy("ann", "o-2", "40.00", vouchers=[gift["code"]])
    here.give_back("ann", "o-1")
    back = here.give_back("ann", "o-2")
    (told,) = [each for each in back.json["grants"] if each["kind"] == "voucher_back"]
    assert (told["code"], told["status"], told["until"]) == (gift["code"], "revoked", None)
    (why,) = here.explanation("ann", back.json["id"])["returned"]["vouchers"]
    assert why["text"]["zh-CN"] == "赠送此券的订单也已退货，券已收回。"
    assert read(here, gift["code"])["status"] == "revoked"


def test_what_a_return_split_off_a_gift_is_taken_back_with_the_gifts_order(tell: Tell) -> None:
    here = story(tell, SPLIT, campaigns=GIFT)
    (gift,) = [each for each in here.buy("ann", "o-1", "100.00").json["grants"] if each["kind"] == "voucher"]
    half: Json = {"amount": "20.00", "discounts": [{"code": gift["code"], "amount": "5.00"}]}
    here.buy("ann", "o-2", half, half)
    back = here.give_back("ann", "o-2", "1")
    (told,) = [each for each in back.json["grants"] if each["kind"] == "voucher"]
    assert read(here, told["code"])["status"] == "issued"
    here.give_back("ann", "o-1")
    assert read(here, told["code"])["status"] == "revoked"
    here.buy("ann", "o-3", "20.00", vouchers=[told["code"]], refused="voucher_revoked")


def test_by_the_split_choice_a_partial_return_gives_back_its_share_as_a_new_voucher(tell: Tell) -> None:
    here = story(tell, SPLIT)
    code = given(here)
    here.buy("ann", "o-1", line("30.00", discounts=off(code, "7.50")), line("10.00", discounts=off(code, "2.50")))
    part = parted(here.give_back("ann", "o-1", "2"))
    assert part["reason"] == "split"
    found = read(here, part["code"])
    assert (found["worth"], found["status"]) == ({"amount": "2.50", "currency": "CNY"}, "issued")
    rest = parted(here.give_back("ann", "o-1", "1"))
    assert read(here, rest["code"])["worth"]["amount"] == "7.50"
    assert read(here, code)["status"] == "redeemed"
    listed = here.get("/v1/members/ann/vouchers")["items"]
    assert {each["code"] for each in listed} == {code, part["code"], rest["code"]}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ('when: "purchase.total >= 50.00"', "voucher_condition_not_met"),
        ("lines: 'has(line.category) && line.category == \"tea\"'", "voucher_no_lines"),
        ("during: {from: 2026-04-01}", "voucher_not_yet"),
        ("expires: {until: 2026-02-28}", "voucher_expired"),
    ],
)
def test_a_quote_says_why_a_voucher_cannot_be_used_and_so_does_the_purchase(tell: Tell, words: str, code: str) -> None:
    here = story(tell, f"ten: {{gives: {{off: 10.00}}, {words}}}")
    voucher = given(here)
    cart = {"lines": [{"line": "1", "amount": "40.00"}], "vouchers": [voucher]}
    _status, quoted = here.call("POST", "/v1/quotes", {"member": "ann", "data": cart})
    (said,) = quoted["prices"]["vouchers"]
    assert (said["voucher"], said["applied"], said["reason"]) == ("ten", False, code)
    assert said["text"]["en"]
    assert said["text"]["zh-CN"]
    here.buy("ann", "o-1", "40.00", vouchers=[voucher], refused=code)


def test_a_campaigns_voucher_is_taken_back_when_unused_and_its_condition_no_longer_holds(tell: Tell) -> None:
    here = story(tell, campaigns=GIFT)
    (grant,) = here.buy("ann", "o-1", "80.00", "40.00").json["grants"]
    assert grant["campaign"] == "gift"
    here.give_back("ann", "o-1", "2")
    found = read(here, grant["code"])
    assert (found["status"], found["ended_by"]) == ("revoked", "returned")
    assert here.buy("ann", "o-2", "80.00").json["grants"] == []


def test_an_explanation_says_in_both_languages_how_a_voucher_came_to_the_member(tell: Tell) -> None:
    here = story(tell, TEN.replace("gives", "name: {en: Ten off, zh-CN: 十元券}, gives"), campaigns=GIFT)
    bought = here.buy("ann", "o-1", "120.00").json
    person = here.post("ann", "voucher_issue", {"voucher": "ten"}).json
    for answer, en, zh in (
        (bought, 'A campaign gave the voucher "Ten off".', "营销活动赠送优惠券「十元券」。"),
        (person, 'A person gave the voucher "Ten off".', "人工发放优惠券「十元券」。"),
    ):
        (grant,) = answer["grants"]
        assert here.explanation("ann", answer["id"])["grants"] == [{**grant, "text": {"en": en, "zh-CN": zh}}]
    here.publish(shop(vouchers="other: {gives: {off: 1.00}}", campaigns=""))
    (grant,) = here.explanation("ann", bought["id"])["grants"]
    assert grant["text"]["en"] == 'A campaign gave the voucher "Ten off".'


def test_a_quote_gives_no_code_away(tell: Tell) -> None:
    here = story(tell, campaigns=GIFT)
    quoted = here.quote("ann", "120.00").json
    assert [(grant["voucher"], grant["code"]) for grant in quoted["grants"]] == [("ten", None)]
    assert here.get("/v1/members/ann/vouchers")["items"] == []


def test_a_voucher_that_is_passed_on_is_the_other_members_and_one_that_cannot_arrive_comes_back(tell: Tell) -> None:
    here = story(tell)
    code = given(here)
    status, saved = here.call("POST", f"/v1/vouchers/{code}/transfer", {"to": "bob"})
    assert status == 200, saved
    assert saved["activity"]["follow_ups"][0]["status"] == "accepted"
    assert (saved["voucher"]["member"], saved["voucher"]["status"]) == ("bob", "issued")
    here.buy("ann", "o-1", "40.00", vouchers=[code], refused="voucher_transferred")
    status, saved = here.call("POST", f"/v1/vouchers/{code}/transfer", {"to": "nobody"})
    assert saved["activity"]["follow_ups"][0]["compensated"]
    assert (saved["voucher"]["member"], saved["voucher"]["status"]) == ("bob", "issued")
    here.buy("bob", "p-1", "40.00", vouchers=[code])


def test_a_voucher_that_a_person_took_away_is_refused_with_the_reason(tell: Tell) -> None:
    here = story(tell)
    code = given(here)
    status, saved = here.call("POST", f"/v1/vouchers/{code}/revoke", {"reason": "by mistake"})
    assert (status, saved["voucher"]["status"], saved["voucher"]["ended_by"]) == (200, "revoked", "person")
    here.buy("ann", "o-1", "40.00", vouchers=[code], refused="voucher_revoked")
    assert here.call("POST", f"/v1/vouchers/{code}/revoke", {})[1]["code"] == "voucher_revoked"
    assert here.call("GET", "/v1/vouchers/nonsense")[1]["code"] == "no_such_voucher"


def listed(here: Story, *rows: str, uses: int | None = 1, batch: str = "leaflets") -> None:
    """Codes from a list, which anybody may take."""
    database, clock = here.house.here.running.database, RealClock()

    async def take_in() -> None:
        await codes.begin_batch(database, clock, here.program, batch, "ten", wanted=None, uses=uses)
        await codes.import_codes(database, clock, here.program, batch, rows)

    here.house.run(take_in())


def test_a_version_that_shares_a_code_of_a_batch_is_warned_of_before_it_is_published(tell: Tell) -> None:
    here = story(tell)
    listed(here, "SAVE1", "SAVE2")
    kinds = "\nsave: {gives: {percent: 5%}, code: [SAVE1, SAVE3]}"
    body = shop(vouchers=TEN + kinds)
    _status, planned = here.call("POST", "/v1/program/plan", {"document": here.document(body)})
    assert planned["ok"]
    assert [(each["code"], each["severity"]) for each in planned["findings"]] == [("code_in_batch", "warning")]
    assert planned["findings"] == here.publish(body)["findings"]


def test_of_two_members_who_use_one_code_at_once_one_gets_it(tell: Tell) -> None:
    here = story(tell)
    listed(here, *[f"LEAF-{n}" for n in range(6)])
    for n in range(6):
        requests = [
            ("/v1/activities", here.activity(who, "purchase", {
                "order": f"{who}-{n}", "lines": [{"line": "1", "amount": "40.00"}], "vouchers": [f"leaf{n}"],
            })) for who in ("ann", "bob")
        ]  # fmt: skip
        answers = here.at_once(*requests)
        said = sorted((body["status"], (body["refusal"] or {}).get("code")) for _status, body in answers)
        assert said == [("accepted", None), ("refused", "voucher_taken")]
        assert read(here, f"LEAF{n}")["status"] == "redeemed"


def test_a_listed_code_with_two_uses_is_used_twice_whoever_comes_at_once(tell: Tell) -> None:
    here = story(tell)
    listed(here, "STAR", uses=2)
    requests = [
        ("/v1/activities", here.activity(who, "purchase", {
            "order": f"{who}-{n}", "lines": [{"line": "1", "amount": "40.00"}], "vouchers": ["star"],
        })) for n in range(4) for who in ("ann", "bob")
    ]  # fmt: skip
    answers = here.at_once(*requests)
    assert sorted(body["status"] for _status, body in answers) == ["accepted"] * 2 + ["refused"] * 6


# --- a batch that is revoked ------------------------------------------------------------------------------------------


def revoke(here: Story, batch: str = "leaflets", reason: str = "the list leaked") -> Json:
    status, found = here.call("POST", f"/v1/voucher_batches/{batch}/revoke", {"reason": reason})
    assert status == 200, found
    return found


def test_codes_of_a_revoked_batch_that_nobody_used_are_void_and_the_used_ones_stay(tell: Tell) -> None:
    here = story(tell)
    listed(here, "USED-1", "CLAIMED-1", "KEPT-1", "OPEN-1")
    listed(here, "OTHER-1", batch="others")
    here.buy("ann", "o-1", "40.00", vouchers=["used1"])
    here.post("ann", "voucher_claim", {"code": "claimed1"})
    reserve(here, "kept1", "o-2")
    here.clock("2026-03-01 10:05")
    done = revoke(here)["revoked"]
    assert (here.local(done["revoked_at"]), done["source"], done["reason"]) == (
        "2026-03-01 10:05",
        "pos",
        "the list leaked",
    )
    here.clock("2026-03-01 10:10")
    assert revoke(here, reason="again")["revoked"] == done, "it is revoked once"
    assert here.get("/v1/voucher_batches/leaflets")["revoked"] == done
    # A quote says why, in both languages, and the purchase is refused with the same.
    for code in ("open1", "claimed1"):
        (said,) = here.quote("ann", "40.00", vouchers=[code]).json["prices"]["vouchers"]
        assert (said["applied"], said["reason"]) == (False, "voucher_revoked")
        assert said["text"] == {"en": "The voucher was taken back.", "zh-CN": "该优惠券已被收回。"}
        here.buy("ann", "o-3", "40.00", vouchers=[code], refused="voucher_revoked")
        reserve(here, code, "o-3", refused="voucher_revoked")
    here.post("bob", "voucher_claim", {"code": "open1"}, refused="voucher_revoked")
    here.post("ann", "voucher_transfer", {"code": "claimed1", "to": "bob"}, refused="voucher_revoked")
    assert [read(here, code)["status"] for code in ("used1", "open1", "claimed1", "other1")] == [
        "redeemed",
        "revoked",
        "revoked",
        "open",
    ]
    held = {each["code"]: (each["status"], each["ended_by"]) for each in here.get("/v1/members/ann/vouchers")["items"]}
    assert held["CLAIMED1"] == ("revoked", "batch")
    # The checkout that had reserved one is in flight: it may use it, and nobody after it lets go.
    here.buy("ann", "o-2", "40.00", vouchers=["kept1"])
    # What was used comes back with its order, and is unused then.
    here.give_back("ann", "o-1")
    here.buy("ann", "o-4", "40.00", vouchers=["used1"], refused="voucher_revoked")
    here.buy("bob", "p-1", "40.00", vouchers=["other1"])
    assert here.call("POST", "/v1/voucher_batches/none/revoke", {"reason": "x"})[1]["code"] == "no_such_batch"


def test_of_a_revocation_and_orders_that_use_its_codes_each_order_comes_before_it_or_is_refused(tell: Tell) -> None:
    here = story(tell)
    listed(here, *[f"RACE-{n}" for n in range(12)])

    def use(n: int) -> tuple[str, Json]:
        who = ("ann", "bob")[n % 2]
        order = {"order": f"{who}-{n}", "lines": [{"line": "1", "amount": "40.00"}], "vouchers": [f"race{n}"]}
        return ("/v1/activities", here.activity(who, "purchase", order))

    answers = here.at_once(
        *[use(n) for n in range(5)],
        ("/v1/voucher_batches/leaflets/revoke", {"reason": "leaked"}),
        *[use(n) for n in range(5, 10)],
    )
    used = {body["status"]: (body["refusal"] or {}).get("code") for _status, body in answers if "refusal" in body}
    assert used.items() <= {("accepted", None), ("refused", "voucher_revoked")}
    for n, (_status, body) in enumerate([each for each in answers if "refusal" in each[1]]):
        assert read(here, f"RACE{n}")["status"] == ("redeemed" if body["status"] == "accepted" else "revoked")
    # Whatever came first, nothing is used afterwards.
    assert here.call("POST", *use(10))[1]["code"] == "voucher_revoked"


def test_a_budget_of_vouchers_is_never_exceeded_whoever_comes_at_once(tell: Tell) -> None:
    here = story(tell, "ten: {gives: {off: 10.00}, limits: [{budget: times, of: 3}]}")
    pairs = [(who, n, given(here, who)) for n in range(4) for who in ("ann", "bob")]
    requests = [
        ("/v1/activities", here.activity(who, "voucher_reserve", {"code": code, "order": f"{who}-{n}"}))
        for who, n, code in pairs
    ]
    answers = here.at_once(*requests)
    assert sorted(body["status"] for _status, body in answers) == ["accepted"] * 3 + ["refused"] * 5


def test_a_batch_that_is_asked_for_is_made_once_and_its_codes_are_nobodys(tell: Tell) -> None:
    here = story(tell)
    wanted = {"id": "spring", "voucher": "ten", "count": 250}
    status, begun = here.call("POST", "/v1/voucher_batches", wanted)
    assert (status, begun["made"], begun["finished_at"]) == (202, 0, None)
    assert here.call("POST", "/v1/voucher_batches", {**wanted, "count": 300})[1]["code"] == "batch_conflict"
    assert here.call("POST", "/v1/voucher_batches", {**wanted, "voucher": "no"})[1]["code"] == "unknown_voucher"
    running = here.house.here.running
    here.house.run(codes.generate(running.database, RealClock(), here.program, "spring"))
    assert here.call("POST", "/v1/voucher_batches", wanted)[1]["made"] == 250
    found = here.get("/v1/voucher_batches/spring")
    assert found["made"] == 250
    assert found["finished_at"] is not None
    page = here.get("/v1/voucher_batches/spring/codes?limit=200")
    more = here.get(f"/v1/voucher_batches/spring/codes?limit=200&cursor={page['next_cursor']}")
    made = [each["code"] for each in (*page["items"], *more["items"])]
    assert len(set(made)) == 250
    code = made[7]
    assert (read(here, code)["status"], read(here, code)["member"]) == ("open", None)
    here.buy("ann", "o-1", "40.00", vouchers=[code.lower()])
    here.buy("bob", "p-1", "40.00", vouchers=[code], refused="voucher_taken")
    assert [each["taken"] for each in here.get("/v1/voucher_batches/spring/codes?limit=200")["items"]].count(1) == 1


def test_a_batch_that_was_interrupted_goes_on_where_it_stopped(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    here = story(tell)
    database, clock = here.house.here.running.database, RealClock()
    monkeypatch.setattr(codes, "SHARE", 100)

    def stop(made: int) -> None:
        if made == 200:
            raise KeyboardInterrupt

    async def interrupted() -> tuple[list[str], list[str]]:
        await codes.begin_batch(database, clock, here.program, "b", "ten", wanted=350)
        with pytest.raises(KeyboardInterrupt):
            await codes.generate(database, clock, here.program, "b", stop)
        before = [code for code, _ in await codes.codes_of_batch(database, here.program, 1)]
        done = await codes.generate(database, clock, here.program, "b")
        assert (done.made, done.seed) == (350, None)
        return before, [code for code, _ in await codes.codes_of_batch(database, here.program, 1)]

    before, after = here.house.run(interrupted())
    assert (len(before), len(set(after))) == (200, 350)
    assert set(before) < set(after)


def test_a_list_is_taken_in_once_and_what_is_no_code_or_there_already_is_counted(tell: Tell) -> None:
    here = story(tell)
    database, clock = here.house.here.running.database, RealClock()

    async def take_in() -> None:
        await codes.begin_batch(database, clock, here.program, "a", "ten", wanted=None)
        rows = ["SAVE-1", "save1", "", "SAVE2", "双十一-100"]
        batch, counted = await codes.import_codes(database, clock, here.program, "a", rows)
        assert (counted.codes, counted.repeated, counted.unreadable, batch.made) == (3, 1, 1, 3)
        _again, counted = await codes.import_codes(database, clock, here.program, "a", rows)
        assert counted.codes == 0
        async with database.pool.acquire() as connection:
            found = await codes.read_codes(connection, here.program, [canonical("双十一 100"), "NONE"])
        assert found == {"双十一100": Code("ten")}

    here.house.run(take_in())


def test_a_code_that_anybody_may_use_is_open_and_used_so_often_as_its_limits_say(tell: Tell) -> None:
    here = story(tell, "hello: {gives: {percent: 10%}, code: HELLO10, limits: [{every: lifetime, times: 1}]}")
    assert read(here, "hello-10")["status"] == "open"
    here.buy("ann", "o-1", "40.00", vouchers=["hello10"])
    here.buy("ann", "o-2", "40.00", vouchers=["hello10"], refused="voucher_limit_reached")
    here.buy("bob", "p-1", "40.00", vouchers=["Hello 10"])
    back = here.give_back("ann", "o-1")
    (use,) = here.explanation("ann", back.json["id"])["returned"]["vouchers"]
    # It was never hers alone, so that she does not have it again.
    assert (use["code"], use["status"], use["text"]["zh-CN"]) == (
        "HELLO10",
        "use_restored",
        "通用券码，本次使用不再计入次数。",
    )
    here.buy("ann", "o-2", "40.00", vouchers=["hello10"])


def test_a_plan_says_whom_it_takes_vouchers_from(tell: Tell) -> None:
    here = story(tell)
    given(here)
    change = here.plan(shop())["/vouchers/ten"]
    assert (change["takes_away"], change["members"]) == (True, 1)
