"""A year at the corner café, told through the interface alone, every answer compared with its golden file.

The examples in `openapi.json` are the first answers of this story.
"""

import json
from typing import Any

import pytest

from laurels.api.openapi import OPERATIONS
from laurels.core.draw_record import verify
from laurels.store import codes
from tests.api.golden import EXAMPLES, FOLDER, compare, stale
from tests.api.harness import PROGRAM, Api, activity, api, purchase, route_of
from tests.stage import asynchronous

NAME = "{en: A wheel, zh-CN: 转盘}"
TURNS = "  turns: {on: check_in, grant: {tickets: wheel}}\n\n"
WHEEL = f"""
draws:
  wheel:
    name: {NAME}
    kind: instant
    opens: 2026-04-04
    closes: 2026-04-06
    claim: 30D
    prizes: {{mug: {{name: {NAME}, value: 5, quantity: 10, odds: 1/1}}}}
    rules: {{time: {NAME}, method: {NAME}, claim: {NAME}, forfeiture: {NAME}}}
"""

NAMES = {operation.route: operation.name for operation in OPERATIONS}


class Story:
    """Steps with their golden files, and the first good answer of every operation."""

    def __init__(self, here: Api) -> None:
        self.here = here
        self.files: set[str] = set()
        self.examples: dict[str, Any] = {}

    async def step(
        self, name: str, method: str, path: str, body: Any = None, *, status: int = 200, key: str | None = None
    ) -> Any:
        """One request, whose answer is the golden one."""
        answered = await self.here.call(method, path, body, key=key)
        answer = answered.json() if answered.content else None
        assert answered.status_code == status, answered.text
        file = f"{len(self.files) + 1:02}-{name}.json"
        self.files.add(file)
        request = {"method": method, "path": path} | ({} if body is None else {"body": body})
        compare(FOLDER / file, {"request": request, "status": status, "answer": answer})
        operation = NAMES[f"{method} {route_of(path)}"]
        if status < 300 and operation not in self.examples:
            example = {} if body is None else {"request": body}
            self.examples[operation] = example if answer is None else {**example, "answer": answer}
        return answer


async def _take_in(here: Api, rows: list[str]) -> None:
    database, clock = here.running.database, here.clock
    await codes.begin_batch(database, clock, "cafe", "leaflets", "coffee", wanted=None)
    await codes.import_codes(database, clock, "cafe", "leaflets", rows)


