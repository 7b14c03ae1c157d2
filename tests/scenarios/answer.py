"""What stories are answered, in words for those who read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.api.harness import Json


class Answer:
    """What became of an activity, for people who read tests."""

    def __init__(self, json: Json) -> None:
        self.json = json

    @property
    def status(self) -> str:
        """accepted, replayed, refused or invalid."""
        return str(self.json["status"])

    @property
    def code(self) -> str:
        """The refusal's code, or the status where there is none."""
        return str(self.json["refusal"]["code"]) if self.json["refusal"] else self.status

    @property
    def entries(self) -> list[tuple[str, int, str]]:
        """Kind, signed points and state of each entry."""
        return [(each["kind"], each["points"], each["state"]) for each in self.json["entries"]]

    def granted(self, campaign: str, rule: str | None = None) -> int:
        """Points that a campaign, or a tier's bonus over it, granted."""
        wanted = ("accrual", campaign, rule)
        return sum(e["points"] for e in self.json["entries"] if (e["kind"], e["campaign"], e["rule"]) == wanted)

    def moved(self, out_of: str, into: str, wallet: str = "points") -> int:
        """Points that moved from one account of the wallet to another."""
        wanted = (out_of, into, wallet)
        return sum(abs(e["points"]) for e in self.json["entries"] if (e["out_of"], e["into"], e["wallet"]) == wanted)

    def why(self, campaign: str) -> tuple[str, int, int]:
        """Code, wanted and granted of a campaign."""
        (found,) = [each for each in self.json["explanation"] if (each["campaign"], each["rule"]) == (campaign, None)]
        return found["code"], found["wanted"], found["granted"]

    def limited_by(self, campaign: str) -> str | None:
        """The limit that narrowed a campaign."""
        (found,) = [each for each in self.json["explanation"] if (each["campaign"], each["rule"]) == (campaign, None)]
        return None if found["limited_by"] is None else str(found["limited_by"])

    def tier(self, track: str = "membership") -> tuple[str, bool]:
        """The tier after it, and whether it changed."""
        found = self.json["tiers"][track]
        return found["tier"], found["changed"]

    def points(self, wallet: str = "points") -> tuple[int, int, int, int]:
        """Available, pending, held and debt in the answer."""
        return four(self.json["balances"][wallet])


def four(wallet: Json) -> tuple[int, int, int, int]:
    """Available, pending, held and debt of a wallet."""
    return wallet["available"], wallet["pending"], wallet["held"], wallet["debt"]


def kinds(answers: Sequence[tuple[int, Json]]) -> dict[str, int]:
    """How often each problem code was answered; "" where there is none."""
    return dict(Counter(str(answer.get("code", "")) for _status, answer in answers))
