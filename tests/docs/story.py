"""A story: what one member does, line by line, lived through on the pure core.

    2026-03-02 10:00  buy o-1: 1 beans 60.00, 2 shipping 8.00   -> base 60, pending 60

Times are local in the program's zone. Left of the arrow stands an activity, right of it what must be true after it:
balances (`available 60`), what became of a campaign (`base 60`, `beans 40 of 60`, `beans limit_reached`,
`base taken_back 20`, `base membership.silver 15`), `tier silver`, `expiring 60 at 2027-04-01 00:00`, `refused CODE`.
"""

import json
import re
from typing import Any

from laurels.core.activity import Activity, Free, Purchase, parse
from laurels.core.calendar import Instant, Zone, parse_date
from laurels.core.decide import Circumstances, Decision, bring_up, decide
from laurels.core.facts import AnyFact, Explained, FollowUp, Judged, PoolClaimed
from laurels.core.member import Document, Lot, Member, Missing, page_key, purchased
from laurels.core.program.model import Program
from laurels.core.refusal import Refusal
from laurels.core.version import Version, Versions

ACCOUNTS = ("available", "pending", "held", "debt")
LINE = re.compile(r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d)  +(?P<what>.+?)(?: +-> +(?P<then>.+))?")
LATE = re.compile(r"(?P<what>.+?), occurred (?P<at>\d{4}-\d\d-\d\d \d\d:\d\d)")
ITEM = re.compile(r"(?P<line>\S+)(?P<words>(?: [^\s.]+)*?)(?: (?P<amount>\d+\.\d+))?")


class Story:
    """One member of one program, whose documents are all in memory."""

    def __init__(self, program: Program) -> None:
        self.versions = Versions((Version(1, 0, program),))
        self.zone = Zone(program.time_zone)
        self.wallet = program.wallets[0].id
        self.member = Member("m-1", {"root": None})
        self.recorded: dict[int, tuple[Purchase, tuple[AnyFact, ...]]] = {}
        self.pools: dict[str, int] = {}
        self.refusal: Refusal | None = None
        self.judged: tuple[Judged, ...] = ()
        self.count = 0

    def live_through(self, text: str) -> None:
        """Carries out every line; AssertionError with the line that is not as it says."""
        for line in text.splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            found = LINE.fullmatch(line.rstrip())
            assert found, f"not a line of a story: {line}"
            try:
                self._live(self._instant(found["at"]), found["what"])
                for claim in (found["then"] or "").split(", ") if found["then"] else ():
                    self._check(claim.split())
                refused = "refused" in (found["then"] or "")
                assert refused or self.refusal is None, self.refusal
                self._prove_balances()
            except AssertionError as error:
                raise AssertionError(f"{line}\n{error}") from error

    # --- doing --------------------------------------------------------------------------------------------------------

    def _instant(self, text: str) -> Instant:
        date, clock = text.split()
        hours, minutes = clock.split(":")
        return self.zone.instant_at(parse_date(date), int(hours) * 3600 + int(minutes) * 60)

    def _live(self, at: Instant, what: str) -> None:
        self.refusal, self.judged = None, ()
        occurred_at = at
        late = LATE.fullmatch(what)
        if late:
            what, occurred_at = late["what"], self._instant(late["at"])
        if what == "wait":
            self.member = self._with_documents(lambda: bring_up(self.versions, self.member, at))
            return
        type_, data = body_of(what, self.wallet)
        self.count += 1
        declared = self.versions.declared
        assert declared is not None
        activity = parse(
            source="story", id=str(self.count), type=type_, member="m-1", occurred_at=occurred_at,
            data=json.dumps(data).encode(), declared=declared,
        )  # fmt: skip
        assert isinstance(activity, Activity), activity
        decided = self._with_documents(
            lambda: decide(self.versions, self.member, activity, Circumstances(at, self.pools))
        )
        if isinstance(decided, Refusal):
            self.refusal = decided
            return
        self._keep(activity, decided)
        for fact in decided.facts:
            if isinstance(fact, FollowUp) and fact.kept is not None:
                self._tell(fact, at)

    def _tell(self, fact: FollowUp, at: Instant) -> None:
        """The member is told that they keep a tier, as Laurels does it."""
        assert fact.kept is not None
        data = Free({"track": fact.kept.track, "tier": fact.kept.tier})
        activity = Activity("laurels", fact.id, fact.type, fact.member, fact.occurred_at(at), data)
        decided = self._with_documents(
            lambda: decide(self.versions, self.member, activity, Circumstances(at, self.pools))
        )
        assert isinstance(decided, Decision), decided
        self._keep(activity, decided)

    def _keep(self, activity: Activity, decided: Decision) -> None:
        self.member = decided.member
        for fact in decided.facts:
            if isinstance(fact, PoolClaimed):
                self.pools[fact.pool] = self.pools.get(fact.pool, 0) + fact.by
            elif isinstance(fact, Explained):
                self.judged = fact.campaigns
        if isinstance(activity.data, Purchase):
            self.recorded[decided.member.root.seq] = (activity.data, decided.facts)

    def _with_documents(self, act: Any) -> Any:
        while True:
            try:
                return act()
            except Missing as missing:
                documents: dict[str, Document | None] = dict(self.member.documents)
                for key in missing.keys:
                    kind, _, rest = key.partition("/")
                    documents[key] = purchased(*self.recorded[int(rest)]) if kind == "activity" else None
                self.member = Member("m-1", documents)

    # --- checking -----------------------------------------------------------------------------------------------------

    def _check(self, claim: list[str]) -> None:
        wallets = self.member.root.wallets
        match claim:
            case ["refused", code]:
                assert self.refusal is not None, "it was not refused"
                assert self.refusal.code == code, self.refusal
            case [account, number] if account in ACCOUNTS:
                self._compare(account, self._balance(self.wallet, account), number)
            case [wallet, account, number] if wallet in wallets and account in ACCOUNTS:
                self._compare(f"{wallet} {account}", self._balance(wallet, account), number)
            case ["tier", tier]:
                tiers = [standing.tier for standing in self.member.root.tracks.values()]
                assert tier in tiers, f"the member stands on {tiers}"
            case ["tier", tier, "until", date, clock]:
                until = [each.until for each in self.member.root.tracks.values() if each.tier == tier]
                shown = [None if each is None else self.zone.format(each) for each in until]
                assert until == [self._instant(f"{date} {clock}")], f"until {shown}"
            case ["expiring", number, "never"]:
                self._compare("never expiring", self._expiring(None), number)
            case ["expiring", number, "at", date, clock]:
                self._compare("expiring", self._expiring(self._instant(f"{date} {clock}")), number)
            case _:
                self._check_campaign(claim)

    def _check_campaign(self, claim: list[str]) -> None:
        campaign, *rest = claim
        by = rest.pop(0) if "." in rest[0] else None
        found = [each for each in self.judged if each.campaign == campaign and (by is None or each.by == by)]
        assert found, f"nothing is said about {campaign}: {self.judged}"
        first = found[0]
        said = (first.code, first.granted, first.wanted)
        match rest:
            case [number] if number.isdecimal():
                assert said == ("applied", int(number), int(number)), first
            case [number, "of", wanted]:
                assert said == ("trimmed", int(number), int(wanted)), first
            case [code]:
                assert first.code == code, first
            case [code, number]:
                assert said[:2] == (code, int(number)), first
            case _:
                raise AssertionError(f"what does this say: {' '.join(claim)}")

    def _compare(self, what: str, found: int, number: str) -> None:
        assert found == int(number), f"{what} is {found}, not {number}"

    def _balance(self, wallet: str, account: str) -> int:
        balance = self.member.root.wallets.get(wallet)
        return 0 if balance is None else int(getattr(balance, account))

    def _lots(self, wallet: str) -> list[Lot]:
        balance = self.member.root.wallets.get(wallet)
        pages = [self.member.documents[page_key(wallet, head.number)] for head in balance.pages] if balance else []
        return [lot for page in pages if isinstance(page, tuple) for lot in page]

    def _expiring(self, at: Instant | None) -> int:
        balance = self.member.root.wallets[self.wallet]
        lots = [lot for lot in self._lots(self.wallet) if lot.available_at is None]
        return sum(lot.points for lot in lots if (lot.expires_at or balance.expires_at) == at)

    def _prove_balances(self) -> None:
        for wallet, balance in self.member.root.wallets.items():
            assert sum(lot.points for lot in self._lots(wallet)) == balance.available + balance.pending, "lots differ"


