"""From the text of a program document to the program, or to everything that is wrong with it.

The document is read in two steps. The grammar reads every word by itself; then each part is resolved, in an order in
which it refers only to earlier parts, and judged for what its words mean together. Both go on after a mistake, so that
one look shows all findings.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Final, Literal

import msgspec

from laurels.core.calendar import Duration, Instant, Zone
from laurels.core.money import Currency
from laurels.core.program.campaigns import CampaignForm, note_multiplied_campaigns, resolve_campaign
from laurels.core.program.document import Scalar, parse
from laurels.core.program.draws import DrawForm, resolve_draw
from laurels.core.program.fields import FIELDS, FieldForm, resolve_fields
from laurels.core.program.finding import Finding, Notes, shown
from laurels.core.program.frame import Frame
from laurels.core.program.grammar import Choice, Entries, Form, FormOf, MapOf, Said, Word, Written, said_or
from laurels.core.program.groups import GroupForm, resolve_groups
from laurels.core.program.model import Program, Retired
from laurels.core.program.promotions import PromotionForm, resolve_promotion
from laurels.core.program.rewards import CauseForm, RewardForm, resolve_cause, resolve_reward
from laurels.core.program.segments import SegmentForm, resolve_segments
from laurels.core.program.tracks import TrackForm, note_years, resolve_track
from laurels.core.program.values import DOTTED, DURATION, ID, NAME, SPAN, TEXTS
from laurels.core.program.vouchers import VoucherForm, note_shared_codes, resolve_voucher
from laurels.core.program.wallets import WalletForm, resolve_wallet

_ZONE: Final = Written(
    "a time zone", Zone, {"type": "string"}, code="bad_zone", hint="write a zone such as Asia/Shanghai"
)
_CURRENCY: Final = Written(
    "a currency",
    Currency.of,
    {"type": "string", "pattern": "^[A-Z]{3}$"},
    code="bad_currency",
    hint="write an ISO 4217 code such as CNY",
)


class RetiredForm(Form):
    """What is retired: where the holders of a wallet or tier go that a new version no longer has."""

    wallets = Word(MapOf(NAME, NAME), "by the id of a wallet that is gone: the wallet that takes over its points")
    tiers = Word(MapOf(DOTTED, NAME), "by track.tier that is gone: the tier of the track on which its members stand")


class ProgramForm(Form):
    """A program: a customer loyalty scheme."""

    program = Word(ID, "the program's permanent id", required=True)
    name = Word(TEXTS, "what it is called, by language")
    time_zone = Word(_ZONE, "the IANA zone in which days, months and years are reckoned", required=True)
    currency = Word(_CURRENCY, "the ISO 4217 code of the currency of all amounts", required=True)
    late_horizon = Word(DURATION, "how far back late activities are judged as of their time; 90D by default")
    fields = Word(FIELDS, "fields that conditions may name beyond the built-in ones: by member, purchase, line or type")
    wallets = Word(MapOf(ID, FormOf(WalletForm), most=100), "the kinds of unit that members hold", required=True)
    tracks = Word(MapOf(ID, FormOf(TrackForm), most=50), "the ladders of tiers")
    segments = Word(MapOf(ID, FormOf(SegmentForm), most=100), "names for conditions on a member, which others ask for")
    campaigns = Word(MapOf(ID, FormOf(CampaignForm)), "the rules that grant something")
    draws = Word(MapOf(ID, FormOf(DrawForm), most=200), "the draws that tickets are for")
    jurisdiction = Word[Literal["CN", "none"]](
        Choice("CN", "none"), "by whose law draws are checked before they are published; CN where the currency is CNY"
    )
    groups = Word(MapOf(ID, FormOf(GroupForm)), "how campaigns that apply together combine; all of them by default")
    vouchers = Word(MapOf(ID, FormOf(VoucherForm)), "what members may name a code for")
    promotions = Word(MapOf(ID, FormOf(PromotionForm)), "the rules that take money off a cart, or give points on top")
    quote_hold = Word(SPAN, "how long a reserved quote keeps what it promised; 30MIN by default")
    causes = Word(MapOf(ID, FormOf(CauseForm), most=100), "what points can be donated to")
    rewards = Word(MapOf(ID, FormOf(RewardForm)), "what points can buy")
    retired = Word(FormOf(RetiredForm), "where the holders of wallets and tiers go that are gone")


class Examined(msgspec.Struct, frozen=True):
    """What became of a document: the program, unless there is an error among the findings."""

    program: Program | None
    findings: tuple[Finding, ...]


def load(text: str) -> Program | tuple[Finding, ...]:
    """The program that a document describes, or all findings where at least one is an error."""
    examined = examine(text)
    return examined.program or examined.findings


def examine(text: str, at: Instant | None = None, in_batches: Container[str] = ()) -> Examined:
    """The program that a document describes, if it is free of errors, and all findings, warnings included.

    Seen from the instant `at`, what is over by then is a warning, and so is a shared code that is one of `in_batches`.
    """
    notes = Notes()
    root = parse(text, notes)
    form = FormOf(ProgramForm).read(root, notes) if root is not None else None
    program = _resolve(form, notes, at, in_batches) if form is not None else None
    return Examined(None if notes.has_errors else program, notes.findings())


def _resolve(form: ProgramForm, notes: Notes, at: Instant | None, in_batches: Container[str]) -> Program:
    frame = Frame(notes, form.currency.value, form.time_zone.value, at, in_batches)
    fields = said_or(form.fields, Entries[str, Entries[str, FieldForm]]())
    wallets = said_or(form.wallets, Entries[str, WalletForm]())
    tracks = said_or(form.tracks, Entries[str, TrackForm]())
    campaigns = said_or(form.campaigns, Entries[str, CampaignForm]())
    groups = said_or(form.groups, Entries[str, GroupForm]())
    vouchers = said_or(form.vouchers, Entries[str, VoucherForm]())
    promotions = said_or(form.promotions, Entries[str, PromotionForm]())
    causes = said_or(form.causes, Entries[str, CauseForm]())
    rewards = said_or(form.rewards, Entries[str, RewardForm]())

    frame.fields = resolve_fields(fields, frame)
    for wallet, wallet_form, _ in wallets.readable():
        frame.wallets[wallet] = resolve_wallet(wallet, wallet_form, frame)
    for track, track_form, _ in tracks.readable():
        frame.tracks[track] = resolve_track(track, track_form, frame)
    for _track, track_form, _ in tracks.readable():
        note_years(track_form, frame)
    segments = resolve_segments(said_or(form.segments, Entries[str, SegmentForm]()), frame)
    for voucher, voucher_form, _ in vouchers.readable():
        frame.vouchers[voucher] = resolve_voucher(voucher, voucher_form, frame)
    codes = {name: each for name, each, _ in vouchers.readable()}
    note_shared_codes(codes, [name for name, _, _ in promotions.readable()], frame)
    jurisdiction = said_or(form.jurisdiction, "CN" if frame.currency and frame.currency.code == "CNY" else "none")
    for draw, draw_form, _ in said_or(form.draws, Entries[str, DrawForm]()).readable():
        frame.draws[draw] = resolve_draw(draw, draw_form, frame, jurisdiction)
    for campaign, campaign_form, _ in campaigns.readable():
        frame.campaigns[campaign] = resolve_campaign(campaign, campaign_form, frame)
    for promotion, promotion_form, entry in promotions.readable():
        resolve_promotion(promotion, promotion_form, entry.key_node, frame)
    note_multiplied_campaigns({name: each for name, each, _ in campaigns.readable()}, frame)
    for cause, cause_form, _ in causes.readable():
        frame.causes[cause] = resolve_cause(cause, cause_form, frame)
    program = Program(
        id=said_or(form.program, ""),
        name=frame.texts(form.name, said_or(form.program, "")),
        time_zone=frame.zone.name if frame.zone else "",
        currency=frame.currency or Currency("", 2),
        wallets=tuple(frame.wallets.values()),
        fields=frame.fields,
        tracks=tuple(frame.tracks.values()),
        campaigns=tuple(frame.campaigns.values()),
        groups=resolve_groups(groups, frame),
        late_horizon=said_or(form.late_horizon, Duration(days=90)),
        retired=_retired(form.retired.value, frame) if form.retired.value else Retired(),
        vouchers=tuple(frame.vouchers.values()),
        promotions=tuple(frame.promotions.values()),
        quote_hold=said_or(form.quote_hold, Duration.parse("30MIN")),
        causes=tuple(frame.causes.values()),
        rewards=tuple(resolve_reward(reward, each, frame) for reward, each, _ in rewards.readable()),
        jurisdiction=jurisdiction if frame.draws and jurisdiction != "none" else None,
        draws=tuple(frame.draws.values()),
        segments=segments,
    )
    if form.wallets.value is not None and not wallets:
        notes.error("missing_word", form.wallets.node, "a program has at least one wallet", "wallets: {points: {}}")
    for named in (wallets, tracks, campaigns, groups, vouchers, promotions, causes, rewards):
        _note_renames({name: each.was for name, each, _ in named.readable()}, notes)
    for _, track_form, _ in tracks.readable():
        tiers = [tier.value for tier in said_or(track_form.tiers, ()) if tier.value is not None]
        _note_renames({tier.id.value: tier.was for tier in tiers if tier.id.value is not None}, notes)
    return program


def _note_renames(renames: dict[str, Said[str]], notes: Notes) -> None:
    """Findings where `was` names something that is still there, or that two things claim to have been."""
    former: set[str] = set()
    for said in renames.values():
        if said.value is None:
            continue
        if said.value in renames:
            message = f"{shown(said.value)} is still here, so that nothing was renamed from it"
            notes.error("bad_rename", said.node, message, "was names an id that is gone")
        elif said.value in former:
            notes.error("bad_rename", said.node, f"two things claim to have been {shown(said.value)}", "keep one")
        former.add(said.value)


def _retired(form: RetiredForm, frame: Frame) -> Retired:
    wallets: dict[str, str] = {}
    for gone, heir, entry in said_or(form.wallets, Entries[str, str]()).readable():
        _note_gone("wallet", gone, frame.wallets, entry.key_node, frame)
        if frame.has_wallet(heir, entry.node):
            wallets[gone] = heir
    tiers: dict[str, str] = {}
    for gone, heir, entry in said_or(form.tiers, Entries[str, str]()).readable():
        track, _, tier = gone.rpartition(".")
        if not track:
            message = f"{shown(gone)} does not say of which track"
            frame.notes.error("bad_id", entry.key_node, message, f"write track.{gone}")
        elif frame.has("track", track, frame.tracks, entry.key_node):
            known = [each.id for each in frame.tracks[track].tiers]
            _note_gone("tier", tier, known, entry.key_node, frame)
            if frame.has("tier", heir, known, entry.node):
                tiers[gone] = heir
    return Retired(wallets, tiers)


def _note_gone(what: str, gone: str, known: Iterable[str], at: Scalar, frame: Frame) -> None:
    if gone in known:
        message = f"the {what} {shown(gone)} is still here"
        frame.notes.error("not_gone", at, message, f"only a {what} that is gone is retired")
