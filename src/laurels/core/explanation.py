"""Why: a sentence in both languages for every code with which the engine explains what it did or did not do.

Facts carry codes and numbers, because codes are what programs compare and what stays for ever. The sentences are made
from them when somebody reads; docs/explanations.md is generated from the tables here.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import msgspec

from laurels.core.facts import Judged
from laurels.core.program.model import Texts
from laurels.core.program.wording import named_in
from laurels.core.refusal import REFUSALS

NO_NAME: Final[Texts] = {"": ""}


class Sentence(msgspec.Struct, frozen=True):
    """A text in both languages."""

    en: str
    zh: str


CAMPAIGN_CODES: Final = MappingProxyType(
    {
        "applied": Sentence("It granted {granted}.", "发放 {granted}。"),
        "gave": Sentence("It gave what is listed beside the points.", "已发放所列赠品。"),
        "trimmed": Sentence(
            "It granted {granted} of {wanted}: {by} left no more.", "应发 {wanted}，实发 {granted}：受限于{by}。"
        ),
        "outside_window": Sentence(
            "It does not run at the instant of the activity.", "行为发生时，本营销活动不在有效期内。"
        ),
        "outside_hours": Sentence(
            "It does not run on that weekday or at that hour.", "行为发生的星期或时段不在本营销活动范围内。"
        ),
        "condition_not_met": Sentence("Its condition is not met.", "未满足条件。"),
        "no_lines": Sentence("It selects none of the lines.", "没有符合条件的商品行。"),
        "nothing_new": Sentence(
            "Nothing that it selects counts as new to the member.", "所选商品均不计为该会员的新商品或新品类。"
        ),
        "nothing_to_grant": Sentence("It comes to nothing.", "计算结果为零。"),
        "base_not_applied": Sentence(
            "The campaign that it multiplies granted nothing; {wanted} would have been granted.",
            "所翻倍的营销活动未发放；原应发 {wanted}。",
        ),
        "cooldown": Sentence(
            "It granted something too short a time ago; {wanted} would have been granted.",
            "距上次发放时间过短；原应发 {wanted}。",
        ),
        "limit_reached": Sentence(
            "The member's limit is reached; {wanted} would have been granted.", "已达会员上限；原应发 {wanted}。"
        ),
        "budget_exhausted": Sentence(
            "Its budget is used up; {wanted} would have been granted.", "预算已用完；原应发 {wanted}。"
        ),
        "excluded": Sentence(
            "A campaign of another group excludes it; {wanted} would have been granted.",
            "被另一活动组的营销活动排除；原应发 {wanted}。",
        ),
        "not_best": Sentence(
            "Another campaign of its group grants more; {wanted} would have been granted.",
            "同一活动组中另有发放更多的营销活动；原应发 {wanted}。",
        ),
        "not_first": Sentence(
            "Another campaign of its group comes first; {wanted} would have been granted.",
            "同一活动组中另有优先的营销活动；原应发 {wanted}。",
        ),
        "draw_not_open": Sentence(
            "The draw that its tickets are for takes none now.", "所发抽奖券对应的抽奖目前不接受参与。"
        ),
        "excluded_from_draw": Sentence(
            "The member has no part in the draw that its tickets are for.", "该会员不能参加所发抽奖券对应的抽奖。"
        ),
        "taken_back": Sentence("The return takes back {granted} of what it granted.", "因退货收回已发放的 {granted}。"),
        "kept": Sentence("The return takes nothing back of what it granted.", "退货不收回其已发放的部分。"),
        "no_longer_qualifies": Sentence(
            "Its condition no longer holds for what remains of the order: {granted} are taken back.",
            "剩余订单不再满足条件：收回 {granted}。",
        ),
        "judged_again": Sentence(
            "Judged again on what remains of the order: {granted} are taken back.",
            "按剩余订单重新计算：收回 {granted}。",
        ),
    }
)
"""What became of a campaign for one activity."""

PROMOTION_CODES: Final = MappingProxyType(
    {
        "applied": Sentence("It takes {given} off.", "优惠 {given}。"),
        "trimmed": Sentence(
            "It takes {given} of {wanted} off: {by} left no more.", "应优惠 {wanted}，实际优惠 {given}：受限于{by}。"
        ),
        "outside_window": Sentence("It does not run at that instant.", "该时刻不在促销期内。"),
        "outside_hours": Sentence("It does not run on that weekday or at that hour.", "该星期或时段不在促销范围内。"),
        "outside_store": Sentence("It does not run in that store.", "该门店不参加本促销。"),
        "outside_channel": Sentence("It does not run in that channel.", "该渠道不参加本促销。"),
        "condition_not_met": Sentence("Its condition is not met.", "未满足条件。"),
        "no_lines": Sentence("It selects none of the lines.", "没有符合条件的商品行。"),
        "below_threshold": Sentence("The selected lines do not reach its first step.", "所选商品未达到门槛金额。"),
        "too_few_pieces": Sentence("There are too few pieces for it.", "件数不足。"),
        "price_is_lower": Sentence("Its price is no lower than what the goods cost.", "现价已不高于促销价。"),
        "nothing_left": Sentence(
            "Earlier offers, or the floor of the prices, leave nothing to take off.",
            "在先优惠或价格下限使其已无可优惠金额。",
        ),
        "cooldown": Sentence(
            "It gave something too short a time ago; {wanted} would have been taken off.",
            "距上次享受时间过短；原可优惠 {wanted}。",
        ),
        "limit_reached": Sentence(
            "The member's limit is reached; {wanted} would have been taken off.", "已达会员上限；原可优惠 {wanted}。"
        ),
        "budget_exhausted": Sentence(
            "Its budget is used up; {wanted} would have been taken off.", "预算已用完；原可优惠 {wanted}。"
        ),
        "excluded": Sentence(
            "A promotion of another group excludes it; {wanted} would have been taken off.",
            "被另一活动组的促销排除；原可优惠 {wanted}。",
        ),
        "not_best": Sentence(
            "Another promotion of its group takes more off; {wanted} would have been taken off.",
            "同组另有更优惠的促销；原可优惠 {wanted}。",
        ),
        "not_first": Sentence(
            "Another promotion of its group comes first; {wanted} would have been taken off.",
            "同组另有优先的促销；原可优惠 {wanted}。",
        ),
        "not_chosen": Sentence(
            "The member chose otherwise; {wanted} would have been taken off.", "会员另作选择；原可优惠 {wanted}。"
        ),
        "gives_points": Sentence(
            "It gives points, which are explained among the campaigns.", "发放积分，详见营销活动的说明。"
        ),
    }
)
"""What became of a promotion that takes money off, or of a voucher that may be used."""

TILL_CODES: Final = MappingProxyType(
    {
        "applied": Sentence(
            "It comes to {given}; the till took {taken} off.", "应优惠 {given}；收银台实际优惠 {taken}。"
        ),
        "trimmed": Sentence(
            "It comes to {given} of {wanted}, {by} left no more; the till took {taken} off.",
            "应优惠 {wanted}，受限于{by}为 {given}；收银台实际优惠 {taken}。",
        ),
        "not_given": Sentence("{why} The till took {taken} off all the same.", "{why}收银台仍优惠了 {taken}。"),
    }
)
"""The same where a till took off otherwise: of one that gives something, and of all others, after why they do not."""

QUOTE_CODES: Final = MappingProxyType(
    {
        "kept": Sentence("It is held to what was quoted.", "按试算结果执行。"),
        "points_anew": Sentence(
            "The prices are as quoted; the points were judged anew, since it was paid otherwise than quoted.",
            "价格按试算执行；因支付方式与试算不同，积分重新计算。",
        ),
        "quote_unknown": Sentence("No such quote was reserved: judged anew.", "没有保留该试算，已重新计算。"),
        "quote_timed_out": Sentence("The quote's time was over: judged anew.", "试算已过保留时间，已重新计算。"),
        "quote_used": Sentence("Another order used the quote: judged anew.", "试算已用于其他订单，已重新计算。"),
        "quote_cancelled": Sentence("The quote was cancelled: judged anew.", "试算已取消，已重新计算。"),
        "quote_replaced": Sentence(
            "An order that was not what had been quoted ended the quote: judged anew.",
            "该试算已因另一订单内容不符而终止，已重新计算。",
        ),
        "quote_differs": Sentence(
            "The cart is not the one that was quoted: what the quote kept was given back, and it is judged anew.",
            "购物车与试算时不同：已退回试算所保留的部分并重新计算。",
        ),
        "voucher_gone": Sentence(
            "A voucher that the quote had reserved is not reserved any more: what the quote kept was given back, and "
            "it is judged anew.",
            "试算所锁定的优惠券已不再锁定：已退回试算所保留的部分并重新计算。",
        ),
    }
)
"""What became of the quote that a purchase names."""

QUOTE_ENDS: Final = MappingProxyType(
    {
        "open": Sentence("It keeps what it promised until its time is over.", "在保留期内，承诺有效。"),
        "used": Sentence("The order that named it was held to it.", "指明该试算的订单已按其执行。"),
        "timed_out": Sentence(
            "Nobody came back in time: what it kept of limits, budgets and vouchers was given back.",
            "超过保留时间：所保留的额度、预算与优惠券已退回。",
        ),
        "cancelled": Sentence(
            "It was cancelled: what it kept of limits, budgets and vouchers was given back.",
            "已取消：所保留的额度、预算与优惠券已退回。",
        ),
        "replaced": Sentence(
            "The order that named it was not what had been quoted: what it kept was given back before the order was "
            "judged anew.",
            "指明该试算的订单与之不符：先退回所保留的部分，再重新计算该订单。",
        ),
    }
)
"""What became of a reserved quote itself."""

VOUCHERS_BACK: Final = MappingProxyType(
    {
        "restored": Sentence("The member has it again, with its own expiry.", "已退回会员，有效期不变。"),
        "use_restored": Sentence(
            "The code is anybody's; this use of it counts no more.", "通用券码，本次使用不再计入次数。"
        ),
        "graced": Sentence(
            "Its time was over by then; it lives on for the grace of its kind.", "退回时已过期，按宽限期继续有效。"
        ),
        "split": Sentence("A new voucher over the part that came back.", "按退货比例退回一张新券。"),
        "expired": Sentence("Its time was over by then, and it has expired.", "退回时已过期，已失效。"),
        "revoked": Sentence(
            "It was given for an order that has come back as well; it is taken back.",
            "赠送此券的订单也已退货，券已收回。",
        ),
    }
)
"""What became of a voucher that a return gave back."""

TIER_REASONS: Final = MappingProxyType(
    {
        "enrolled": Sentence("Everybody starts on this tier.", "入会初始等级。"),
        "earned": Sentence("The threshold was reached.", "达到升级门槛。"),
        "kept": Sentence("The tier was earned again and holds longer.", "再次达标，等级延长。"),
        "renewed": Sentence(
            "The time it had is over, and what was earned meanwhile keeps it.", "原有效期届满，因期间再次达标而保级。"
        ),
        "fell": Sentence("Its time was over and it had not been earned again.", "到期未再达标，等级下降。"),
        "stayed": Sentence(
            "A return took away what it had been earned with; the program lets the member stay for its time.",
            "因退货失去达标依据，按计划规则保留等级至到期。",
        ),
        "restored": Sentence(
            "What arrived late would have kept it in time: it is held again.", "迟到的行为本可保级，等级恢复。"
        ),
        "fell_back": Sentence("A return took away what it had been earned with.", "因退货失去达标依据，等级回落。"),
        "pass": Sentence("A tier pass gives it for a time.", "等级体验卡在有效期内赋予此等级。"),
        "pass_ended": Sentence(
            "The time of a tier pass is over; this is where the member stands without it.",
            "等级体验卡到期，恢复原有等级。",
        ),
        "mapped": Sentence("The program no longer has the tier held before.", "计划已不再有原等级，改为此等级。"),
    }
)
"""Why a member stands on a tier."""

ENTRY_REASONS: Final = MappingProxyType(
    {
        "adjusted": Sentence("Put right by a person.", "人工调整。"),
        "opening_balance": Sentence("Brought from another system.", "自其他系统转入的期初余额。"),
        "carried_over": Sentence(
            "The program renamed or retired the wallet; its points are in another one.",
            "计划更名或停用该钱包，积分已转入另一钱包。",
        ),
        "reinstated": Sentence("Expired points came back.", "恢复已过期积分。"),
        "prize": Sentence("Won in a draw.", "抽奖所得。"),
        "held": Sentence("Set aside for a redemption.", "为兑换冻结。"),
        "captured": Sentence("Spent.", "已使用。"),
        "captured_in_part": Sentence("The rest of a hold went back to its lots.", "部分使用后余额退回。"),
        "cancelled": Sentence("The redemption was cancelled; the points went back.", "兑换取消，积分退回。"),
        "timed_out": Sentence("Nobody captured the hold in time; the points went back.", "冻结超时，积分退回。"),
        "expired": Sentence("Their time was over.", "已过期。"),
        "expired_while_held": Sentence("Their time was over while they were held.", "冻结期间已过期。"),
        "returned": Sentence("What they were earned with, or paid for, came back.", "因退货收回或退还。"),
        "spent_before": Sentence("They had been spent before the return and are owed.", "退货前已使用，计为欠分。"),
        "beyond_policy": Sentence(
            "They had been spent before the return and are written off.", "退货前已使用，予以销账。"
        ),
        "failed": Sentence("The reward never reached the member; the points went back.", "奖品未能送达，积分退回。"),
        "gift_card": Sentence("A gift card that points bought.", "积分兑换的礼品卡。"),
        "cashback": Sentence("Cashback that points bought.", "积分兑换的返现。"),
        "debt_repaid": Sentence("Earned points repaid debt first.", "新得积分先偿还欠分。"),
        "sent": Sentence("Sent to another member.", "转赠给其他会员。"),
        "received": Sentence("Received from another member.", "由其他会员转赠。"),
        "refused_by_recipient": Sentence(
            "The other member could not take them; they came back.", "对方未能接收，积分退回。"
        ),
    }
)
"""Why an entry other than an accrual or activation was posted."""

GRANT_CODES: Final = MappingProxyType(
    {
        "voucher_campaign": Sentence('A campaign gave the voucher "{name}".', "营销活动赠送优惠券「{name}」。"),
        "voucher_code": Sentence(
            'The member took the voucher "{name}" by its code.', "会员凭券码领取优惠券「{name}」。"
        ),
        "voucher_person": Sentence('A person gave the voucher "{name}".', "人工发放优惠券「{name}」。"),
        "voucher_reward": Sentence('Points bought the voucher "{name}".', "积分兑换优惠券「{name}」。"),
        "voucher_transfer": Sentence(
            'Another member passed on the voucher "{name}".', "其他会员转赠优惠券「{name}」。"
        ),
        "voucher_split": Sentence(
            'A return gave back part of the voucher "{name}".', "因退货退还优惠券「{name}」的部分金额。"
        ),
        "voucher_refused_by_recipient": Sentence(
            'The other member could not take the voucher "{name}"; it came back.',
            "对方未能接收优惠券「{name}」，已退回。",
        ),
        "tickets_campaign": Sentence(
            'Tickets of the draw "{name}" that campaigns gave: {count}.',
            "营销活动赠送抽奖「{name}」的抽奖券 {count} 张。",
        ),
        "tickets_reward": Sentence(
            'Tickets of the draw "{name}" that points bought: {count}.', "积分兑换抽奖「{name}」的抽奖券 {count} 张。"
        ),
        "tickets_void": Sentence(
            'Tickets of the draw "{name}" that became void: {count}.', "抽奖「{name}」的抽奖券作废 {count} 张。"
        ),
        "prize": Sentence('The draw "{name}" gave the prize "{prize}".', "抽奖「{name}」中得奖品「{prize}」。"),
    }
)
"""How a voucher, tickets or a prize came to the member, and that tickets are void."""

_UNITS: Final = MappingProxyType(
    {
        "points": Sentence("points", "积分"),
        "times": Sentence("times", "次数"),
        "money": Sentence("money", "金额"),
    },
)
_PERIODS: Final = MappingProxyType(
    {
        "floor": Sentence("the price of the goods, or its floor,", "商品价格或其下限"),
        "day": Sentence("the member's limit a day", "每日会员上限"),
        "week": Sentence("the member's limit a week", "每周会员上限"),
        "month": Sentence("the member's limit a month", "每月会员上限"),
        "quarter": Sentence("the member's limit a quarter", "每季会员上限"),
        "half_year": Sentence("the member's limit a half-year", "每半年会员上限"),
        "year": Sentence("the member's limit a year", "每年会员上限"),
        "lifetime": Sentence("the member's limit for life", "会员终身上限"),
        "campaign": Sentence("the member's limit for the campaign", "营销活动期间会员上限"),
        "budget": Sentence("the budget", "预算"),
    }
)


def limit_sentence(by: str | None) -> Sentence:
    """What narrowed a grant, by the name that explanations carry: `day_points`, `budget_times`, ..."""
    if by is None:
        return Sentence("a limit", "上限")
    if by == "floor":
        return _PERIODS["floor"]
    period, _, unit = by.rpartition("_")
    of, what = _PERIODS.get(period), _UNITS.get(unit)
    if of is None or what is None:
        return Sentence(by, by)
    return Sentence(f"{of.en} ({what.en})", f"{of.zh}（{what.zh}）")


def campaign_sentence(judged: Judged) -> Sentence:
    """What became of a campaign, with its numbers; a code that is unknown here speaks for itself."""
    template = CAMPAIGN_CODES.get(judged.code)
    if template is None:
        return Sentence(judged.code, judged.code)
    by = limit_sentence(judged.by) if judged.code == "trimmed" else Sentence("", "")
    return Sentence(
        template.en.format(granted=judged.granted, wanted=judged.wanted, by=by.en),
        template.zh.format(granted=judged.granted, wanted=judged.wanted, by=by.zh),
    )


def promotion_sentence(code: str, by: str | None, wanted: str, given: str, taken: str | None = None) -> Sentence:
    """What became of a promotion or voucher, with its amounts as texts; why a voucher may not be used is a refusal.

    `taken` is what the till took off, where that is not what is given.
    """
    if taken is not None:
        why, limit = promotion_sentence(code, by, wanted, given), limit_sentence(by)
        told = TILL_CODES.get(code) or TILL_CODES["not_given"]
        return Sentence(
            told.en.format(why=why.en, given=given, wanted=wanted, taken=taken, by=limit.en),
            told.zh.format(why=why.zh, given=given, wanted=wanted, taken=taken, by=limit.zh),
        )
    refusal = REFUSALS.get(code)
    if refusal is not None:
        return Sentence(refusal.en, refusal.zh)
    template = PROMOTION_CODES.get(code)
    if template is None:
        return Sentence(code, code)
    limit = limit_sentence(by) if code == "trimmed" else Sentence("", "")
    return Sentence(
        template.en.format(given=given, wanted=wanted, by=limit.en),
        template.zh.format(given=given, wanted=wanted, by=limit.zh),
    )


def quote_sentence(held: str) -> Sentence:
    """What became of the quote that a purchase names."""
    return QUOTE_CODES.get(held) or Sentence(held, held)


def grant_sentence(code: str, name: Texts, count: int = 0, prize: Texts = NO_NAME) -> Sentence:
    """How a voucher, tickets or a prize came to the member; names are by language, or are ids."""
    template = GRANT_CODES.get(code)
    if template is None:
        return Sentence(code, code)
    return Sentence(
        template.en.format(name=named_in("en", name), count=count, prize=named_in("en", prize)),
        template.zh.format(name=named_in("zh-CN", name), count=count, prize=named_in("zh-CN", prize)),
    )


def quote_end_sentence(status: str) -> Sentence:
    """What became of a reserved quote itself."""
    return QUOTE_ENDS.get(status) or Sentence(status, status)


def voucher_back_sentence(status: str) -> Sentence:
    """What became of a voucher that a return gave back."""
    return VOUCHERS_BACK.get(status) or Sentence(status, status)


def tier_sentence(reason: str) -> Sentence:
    """Why a member stands on a tier."""
    return TIER_REASONS.get(reason) or Sentence(reason, reason)


def entry_sentence(reason: str) -> Sentence:
    """Why an entry was posted."""
    return ENTRY_REASONS.get(reason) or Sentence(reason, reason)
