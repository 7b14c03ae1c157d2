"""stop: a campaign ends, the document stays, and people are told when there is nothing to stop."""

from __future__ import annotations

from tests.cli.giving import PROGRAM, Giving


def test_a_campaign_is_stopped_with_a_reason_by_a_version_of_its_own(give: Giving) -> None:
    extra = "  double: {on: purchase, grant: {wallet: points, fixed: 9}}  # since spring\n"
    document = PROGRAM.replace("campaigns:\n", f"campaigns:\n{extra}", 1)
    assert extra in document
    give.says("publish", give.file("program.yaml", document))
    done = give.json("stop", "double", "--reason", "it gave too much")
    assert (done["id"], done["versions"]) == ("double", [2])
    assert "No campaign" in give.fails("stop", "double", "--reason", "again", code=1)
    assert "No campaign" in give.fails("stop", "none", "--reason", "why", code=1)
    assert "Everything is as it must be" in give.says("verify")
