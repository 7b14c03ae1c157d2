"""Why a member got what they got: an activity with everything that came of it, and a sentence for every reason.

It is what was decided at the time, read off the stored facts, with each campaign in the words of the version that
judged it. Nothing is decided again.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from laurels.api.answer import (
    CampaignOutcome,
    Entry,
    Format,
    When,
    campaign_outcome,
    drawn_grants,
    entries,
    grants,
    void_count,
)
from laurels.api.members import row_of, whole_data
from laurels.api.operation import Call, operation
from laurels.api.prices import Prices, discounts_of, prices_of
from laurels.api.problem import ApiProblem
from laurels.api.texts import Texts, texts
from laurels.api.vouchers_back import VoucherBack, vouchers_back
from laurels.core.compiled import Compiled, as_campaigns
from laurels.core.explanation import (
    Sentence,
    campaign_sentence,
    entry_sentence,
    grant_sentence,
    quote_end_sentence,
    tier_sentence,
)
from laurels.core.facts import (
    AnyFact,
    Explained,
    Judged,
    OrderReturned,
    PrizeWon,
    QuoteEnded,
    TicketsGranted,
    TicketsVoided,
    TierSet,
    VoucherIssued,
)
from laurels.core.money import format_minor, format_quantity
from laurels.core.program import notation
from laurels.core.program.model import Campaign
from laurels.core.version import Versions
from laurels.core.voucher_points import campaigns_of
from laurels.store import reading


class RuleText(Struct, frozen=True, kw_only=True):
    """A campaign in the words of the program document, as it was in the version that judged it."""

    name: Texts
    on: str
    when: str | None
    lines: str | None
    during: str
    within: Annotated[str | None, Meta(description="A time of the member's own.")]
    reaches: Annotated[str | None, Meta(description="The tier, as `track.tier`, that the activity must raise to.")]
    keeps: Annotated[str | None, Meta(description="The tier, as `track.tier`, that the member must keep.")]
    grants: tuple[str, ...]
    limits: tuple[str, ...]


class CampaignExplanation(CampaignOutcome, frozen=True, kw_only=True):
    """What became of a campaign, why, and what it says."""

    text: Texts
    says: RuleText | None


class TierExplanation(Struct, frozen=True, kw_only=True):
    """A tier that the activity set."""

    track: str
    tier: str
    until: When | None
    reason: str
    text: Texts


class ReturnedLine(Struct, frozen=True):
    """How much of a line came back."""

    line: str
    quantity: str
    amount: str


class TenderBack(Struct, frozen=True):
    """Money that goes back to a tender, by its place in the purchase."""

    tender: int
    amount: str


class ReturnExplanation(Struct, frozen=True, kw_only=True):
    """What a return brought back, and to where."""

    order: str
    lines: tuple[ReturnedLine, ...]
    paid_back: tuple[TenderBack, ...]
    points_given_back: Annotated[dict[str, int], Meta(description="By redemption.")]
    points_not_taken: Annotated[dict[str, int], Meta(description="By wallet: they had expired already.")]
    vouchers: Annotated[tuple[VoucherBack, ...], Meta(description="What became of vouchers that came back.")] = ()


class QuoteExplanation(Struct, frozen=True, kw_only=True):
    """A reserved quote that the activity ended."""

    quote: str
    status: str
    order: Annotated[str | None, Meta(description="The order that used or replaced it.")]
    text: Texts


class ExplanationAnswer(Struct, frozen=True, kw_only=True):
    """An activity, and why it came to what it came to."""

    source: str
    id: str
    type: str
    member: str
    occurred_at: When
    recorded_at: When
    version: Annotated[int, Meta(description="The program version that judged the activity.")]
    engine: Annotated[int, Meta(description="Which release of the decisions judged it.")]
    data: Annotated[dict[str, Any], Meta(description="As it was sent; erased texts are empty.")]
    entries: tuple[Entry, ...]
    reasons: Annotated[dict[str, Texts], Meta(description="A sentence for every `reason` among the entries.")]
    campaigns: tuple[CampaignExplanation, ...]
    tiers: tuple[TierExplanation, ...]
    returned: ReturnExplanation | None
    grants: Annotated[
        tuple[dict[str, Any], ...],
        Meta(description="What was granted other than points; of vouchers, tickets and prizes `text` says how."),
    ] = ()
    prices: Annotated[Prices | None, Meta(description="What promotions took off, and why others did not.")] = None
    quotes: Annotated[tuple[QuoteExplanation, ...], Meta(description="Reserved quotes that ended.")] = ()


@operation(
    "GET",
    "/v1/members/{member}/explanations/{source}/{activity}",
    tag="Members",
    summary=Sentence("Explain an activity", "解释一个行为"),
    scopes=("members:read",),
    codes=("no_such_member", "no_such_activity", "no_version_yet"),
)
async def explain_activity(call: Call, member: str, source: str, activity: str) -> ExplanationAnswer:
    """Every campaign that could have applied, what became of it and why, as it was decided then."""
    await row_of(call, member)
    stored = await reading.activity(call.services.database, call.program, source, activity)
    if stored is None or stored.member != member:
        raise ApiProblem("no_such_activity")
    versions = await call.services.rendering.versions(call.program, stored.version)
    compiled = versions.numbered(stored.version) or versions.judging(stored.recorded_at)
    format = compiled.zone.format
    shown = entries(stored.facts, stored.seq, format)
    return ExplanationAnswer(
        source=stored.source,
        id=stored.id,
        type=stored.type,
        member=stored.member,
        occurred_at=format(stored.occurred_at),
        recorded_at=format(stored.recorded_at),
        version=stored.version,
        engine=stored.engine,
        data=whole_data(stored.body, stored.texts),
        entries=shown,
        reasons={
            reason: texts(entry_sentence(reason)) for reason in sorted({each.reason for each in shown if each.reason})
        },
        campaigns=_campaigns(stored.facts, versions),
        tiers=_tiers(stored.facts, format),
        returned=_returned(stored.facts, compiled),
        grants=(*discounts_of(stored.facts, compiled), *_granted(stored.facts, versions)),
        prices=prices_of(stored.facts, compiled, stored.body),
        quotes=tuple(
            [
                QuoteExplanation(
                    quote=fact.quote, status=fact.status, order=fact.order, text=texts(quote_end_sentence(fact.status))
                )
                for fact in stored.facts
                if isinstance(fact, QuoteEnded)
            ]
        ),
    )


def _granted(facts: tuple[AnyFact, ...], versions: Versions) -> tuple[dict[str, Any], ...]:
    """Vouchers, tickets and prizes as the first answer listed them, each with its sentence."""
    found: list[dict[str, Any]] = []
    for fact in facts:
        if isinstance(fact, VoucherIssued | TicketsGranted | TicketsVoided | PrizeWon):
            by = None if isinstance(fact, TicketsVoided | PrizeWon) else versions.numbered(fact.version)
            then = by or versions.judging(fact.at)
            text = texts(_grant_sentence(fact, then))
            found.extend([{**each, "text": text} for each in (*grants((fact,), then), *drawn_grants((fact,)))])
    return tuple(found)


def _grant_sentence(fact: VoucherIssued | TicketsGranted | TicketsVoided | PrizeWon, then: Compiled) -> Sentence:
    if isinstance(fact, VoucherIssued):
        kind = then.vouchers.get(fact.voucher)
        name = {"": fact.voucher} if kind is None else kind.voucher.name or {"": kind.voucher.id}
        return grant_sentence(f"voucher_{fact.reason}", name)
    draw = then.draws.get(fact.draw)
    name = {"": fact.draw} if draw is None else draw.name
    if isinstance(fact, TicketsGranted):
        return grant_sentence(f"tickets_{'campaign' if fact.redemption is None else 'reward'}", name, fact.count)
    if isinstance(fact, TicketsVoided):
        return grant_sentence("tickets_void", name, void_count(fact))
    prizes = () if draw is None else (*draw.prizes, *([draw.fallback] if draw.fallback else ()))
    prize = next((each.name for each in prizes if each.id == fact.prize), {"": fact.prize})
    return grant_sentence("prize", name, prize=prize)


def _campaigns(facts: tuple[AnyFact, ...], versions: Versions) -> tuple[CampaignExplanation, ...]:
    found: list[CampaignExplanation] = []
    for fact in facts:
        if isinstance(fact, Explained):
            compiled = versions.numbered(fact.version)
            found.extend([_campaign(judged, compiled) for judged in fact.campaigns])
    return tuple(found)


def _campaign(judged: Judged, compiled: Compiled | None) -> CampaignExplanation:
    program = None if compiled is None else compiled.program
    campaigns = (
        ()
        if program is None
        else (*program.campaigns, *as_campaigns(program), *campaigns_of(program, program.vouchers))
    )
    campaign = next((each for each in campaigns if each.id == judged.campaign), None)
    return CampaignExplanation(
        **msgspec.structs.asdict(campaign_outcome(judged)),
        text=texts(campaign_sentence(judged)),
        says=None if campaign is None or compiled is None else rule_text(campaign, compiled),
    )


def rule_text(campaign: Campaign, compiled: Compiled) -> RuleText:
    """A campaign in the words of the document."""
    currency = compiled.program.currency
    return RuleText(
        name=campaign.name,
        on=campaign.on,
        when=None if campaign.when is None else campaign.when.text,
        lines=None if campaign.lines is None else campaign.lines.text,
        during=notation.during(campaign.during, compiled.zone),
        within=None if campaign.within is None else notation.within(campaign.within),
        reaches=None if campaign.reaches is None else notation.reach(campaign.reaches),
        keeps=None if campaign.keeps is None else notation.reach(campaign.keeps),
        grants=tuple([notation.grant(grant, currency) for grant in campaign.grants]),
        limits=tuple([notation.limit(limit) for limit in campaign.limits]),
    )


def _tiers(facts: tuple[AnyFact, ...], format: Format) -> tuple[TierExplanation, ...]:
    return tuple(
        [
            TierExplanation(
                track=fact.track,
                tier=fact.tier,
                until=None if fact.until is None else format(fact.until),
                reason=fact.reason,
                text=texts(tier_sentence(fact.reason)),
            )
            for fact in facts
            if isinstance(fact, TierSet)
        ]
    )


def _returned(facts: tuple[AnyFact, ...], compiled: Compiled) -> ReturnExplanation | None:
    places = compiled.declared.places
    for fact in facts:
        if isinstance(fact, OrderReturned):
            return ReturnExplanation(
                order=fact.order,
                lines=tuple(
                    [
                        ReturnedLine(line.line, format_quantity(line.quantity), format_minor(line.amount, places))
                        for line in fact.lines
                    ]
                ),
                paid_back=tuple(
                    [TenderBack(int(place), format_minor(amount, places)) for place, amount in fact.paid_back.items()]
                ),
                points_given_back=fact.restored,
                points_not_taken=fact.forgiven,
                vouchers=vouchers_back(facts, compiled),
            )
    return None
