"""Every business "no" that Laurels can say: one closed list of codes, each with its HTTP status and its meaning.

A refusal is a value, never an exception, and writes nothing. `REFUSALS` is the one table behind the API's status codes,
the command line's texts and docs/refusals.md; a code that is not in it cannot be constructed.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import msgspec


class RefusalKind(msgspec.Struct, frozen=True):
    """What a code means: its HTTP status and the sentence shown in both languages."""

    status: int
    en: str
    zh: str


REFUSALS: Final = MappingProxyType(
    {
        "unknown_member": RefusalKind(409, "No such member is enrolled.", "没有这位会员。"),
        "already_enrolled": RefusalKind(409, "The member is enrolled already.", "该会员已经入会。"),
        "member_sealed": RefusalKind(409, "The member was erased; nothing can be recorded any more.", "该会员已注销。"),
        "identifier_taken": RefusalKind(409, "Another member has this identifier.", "该标识已属于其他会员。"),
        "unknown_program_version": RefusalKind(
            409, "No version of the program is in effect at that instant.", "该时刻没有生效的计划版本。"
        ),
        "no_version_yet": RefusalKind(409, "The program has no version in effect yet.", "计划尚无生效版本。"),
        "occurred_in_future": RefusalKind(
            422, "occurred_at lies more than five minutes ahead of the clock.", "发生时间超前时钟五分钟以上。"
        ),
        "activity_conflict": RefusalKind(
            422, "This activity id was accepted before with another body.", "该行为编号已被接受过，内容不同。"
        ),
        "undeclared_activity": RefusalKind(
            422, "The program in effect does not declare this activity type.", "计划未声明该行为类型。"
        ),
        "attributes_too_large": RefusalKind(
            409,
            "With these the member's attributes would be too large; null removes one.",
            "会员属性总量超过上限；可用 null 移除不需要的属性。",
        ),
        "unknown_wallet": RefusalKind(422, "The program has no such wallet.", "计划中没有该钱包。"),
        "duplicate_order": RefusalKind(409, "The member has a purchase with this order id.", "该订单号已有购买记录。"),
        "unknown_order": RefusalKind(
            409, "No purchase with this order id is known; send the return again later.", "未知订单，可稍后重发退货。"
        ),
        "unknown_line": RefusalKind(409, "The order has no such line.", "订单没有该商品行。"),
        "return_exceeds_purchase": RefusalKind(
            409, "More would be returned than was bought and is not returned yet.", "退货超过了尚未退回的数量或金额。"
        ),
        "nothing_left_to_return": RefusalKind(409, "The order was returned in full.", "该订单已全部退回。"),
        "insufficient_points": RefusalKind(409, "The available points do not suffice.", "可用积分不足。"),
        "wallet_not_spendable": RefusalKind(409, "Points of this wallet cannot be spent.", "该钱包的积分不可使用。"),
        "frozen_by_debt": RefusalKind(
            409, "The wallet is in debt and its program freezes redemption meanwhile.", "钱包欠分，暂时冻结兑换。"
        ),
        "below_minimum": RefusalKind(409, "Fewer points than the wallet's minimum.", "低于最低使用积分。"),
        "not_a_multiple": RefusalKind(
            409, "The points are not a multiple of the wallet's step.", "积分不是规定的倍数。"
        ),
        "duplicate_redemption": RefusalKind(409, "This redemption id is in use.", "该兑换编号已被使用。"),
        "unknown_redemption": RefusalKind(409, "The member has no such redemption.", "没有该兑换。"),
        "redemption_not_held": RefusalKind(
            409, "The redemption was captured, cancelled or timed out before.", "该兑换已核销、取消或超时。"
        ),
        "capture_exceeds_hold": RefusalKind(409, "More points than are held.", "超过冻结的积分。"),
        "unknown_reward": RefusalKind(422, "The program has no such reward.", "计划中没有该奖品。"),
        "reward_not_offered": RefusalKind(409, "The reward cannot be bought at this time.", "该奖品当前不可兑换。"),
        "reward_not_for_member": RefusalKind(409, "The reward is not for this member.", "该奖品不对该会员开放。"),
        "out_of_stock": RefusalKind(409, "Not so many pieces are left.", "库存不足。"),
        "reward_limit_reached": RefusalKind(
            409, "The member has had as many pieces as the program allows.", "已达该奖品的会员兑换上限。"
        ),
        "cause_complete": RefusalKind(409, "The cause has its total for the year.", "该公益项目已达年度总额。"),
        "value_missing": RefusalKind(
            422,
            "The price goes by the value of the reward, which the request must state.",
            "价格按价值计算，须说明价值。",
        ),
        "value_not_asked": RefusalKind(
            422,
            "The program says what the reward is worth; the request does not.",
            "奖品价值由计划规定，请求中不得填写。",
        ),
        "payment_out_of_range": RefusalKind(
            409, "The price cannot be paid with so many points, or with so few.", "支付积分不在允许范围内。"
        ),
        "cash_mismatch": RefusalKind(409, "The money is not what belongs to these points.", "现金金额与积分不符。"),
        "captured_whole": RefusalKind(
            409, "A reward is captured whole; only points as money are captured in part.", "奖品须整体核销。"
        ),
        "no_fulfilment": RefusalKind(409, "Nothing is sent for this redemption.", "该兑换无需履约。"),
        "state_not_next": RefusalKind(
            409, "The fulfilment cannot come to that state from where it is.", "履约状态不能如此变更。"
        ),
        "tier_not_higher": RefusalKind(
            409, "The member stands on that tier or a higher one already.", "会员已处于该等级或更高等级。"
        ),
        "stock_not_counted": RefusalKind(409, "The pieces of this reward are not counted.", "该奖品不计库存。"),
        "not_automatic": RefusalKind(409, "The reward is not redeemed by itself.", "该奖品不支持自动兑换。"),
        "points_tender_mismatch": RefusalKind(
            409, "The points tender does not fit the redemption it names.", "积分支付与所指兑换不符。"
        ),
        "share_exceeded": RefusalKind(
            409, "Points pay a larger share of the order than the program allows.", "积分支付比例超过上限。"
        ),
        "unknown_choice": RefusalKind(422, "No group of promotions offers this choice.", "没有促销组提供该选择。"),
        "choice_not_offered": RefusalKind(409, "The promotion chosen gives nothing here.", "所选促销在此不适用。"),
        "duplicate_quote": RefusalKind(409, "This quote id is in use.", "该试算编号已被使用。"),
        "too_many_quotes": RefusalKind(
            409, "The member has as many reserved quotes as one may have.", "该会员保留的试算过多。"
        ),
        "unknown_quote": RefusalKind(409, "The member has reserved no such quote.", "没有保留该试算。"),
        "quote_not_open": RefusalKind(
            409,
            "The quote was used, replaced, cancelled or timed out before.",
            "该试算已使用、被替换、取消或超时。",
        ),
        "below_zero": RefusalKind(409, "The adjustment would take more than is available.", "调整超过可用积分。"),
        "expiry_in_past": RefusalKind(422, "The expiry lies in the past.", "有效期已过。"),
        "unknown_lot": RefusalKind(409, "The wallet has no such lot.", "没有该批次。"),
        "nothing_to_extend": RefusalKind(409, "No lot would be changed.", "没有可延期的积分。"),
        "nothing_to_reinstate": RefusalKind(
            409, "None of these lots has expired points that were not reinstated.", "没有可恢复的过期积分。"
        ),
        "same_member": RefusalKind(422, "A member cannot transfer to themselves.", "不能转赠给自己。"),
        "unknown_voucher": RefusalKind(409, "There is no such voucher.", "没有该优惠券。"),
        "voucher_taken": RefusalKind(409, "Another member has this voucher.", "该优惠券已属于其他会员。"),
        "voucher_held": RefusalKind(409, "The member has this voucher already.", "会员已有该优惠券。"),
        "voucher_shared": RefusalKind(
            409, "Anybody may use this code; name it at the checkout.", "通用券码无需领取，请在结算时使用。"
        ),
        "voucher_withdrawn": RefusalKind(
            409, "The program has no voucher of this kind any more.", "计划已不再有该种优惠券。"
        ),
        "voucher_redeemed": RefusalKind(409, "The voucher was used.", "该优惠券已使用。"),
        "voucher_reserved": RefusalKind(
            409, "A checkout has reserved the voucher for another order.", "该优惠券已被其他订单锁定。"
        ),
        "voucher_not_reserved": RefusalKind(
            409, "The voucher is not reserved for this order.", "该优惠券未被此订单锁定。"
        ),
        "voucher_expired": RefusalKind(409, "The voucher has expired.", "该优惠券已过期。"),
        "voucher_revoked": RefusalKind(409, "The voucher was taken back.", "该优惠券已被收回。"),
        "voucher_transferred": RefusalKind(409, "The voucher went to another member.", "该优惠券已转赠。"),
        "voucher_not_transferable": RefusalKind(409, "This voucher cannot be passed on.", "该优惠券不可转赠。"),
        "voucher_not_yet": RefusalKind(409, "The voucher cannot be used yet.", "该优惠券尚未到使用时间。"),
        "voucher_over": RefusalKind(
            409, "The time in which the voucher can be used is over.", "该优惠券使用时间已过。"
        ),
        "voucher_outside_hours": RefusalKind(
            409, "The voucher cannot be used on that weekday or at that hour.", "该优惠券在此星期或时段不可用。"
        ),
        "voucher_condition_not_met": RefusalKind(
            409, "The purchase does not meet the voucher's condition.", "未满足该优惠券的使用条件。"
        ),
        "voucher_no_lines": RefusalKind(
            409, "The voucher is good for none of the lines.", "没有该优惠券适用的商品行。"
        ),
        "voucher_limit_reached": RefusalKind(
            409, "The member has used vouchers of this kind as often as allowed.", "会员已达该种优惠券的使用上限。"
        ),
        "voucher_cooldown": RefusalKind(
            409, "The member used a voucher of this kind too short a time ago.", "距上次使用该种优惠券时间过短。"
        ),
        "voucher_exhausted": RefusalKind(
            409, "All members together have used it as often as allowed.", "该优惠券已用完。"
        ),
        "voucher_per_order": RefusalKind(
            409, "The order uses more vouchers of this kind than one order may.", "该订单使用的同种优惠券超过张数上限。"
        ),
        "voucher_gives_nothing": RefusalKind(
            409, "The voucher takes nothing off this purchase.", "该优惠券在此笔购买中无可优惠金额。"
        ),
        "batch_conflict": RefusalKind(
            409, "There is a batch of this name with other codes.", "该批次编号已存在，内容不同。"
        ),
        "nothing_to_stop": RefusalKind(
            409, "No campaign, promotion or voucher of this id runs.", "没有进行中的同名营销活动、促销或优惠券。"
        ),
        "clock_backwards": RefusalKind(409, "The clock can move forward only.", "时钟只能向前。"),
        "clock_too_far": RefusalKind(
            422, "A program's clock stops before the year 8000.", "计划时钟止于 8000 年之前。"
        ),
        "clock_is_real": RefusalKind(409, "A live program follows real time.", "正式计划使用真实时间。"),
        "effective_too_soon": RefusalKind(
            409, "effective_at must lie at least ten seconds after publishing.", "生效时间须晚于发布十秒以上。"
        ),
        "other_program": RefusalKind(
            422, "The document is of another program than the key.", "文档与密钥不属于同一计划。"
        ),
        "needs_mapping": RefusalKind(
            409,
            "A wallet or tier in use goes without saying where its members go.",
            "移除了使用中的钱包或等级而未给出去向。",
        ),
        "needs_reason": RefusalKind(
            409,
            "A draw that was published changes only with a reason under changes.",
            "已公布的抽奖须在 changes 中记录理由后方可变更。",
        ),
        "draw_closed": RefusalKind(409, "The entries of the draw have closed.", "抽奖已截止。"),
        "draw_opened": RefusalKind(
            409,
            "The draw will have opened when the version takes effect: its opening stays, and what a turn can win.",
            "新版本生效时抽奖已经开始：其开始时间、即时抽奖的奖项与概率均不可再变更。",
        ),
        "draw_not_open": RefusalKind(409, "The draw takes no tickets now.", "抽奖目前不接受抽奖券。"),
        "unknown_draw": RefusalKind(422, "The program has no such draw.", "计划中没有该抽奖。"),
        "excluded_from_draw": RefusalKind(409, "The member has no part in the draw.", "该会员不能参加此抽奖。"),
        "not_an_instant_draw": RefusalKind(
            409, "The draw is drawn on its day; its tickets cannot be played.", "该抽奖定期开奖，不能即时抽取。"
        ),
        "tickets_stand": RefusalKind(
            409, "The tickets are in a draw that has closed, or were played.", "抽奖券已进入截止的抽奖或已使用。"
        ),
        "no_ticket": RefusalKind(409, "The member has no ticket left in the draw.", "该会员没有可用的抽奖券。"),
        "unknown_prize": RefusalKind(409, "The member has won no such prize.", "该会员没有此奖项。"),
        "prize_not_open": RefusalKind(
            409, "The prize was claimed, given or forfeited before.", "该奖项已领取、发放或失效。"
        ),
        "prize_gone": RefusalKind(409, "No prize of this kind is left.", "该奖项已无剩余。"),
        "idempotency_conflict": RefusalKind(
            422, "This Idempotency-Key was used with another body.", "该幂等键已用于不同内容。"
        ),
        "still_running": RefusalKind(409, "The first request with this key is still running.", "首个请求仍在处理。"),
    }
)


class Refusal(msgspec.Struct, frozen=True):
    """A "no" with its code and what it is about; `message` is the code's English sentence with the particulars."""

    code: str
    detail: str = ""

    def __post_init__(self) -> None:
        if self.code not in REFUSALS:
            raise AssertionError(f"{self.code} is not in the closed list of refusals")

    @property
    def message(self) -> str:
        """The sentence for people."""
        sentence = REFUSALS[self.code].en
        return f"{sentence} {self.detail}" if self.detail else sentence

    @property
    def status(self) -> int:
        """The HTTP status of this refusal."""
        return REFUSALS[self.code].status
