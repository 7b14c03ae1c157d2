"""A story: what members of a program do and see, through the public HTTP interface alone, under the program's clock.

    here = tell(shop("{pending: 7D}"))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", "39.80", at="2026-03-02 10:00")
    assert here.points("ann") == (0, 39, 0, 0)

Times are local in the program's zone. What is sent with `at` occurred then, which moves the clock if it is ahead;
without `at` it occurs at the program's present. `refused="code"` asserts the refusal, and that nothing was written. At
its end a story proves itself: journals sum to balances, nothing is lost between members, `verify` finds no difference.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Mapping
from urllib.parse import quote

from laurels import wiring
from laurels.core.calendar import Instant, Zone, parse_date, parse_instant
from laurels.proof.verifying import verify
from laurels.store.programs import Mode
from tests.api.harness import Api, Json
from tests.scenarios.answer import Answer, four
from tests.scenarios.document import line_back, lines_of, order_of, shop
from tests.scenarios.house import House

MEMBERS_OWN = ("pending", "available", "held", "debt")


class Tell:
    """Begins stories, and ends them all."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._stories: list[Story] = []

    def __call__(self, document: str | None = None, *, mode: Mode = "sandbox", effective: str | None = None) -> Story:
        """A story in a new program with this document, a point a yuan by default, in effect from the beginning."""
        story = Story(self.house, document or shop(), mode, effective)
        self._stories.append(story)
        return story

    def end(self) -> None:
        """Every story proves itself."""
        for story in self._stories:
            story.end()