# --- reading what a line says that the member does --------------------------------------------------------------------


def body_of(what: str, wallet: str) -> tuple[str, dict[str, Any]]:
    """The type and data of the activity that a line names."""
    verb, _, rest = what.partition(" ")
    match verb:
        case "buy":
            return "purchase", _purchase(rest)
        case "return":
            order, _, items = rest.partition(": ")
            goods, _, paid = items.partition("; paid ")
            data: dict[str, Any] = {"order": order}
            if goods:
                data["lines"] = [_item(item) for item in goods.split(", ")]
            return "return", data | ({"tenders": _tenders(paid)} if paid else {})
        case "adjust":
            return "adjustment", {"wallet": wallet, "points": int(rest), "reason": "told in a story"}
        case "redeem" | "hold":
            redemption, points = rest.split()
            hold = verb == "hold"
            return "redemption", {"redemption": redemption, "wallet": wallet, "points": int(points), "hold": hold}
        case "capture":
            redemption, *points_of = rest.split()
            return "redemption_capture", {"redemption": redemption} | (
                {"points": int(points_of[0])} if points_of else {}
            )
        case "cancel":
            return "redemption_cancel", {"redemption": rest}
        case "transfer":
            to, points = rest.split()
            return "transfer", {"to": to, "wallet": wallet, "points": int(points)}
        case "enrol":
            return "enrol", {"attributes": _fields(rest)}
        case _:
            return verb, _fields(rest)


def _purchase(rest: str) -> dict[str, Any]:
    order, _, items = rest.partition(": ")
    goods, _, paid = items.partition("; paid ")
    data: dict[str, Any] = {"order": order, "lines": [_item(item) for item in goods.split(", ")]}
    return data | ({"tenders": _tenders(paid)} if paid else {})


def _item(text: str) -> dict[str, Any]:
    found = ITEM.fullmatch(text)
    assert found, f"not a line of an order: {text}"
    item: dict[str, Any] = {"line": found["line"]}
    if found["amount"]:
        item["amount"] = found["amount"]
    for word in found["words"].split():
        if word in ("shipping", "fee", "gift_card"):
            item["kind"] = word
        elif re.fullmatch(r"x\d+", word):
            item["quantity"] = word[1:]
        else:
            item["category"] = word
    return item


def _tenders(text: str) -> list[dict[str, Any]]:
    tenders = []
    for tender in text.split(" and "):
        kind, amount, *redemption = tender.split()
        tenders.append({"kind": kind, "amount": amount} | ({"redemption": redemption[0]} if redemption else {}))
    return tenders


def _fields(text: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for pair in text.split():
        name, _, value = pair.partition("=")
        fields[name] = int(value) if re.fullmatch(r"-?\d+", value) else value
    return fields