@asynchronous
async def test_year_at_the_corner_cafe(laurels_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with api(laurels_url, document=None) as here:
        story = Story(here)
        step = story.step
        await step("document-with-mistakes", "POST", "/v1/program/check", {"document": "program: cafe\nwalets: {}\n"})
        await step("published", "POST", "/v1/program/versions", {"document": PROGRAM}, status=201, key="publish-1")

        await step(
            "enrolled",
            "POST",
            "/v1/members",
            {
                "id": "m-1",
                "enrolled_at": "2026-01-05T09:00:00+08:00",
                "attributes": {"favourite_drink": "flat white", "birthday_month": 5},
                "profile": {"name": "Li Wen", "phone": "+86 138 0000 0000", "email": "Wen@example.com",
                            "birth_date": "1990-05-17", "locale": "zh-CN", "time_zone": "Asia/Shanghai"},
                "identifiers": [{"kind": "phone", "value": "+86 138 0000 0000"}, {"kind": "card", "value": "C-77"}],
            },
            status=201,
            key="enrol-1",
        )  # fmt: skip
        await step(
            "second-member",
            "POST",
            "/v1/members",
            {"id": "m-2", "enrolled_at": "2026-01-05T09:30:00+08:00"},
            status=201,
            key="enrol-2",
        )

        # base: floor(39.80 + 80.00) = 119. Line 1 has 119 x 39.80 / 119.80 = 39.53, line 2 has 79.47: the larger
        # remainder makes it 40 + 79. beans doubles line 2: 79 wanted, 50 granted, the limit of a day. winter: 20.
        bought = await step(
            "purchase-by-phone",
            "POST",
            "/v1/activities",
            {
                "source": "pos",
                "id": "r-1001",
                "type": "purchase",
                "identifier": {"kind": "phone", "value": "+8613800000000"},
                "occurred_at": "2026-01-20T10:00:00+08:00",
                "data": {
                    "order": "o-1001",
                    "currency": "CNY",
                    "store": "s-7",
                    "channel": "store",
                    "lines": [
                        {"line": "1", "sku": "A", "category": "coffee", "quantity": "2", "amount": "39.80"},
                        {"line": "2", "sku": "B", "category": "beans", "quantity": "1", "amount": "80.00"},
                    ],
                    "tenders": [{"kind": "cash", "amount": "119.80"}],
                },
            },
        )
        by_campaign = {entry["campaign"]: entry["points"] for entry in bought["entries"] if entry["campaign"]}
        assert by_campaign == {"base": 119, "growing": 119, "beans": 50, "winter": 20}
        assert bought["balances"]["points"] == {"available": 100, "pending": 189, "held": 0, "debt": 0}

        # 250.00 more: 369 growth passes 300, so the member rises to silver; this order still earned as a member.
        second = activity(
            "purchase", "r-1002", "m-1", purchase("o-1002", ("coffee", "250.00")), "2026-02-10T10:00:00+08:00"
        )
        risen = await step("rises-to-silver", "POST", "/v1/activities", second)
        assert risen["tiers"] == {"membership": {"tier": "silver", "changed": True}}
        # base 10, silver multiplies points by 1.5: a bonus of 5 that names the campaign and the tier.
        batch = [
            activity("purchase", "r-1003", "m-1", purchase("o-1003", ("coffee", "10.00")), "2026-03-03T10:00:00+08:00"),
            second,
            {"id": "r-1004", "type": "purchase", "member": "m-1", "occurred_at": "yesterday", "data": {}},
            activity("purchase", "r-1005", "m-1", {"order": "o-1005", "lines": [{"line": "1", "amount": "1.005"}]}),
            activity("purchase", "r-1006", "nobody", purchase("o-1006", ("coffee", "10.00"))),
            activity("custom.recycled", "r-1007", "m-1", {"kilograms": "1.5", "note": "a kind word"}),
        ]
        mixed = await step("mixed-batch", "POST", "/v1/activities", {"activities": batch})
        statuses = [item["status"] for item in mixed["activities"]]
        assert statuses == ["accepted", "replayed", "invalid", "invalid", "refused", "accepted"]
        bonuses = [entry for entry in mixed["activities"][0]["entries"] if entry["rule"]]
        assert [(each["campaign"], each["rule"], each["points"]) for each in bonuses] == [
            ("base", "membership.silver", 5)
        ]

        refused = activity("purchase", "r-1008", "m-1", purchase("o-1001", ("coffee", "1.00")))
        await step("order-comes-twice", "POST", "/v1/activities", refused, status=409)
        no_such_line = {"order": "o-1001", "lines": [{"line": "9"}]}
        await step("unfit", "POST", "/v1/activities", activity("return", "r-1009", "m-1", no_such_line), status=409)

        # Line 2 comes back with all that it earned: 79 of base, 50 of beans, 79 of growing; winter stays.
        returned = await step(
            "return-of-a-line",
            "POST",
            "/v1/activities",
            activity(
                "return",
                "r-1010",
                "m-1",
                {"order": "o-1001", "lines": [{"line": "2", "quantity": "1", "amount": "80.00"}]},
                "2026-03-04T10:00:00+08:00",
            ),
        )
        taken = {entry["campaign"]: entry["points"] for entry in returned["entries"] if entry["kind"] == "reversal"}
        assert taken == {"base": -79, "beans": -50, "growing": -79}

        await step("clock", "POST", "/v1/clock", {"now": "2026-04-01T00:00:00+08:00"}, key="clock-1")
        balances = await step("balances", "GET", "/v1/members/m-1/balances")
        for wallet in balances["wallets"].values():
            assert sum(each["points"] for each in wallet["expiring"]) == wallet["available"] + wallet["held"]
        await step("tiers", "GET", "/v1/members/m-1/tiers")

        hold = {"id": "red-1", "member": "m-1", "wallet": "points", "points": 200}
        await step("hold", "POST", "/v1/redemptions", hold, status=201, key="hold-1")
        await step("hold-again", "POST", "/v1/redemptions", hold, status=201)
        await step("another-hold-under-its-id", "POST", "/v1/redemptions", {**hold, "points": 100}, status=409)
        await step("held", "GET", "/v1/redemptions/red-1")
        await step("capture", "POST", "/v1/redemptions/red-1/capture", {"points": 100}, key="capture-1")
        await step("hold-more", "POST", "/v1/redemptions", {**hold, "id": "red-2", "points": 100}, status=201)
        await step("cancel", "POST", "/v1/redemptions/red-2/cancel", {}, key="cancel-1")

        sent = activity(
            "transfer", "r-1011", "m-1", {"to": "m-2", "wallet": "points", "points": 50}, "2026-04-02T10:00:00+08:00"
        )
        moved = await step("transfer", "POST", "/v1/activities", sent)
        assert moved["follow_ups"] == [{"member": "m-2", "status": "accepted", "refusal": None, "compensated": False}]

        quote = {"id": "cart-1", "member": "m-1", "data": {"lines": [{"line": "1", "amount": "20.00"}]}}
        await step("quote", "POST", "/v1/quotes", quote)
        change = {"attributes": {"favourite_drink": "mocha"}, "profile": {"email": None, "name": "Li Wenwen"}}
        await step("changed", "PATCH", "/v1/members/m-1", change, key="change-1")
        await step("member", "GET", "/v1/members/m-1")
        await step("found", "GET", "/v1/members?query=li&limit=1")
        await step("all-members", "GET", "/v1/members?limit=1")
        await step("journal", "GET", "/v1/members/m-1/journal?limit=10")
        await step("journal-of-growth", "GET", "/v1/members/m-1/journal?wallet=growth&limit=2")
        await step("why-the-purchase", "GET", "/v1/members/m-1/explanations/pos/r-1001")
        await step("why-the-return", "GET", "/v1/members/m-1/explanations/pos/r-1010")
        await step("why-silver", "GET", "/v1/members/m-1/explanations/pos/r-1002")

        # Codes of a list are nobody's until somebody names one; those of a batch are made of chance, by a worker.
        await _take_in(here, ["COFFEE-1", "COFFEE-2"])
        wanted = {"id": "spring", "voucher": "coffee", "count": 1000}
        await step("codes-asked-for", "POST", "/v1/voucher_batches", wanted, status=202, key="batch-1")
        await step("batch-of-codes", "GET", "/v1/voucher_batches/leaflets")
        await step("codes", "GET", "/v1/voucher_batches/leaflets/codes")
        await step("code-of-nobody", "GET", "/v1/vouchers/coffee2")
        for n in (1, 2):
            claim = activity("voucher_claim", f"r-102{n}", "m-1", {"code": f"coffee-{n}"}, "2026-04-02T11:00:00+08:00")
            await step(f"claims-code-{n}", "POST", "/v1/activities", claim)
        used = {**purchase("o-1020", ("coffee", "30.00")), "vouchers": ["COFFEE1"]}
        await step("voucher-used", "POST", "/v1/activities", activity("purchase", "r-1023", "m-1", used))
        await step("voucher", "GET", "/v1/vouchers/COFFEE1")
        twice = {**purchase("o-1021", ("coffee", "30.00")), "vouchers": ["COFFEE1"]}
        await step("used-twice", "POST", "/v1/activities", activity("purchase", "r-1024", "m-1", twice), status=409)
        await step("passed-on", "POST", "/v1/vouchers/COFFEE2/transfer", {"to": "m-2"}, key="pass-1")
        await step("vouchers", "GET", "/v1/members/m-1/vouchers")
        await step("taken-away", "POST", "/v1/vouchers/COFFEE2/revoke", {"reason": "by mistake"}, key="revoke-1")

        # The threshold of silver goes from 300 to 400, which nobody below silver is between. Points now expire after
        # 6 months instead of 12: m-1 and m-2 have some.
        stricter = PROGRAM.replace("enter: 300", "enter: 400").replace("after: 12M", "after: 6M")
        planned = await step("plan", "POST", "/v1/program/plan", {"document": stricter})
        assert {change["path"]: change["members"] for change in planned["changes"]}["/wallets/points/expires"] == 2
        faulty = PROGRAM.replace("wallet: points, fixed: 5", "wallet: pionts, fixed: 5")
        await step("faulty-document", "POST", "/v1/program/versions", {"document": faulty}, status=422)
        await step("published-again", "POST", "/v1/program/versions", {"document": stricter}, status=201)
        await step("versions", "GET", "/v1/program/versions?limit=1")
        await step("version", "GET", "/v1/program/versions/2")
        await step("program", "GET", "/v1/program")

        await step("personal-data", "GET", "/v1/members/m-1/personal_data?limit=3")
        await step("erased", "DELETE", "/v1/members/m-1", status=204)
        await step("member-erased", "GET", "/v1/members/m-1")
        after = activity("check_in", "r-1012", "m-1", {}, "2026-04-03T10:00:00+08:00")
        await step("nothing-more-is-recorded", "POST", "/v1/activities", after, status=409)
        await step("ready", "GET", "/readyz")

        await step("catalogue", "GET", "/v1/rewards?limit=2")
        redeem = {"id": "rew-1", "member": "m-2", "reward": "mug", "pay": {"points": 30}}
        bought = await step("redeem-a-mug", "POST", "/v1/redemptions", redeem, status=201, key="mug-1")
        # A mug costs 40 points; the other 10 are 1.20.
        assert bought["redemption"]["cash"] == {"amount": "1.20", "currency": "CNY"}
        parcel = {"state": "shipped", "carrier": "post", "tracking": "RR123456785CN"}
        await step("the-mug-is-sent", "POST", "/v1/redemptions/rew-1/fulfilment", parcel, key="sent-1")
        tree = {"id": "rew-2", "member": "m-2", "reward": "tree"}
        await step("points-for-a-tree", "POST", "/v1/redemptions", tree, status=201, key="tree-1")
        await step("causes", "GET", "/v1/causes")
        counted = {"by": -1, "reason": "One was broken."}
        await step("stock-put-right", "POST", "/v1/rewards/mug/stock", counted, key="stock-1")
        theirs = await step("within-reach", "GET", "/v1/members/m-2/rewards")
        reachable = {each["id"]: each["within_reach"] for each in theirs["items"]}
        assert reachable == {
            "mug": True, "tree": False, "seat": False, "gold_month": True, "summer": False, "flight": False,
            "silver_month": False,
        }  # fmt: skip

        # Seeds that are always the same, so that the answers are.
        monkeypatch.setattr("laurels.store.draw_announcing.secrets.token_bytes", lambda count: bytes(range(count)))
        turning = stricter.replace("causes:\n", TURNS + "causes:\n", 1) + WHEEL
        await step("published-with-a-draw", "POST", "/v1/program/versions", {"document": turning}, status=201)
        for n in (1, 2):
            sent = activity("check_in", f"r-103{n}", "m-2", {}, f"2026-04-05T1{n}:00:00+08:00")
            await step("turn-of-the-wheel", "POST", "/v1/activities", sent)
        await step("draws", "GET", "/v1/draws?limit=1")
        await step("draw", "GET", "/v1/draws/wheel")
        played = await step("played", "POST", "/v1/members/m-2/draws/wheel/play", {}, key="turn-1")
        assert played["given"] == "mug"
        prize = f"/v1/members/m-2/draws/wheel/prizes/{played['ticket']}"
        await step("claimed", "POST", f"{prize}/claim", {}, key="claim-1")
        await step("tickets", "GET", "/v1/members/m-2/draws")
        await step("wheel-is-over", "POST", "/v1/clock", {"now": "2026-04-07T00:00:00+08:00"})
        over = await step("record-of-the-wheel", "GET", "/v1/draws/wheel/record")
        assert verify(json.dumps(over).encode())[1] == ()

        await step("redemptions", "GET", "/v1/members/m-2/redemptions?limit=1")
        await step("stock-corrections", "GET", "/v1/rewards/mug/stock")
        leaked = {"reason": "The list leaked."}
        await step("batch-revoked", "POST", "/v1/voucher_batches/leaflets/revoke", leaked, key="revoke-2")
        monkeypatch.setattr("laurels.intake.deciding.chance", lambda: "5a" * 16)
        given = activity("voucher_issue", "r-1040", "m-2", {"voucher": "coffee"}, "2026-04-07T09:00:00+08:00")
        (voucher,) = (await step("voucher-for-nothing", "POST", "/v1/activities", given))["grants"]
        code = voucher["code"].replace("-", "")
        await step("set-aside", "POST", f"/v1/vouchers/{code}/reserve", {}, key="aside-1")
        await step("let-go", "POST", f"/v1/vouchers/{code}/release", {}, key="aside-2")
        cart = {"lines": [{"line": "1", "amount": "20.00"}], "vouchers": [code]}
        await step(
            "quote-kept",
            "POST",
            "/v1/quotes",
            {**quote, "id": "cart-2", "member": "m-2", "data": cart, "reserve": True},
        )
        await step("quote-as-of-now", "GET", "/v1/quotes/cart-2")
        await step("quote-given-up", "POST", "/v1/quotes/cart-2/cancel", {}, key="give-up-1")
        why = {"reason": "It gave too much."}
        await step("campaign-stopped", "POST", "/v1/program/campaigns/beans/stop", why, status=201, key="stop-1")

        assert stale(story.files) == set()
        left_out = {"read_health", "read_metrics", "read_openapi", "read_reference", "read_reference_part"}
        assert set(story.examples) | left_out == set(NAMES.values())
        compare(EXAMPLES, story.examples)