class Story:
    """One program, its members, and what its till and its members ask."""

    def __init__(self, house: House, document: str, mode: Mode, effective: str | None) -> None:
        self.house = house
        self.program = house.new_program()
        self.mode = mode
        self.zone = _zone_of(document)
        self.members: list[str] = []
        self._ids = itertools.count(1)
        running = house.here.running
        made = wiring.make_key(running, self.program, source="pos", name="till", scopes=["admin"], mode=mode)
        self.secret, _known = house.run(made)
        self.publish(document, effective)

    # --- asking -------------------------------------------------------------------------------------------------------

    def call(
        self, method: str, path: str, body: Json = None, *, key: str | None = None, through: Api | None = None
    ) -> tuple[int, Json]:
        """Status and body of an answer; `through` another application than the first."""
        answered = self.house.run((through or self.house.here).call(method, path, body, key=key, secret=self.secret))
        return answered.status_code, answered.json() if answered.content else None

    def get(self, path: str) -> Json:
        """What is there."""
        status, found = self.call("GET", path)
        assert status == 200, found
        return found

    def at_once(self, *requests: tuple[str, Json]) -> list[tuple[int, Json]]:
        """Status and body of each of these POST requests, sent together to two processes in turn."""
        applications = (self.house.here, self.house.neighbour)

        async def send_all() -> list[tuple[int, Json]]:
            answers = await asyncio.gather(
                *[
                    applications[n % 2].call("POST", path, body, secret=self.secret)
                    for n, (path, body) in enumerate(requests)
                ]
            )
            return [(answer.status_code, answer.json()) for answer in answers]

        return self.house.run(send_all())

    # --- time ---------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> Instant | None:
        """What time it is in the program; None before anything happened."""
        now = self.get("/v1/program")["now"]
        return None if now is None else parse_instant(now)

    def instant(self, at: str) -> Instant:
        """ "2026-03-01", "2026-03-01 10:00" or "... 10:00:30.5" in the program's zone."""
        date, _, clock = at.partition(" ")
        clock, _, fraction = (clock or "00:00").partition(".")
        hours, minutes, seconds, *_ = (*(int(part) for part in clock.split(":")), 0)
        second = (hours * 60 + minutes) * 60 + seconds
        return self.zone.instant_at(parse_date(date), second, int(fraction.ljust(6, "0") or 0))

    def before(self, at: str) -> str:
        """The last microsecond before a time."""
        before = self.local(self.zone.format(self.instant(at) - 1))
        assert before is not None
        return before

    def text(self, at: str | None) -> str:
        """A time for the wire; the program's present where none is given."""
        instant = self.now if at is None else self.instant(at)
        assert instant is not None, "nothing happened yet: say when this does"
        return self.zone.format(instant)

    def local(self, at: str | None) -> str | None:
        """A time of the wire as this story writes it."""
        if at is None:
            return None
        text = self.zone.format(parse_instant(at))
        text = text[: 26 if "." in text else 19].replace("T", " ")
        return text if "." in text else text.removesuffix(":00")

    def clock(self, at: str) -> None:
        """Time goes by, and what falls due on the way is recorded."""
        status, moved = self.call("POST", "/v1/clock", {"now": self.text(at)})
        assert status == 200, moved

    def drift(self, at: str) -> None:
        """Time goes by because somebody else does something, and nobody looks at the others."""
        if "passer-by" not in self.members:
            self.enrol("passer-by", at=at)
        self.post("passer-by", "view", {"subject": "window"}, at=at)

    # --- doing --------------------------------------------------------------------------------------------------------

    def activity(
        self,
        member: str,
        type: str,
        data: Mapping[str, Json] | None = None,
        at: str | None = None,
        id: str | None = None,
    ) -> dict[str, Json]:
        """An activity as the till sends it."""
        return {
            "source": "pos",
            "id": id or f"a-{next(self._ids)}",
            "type": type,
            "member": member,
            "occurred_at": self.text(at),
            "data": dict(data or {}),
        }

    def post(
        self,
        member: str,
        type: str,
        data: Mapping[str, Json] | None = None,
        *,
        at: str | None = None,
        id: str | None = None,
        refused: str | None = None,
    ) -> Answer:
        """What became of an activity."""
        sent = self.activity(member, type, data, at, id)
        if refused is not None:
            return self._refuse(sent, refused, is_free=id is None)
        status, answered = self.call("POST", "/v1/activities", sent)
        assert status == 200, answered
        assert answered["status"] in ("accepted", "replayed"), answered
        return Answer(answered)

    def _refuse(self, sent: dict[str, Json], code: str, *, is_free: bool) -> Answer:
        before = (self._all_there_is(), self._told_of(sent))
        status, answered = self.call("POST", "/v1/activities", sent)
        assert (answered["status"], answered.get("code")) == ("refused", code), answered
        assert answered["refusal"]["code"] == code
        assert status in (409, 422)
        assert (self._all_there_is(), self._told_of(sent)) == before, "a refusal wrote something"
        if is_free:
            # Ids are unique for the whole source: what takes it now shows that nobody has it.
            self._bystander(sent["id"])
        return Answer(answered)

    def malformed(self, sent: Mapping[str, Json]) -> list[tuple[str, str]]:
        """Pointers and codes of what is wrong with an activity, of which nothing was written."""
        before = self._all_there_is()
        status, answered = self.call("POST", "/v1/activities", sent)
        assert (status, answered["status"]) == (422, "invalid"), answered
        assert self._all_there_is() == before
        assert self._told_of(sent)[0] == 404
        return [(error["pointer"], error["code"]) for error in answered["errors"]]

    def _all_there_is(self) -> Json:
        members = [
            (self.journal(member), self.get(f"/v1/members/{member}/balances"), self.get(f"/v1/members/{member}/tiers"))
            for member in self.members
        ]
        return self.get("/v1/program"), members

    def _told_of(self, sent: Mapping[str, Json]) -> tuple[int, Json]:
        """What is known of an activity by this id, if there is one."""
        return self.call("GET", f"/v1/members/{quote(sent['member'])}/explanations/pos/{quote(sent['id'])}")

    def _bystander(self, id: str) -> None:
        if "bystander" not in self.members:
            self.enrol("bystander")
        self.post("bystander", "view", {"subject": "window"}, id=id)

    def batch(self, *activities: Mapping[str, Json]) -> list[Answer]:
        """What became of each of several activities in one request."""
        status, answered = self.call("POST", "/v1/activities", {"activities": list(activities)})
        assert status == 200, answered
        return [Answer(each) for each in answered["activities"]]

    def enrol(self, member: str, at: str | None = None, **more: Json) -> Answer:
        """Somebody joins."""
        status, saved = self.call("POST", "/v1/members", {"id": member, "enrolled_at": self.text(at), **more})
        assert status == 201, saved
        self.members.append(member)
        return Answer(saved["activity"])

    def buy(
        self,
        member: str,
        order: str,
        *lines: str | Mapping[str, Json],
        at: str | None = None,
        id: str | None = None,
        refused: str | None = None,
        **data: Json,
    ) -> Answer:
        """A purchase: a line for each amount, numbered from 1, or lines in full."""
        return self.post(member, "purchase", order_of(order, *lines, **data), at=at, id=id, refused=refused)

    def quote(self, member: str, *lines: str | Mapping[str, Json], **data: Json) -> Answer:
        """What a cart would earn now."""
        cart = {"lines": lines_of(*lines), **data}
        status, answered = self.call("POST", "/v1/quotes", {"member": member, "data": cart})
        assert status == 200, answered
        return Answer(answered)

    def reserve(
        self, member: str, id: str, *lines: str | Mapping[str, Json], refused: str | None = None, **data: Json
    ) -> Json:
        """Prices of a cart, kept for a while."""
        body = {"member": member, "id": id, "reserve": True, "data": {"lines": lines_of(*lines), **data}}
        status, answered = self.call("POST", "/v1/quotes", body)
        if refused is not None:
            assert answered["code"] == refused, answered
            return answered
        assert status == 200, answered
        return answered["prices"]

    def give_back(
        self,
        member: str,
        order: str,
        *lines: str | tuple[str, str] | Mapping[str, Json],
        at: str | None = None,
        id: str | None = None,
        refused: str | None = None,
        **data: Json,
    ) -> Answer:
        """A return: of lines ("1"), of an amount of a line (("1", "5.00")), or of all that is left."""
        body: dict[str, Json] = {"order": order, **data}
        if lines:
            body["lines"] = [line_back(line) for line in lines]
        return self.post(member, "return", body, at=at, id=id, refused=refused)

    def adjust(
        self,
        member: str,
        points: int,
        *,
        expires: str | None = None,
        at: str | None = None,
        wallet: str = "points",
        refused: str | None = None,
    ) -> Answer:
        """Points that a person gives or takes."""
        body: dict[str, Json] = {"wallet": wallet, "points": points, "reason": "goodwill"}
        if expires is not None:
            body["expires_at"] = self.text(expires)
        return self.post(member, "adjustment", body, at=at, refused=refused)

    def transfer(
        self, member: str, to: str, points: int, *, at: str | None = None, refused: str | None = None
    ) -> Answer:
        """Points for somebody else."""
        body = {"to": to, "wallet": "points", "points": points}
        return self.post(member, "transfer", body, at=at, refused=refused)

    # --- redemptions --------------------------------------------------------------------------------------------------

    def redeem(
        self,
        member: str,
        id: str,
        points: int,
        *,
        wallet: str = "points",
        hold: bool = False,
        refused: str | None = None,
    ) -> Json:
        """Spends points at once, or holds them."""
        body = {"id": id, "member": member, "wallet": wallet, "points": points, "hold": hold}
        return self._redemption("/v1/redemptions", body, refused)

    def hold(self, member: str, id: str, points: int, *, refused: str | None = None) -> Json:
        """Holds points."""
        return self.redeem(member, id, points, hold=True, refused=refused)

    def capture(self, id: str, points: int | None = None, *, refused: str | None = None) -> Json:
        """Spends what is held, or part of it."""
        body = {} if points is None else {"points": points}
        return self._redemption(f"/v1/redemptions/{id}/capture", body, refused)

    def cancel(self, id: str, *, refused: str | None = None) -> Json:
        """Gives back what is held."""
        return self._redemption(f"/v1/redemptions/{id}/cancel", {}, refused)

    def _redemption(self, path: str, body: Json, refused: str | None) -> Json:
        before = None if refused is None else self._all_there_is()
        status, answered = self.call("POST", path, body)
        if refused is None:
            assert status in (200, 201), answered
            return answered["redemption"]
        assert (answered.get("code"), status) in ((refused, 409), (refused, 422)), answered
        assert self._all_there_is() == before, "a refusal wrote something"
        return answered

    def redemption(self, id: str) -> Json:
        """A redemption as of now."""
        return self.get(f"/v1/redemptions/{id}")

    # --- the program --------------------------------------------------------------------------------------------------

    def document(self, body: str) -> str:
        """The document with this program's id."""
        return f"program: {self.program}\n{body}"

    def publish(self, body: str, effective: str | None = None, *, refused: str | None = None) -> Json:
        """A further version, in effect from then on, or at once."""
        sent: dict[str, Json] = {"document": self.document(body)}
        if effective is not None:
            sent["effective_at"] = self.text(effective)
        status, published = self.call("POST", "/v1/program/versions", sent)
        assert (published["code"] if refused else status) == (refused or 201), published
        return published

    def plan(self, body: str) -> dict[str, Json]:
        """What a document would change, by path."""
        status, planned = self.call("POST", "/v1/program/plan", {"document": self.document(body)})
        assert status == 200, planned
        return {change["path"]: change for change in planned["changes"]}

    def refused_by_plan(self, body: str) -> list[tuple[str, str]]:
        """Draws that keep a document from being published, and why."""
        status, planned = self.call("POST", "/v1/program/plan", {"document": self.document(body)})
        assert (status, planned["ok"]) == (200, not planned["refused"]), planned
        return [(each["draw"], each["code"]) for each in planned["refused"]]

    # --- looking ------------------------------------------------------------------------------------------------------

    def wallet(self, member: str, wallet: str = "points") -> Json:
        """A wallet as of now, whose expiries sum to what is available and held."""
        found = self.get(f"/v1/members/{member}/balances")["wallets"][wallet]
        assert sum(each["points"] for each in found["expiring"]) == found["available"] + found["held"], found
        return found

    def points(self, member: str, wallet: str = "points") -> tuple[int, int, int, int]:
        """Available, pending, held and debt."""
        return four(self.wallet(member, wallet))

    def expiring(self, member: str, wallet: str = "points") -> list[tuple[int, str | None]]:
        """Points and when they expire, soonest first."""
        return [(each["points"], self.local(each["at"])) for each in self.wallet(member, wallet)["expiring"]]

    def standing(self, member: str, track: str = "membership") -> Json:
        """Where a member stands on a track."""
        return self.get(f"/v1/members/{member}/tiers")["tracks"][track]

    def tier(self, member: str, track: str = "membership") -> str:
        """The member's tier."""
        return str(self.standing(member, track)["tier"])

    def until(self, member: str, track: str = "membership") -> str | None:
        """How long the tier holds at least."""
        return self.local(self.standing(member, track)["until"])

    def journal(self, member: str) -> list[Json]:
        """Every recorded entry, newest first."""
        items: list[Json] = []
        cursor = ""
        while True:
            page = self.get(f"/v1/members/{member}/journal?limit=200{cursor}")
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            cursor = f"&cursor={page['next_cursor']}"

    def told(self, member: str) -> list[tuple[str, int, str]]:
        """Kind, signed points and state of every recorded entry, oldest first."""
        return [(each["kind"], each["points"], each["state"]) for each in reversed(self.journal(member))]

    def explanation(self, member: str, id: str, source: str = "pos") -> Json:
        """Why an activity came to what it came to."""
        return self.get(f"/v1/members/{member}/explanations/{source}/{quote(id, safe='')}")

    # --- the end ------------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Journals sum to balances, nothing is lost on its way, and `verify` finds no difference."""
        if self.members:
            # Points activate without a write; who does something has all that fell due in their journal.
            view = self.activity("", "view", {"subject": "window"})
            stirred = [{**view, "id": f"end-{member}", "member": member} for member in self.members]
            assert {each.status for each in self.batch(*stirred)} == {"accepted"}
            in_transit: Counter[str] = Counter()
            for member in self.members:
                self._prove_journal(member, in_transit)
            assert not any(in_transit.values()), f"on its way for ever: {in_transit}"
        running = self.house.here.running
        verdict = self.house.run(verify(running.url, running.database, running.clock, [self.program], processes=1))
        assert verdict.is_clean, verdict.differences

    def _prove_journal(self, member: str, in_transit: Counter[str]) -> None:
        accounts: Counter[tuple[str, str]] = Counter()
        for entry in self.journal(member):
            points = abs(entry["points"])
            accounts[entry["wallet"], entry["out_of"]] -= points
            accounts[entry["wallet"], entry["into"]] += points
        for wallet, found in self.get(f"/v1/members/{member}/balances")["wallets"].items():
            for account in MEMBERS_OWN:
                sign = -1 if account == "debt" else 1
                assert found[account] == sign * accounts[wallet, account], (member, wallet, account)
            in_transit[wallet] += accounts[wallet, "in_transit"]


def _zone_of(document: str) -> Zone:
    (stated,) = [row for row in document.splitlines() if row.startswith("time_zone:")]
    return Zone(stated.partition(":")[2].strip())
