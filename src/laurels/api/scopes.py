"""Scopes: what a key may do. A till gets `activities:write` and nothing with which a person could enrich themselves."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from laurels.core.explanation import Sentence

SCOPES: Final = MappingProxyType(
    {
        "activities:write": Sentence(
            "Send purchases, returns and whatever else members do; ask for quotes.", "发送购买、退货等会员行为；试算。"
        ),
        "adjustments:write": Sentence(
            "Put right by hand: adjustments, opening balances, extensions, reinstatements, vouchers, stock.",
            "人工处理：调整、期初余额、延期、恢复、发券与收回、库存。",
        ),
        "members:read": Sentence(
            "Read members: profiles, balances, tiers, journals, explanations, vouchers, draws.",
            "读取会员资料、余额、等级、流水、解释、优惠券与抽奖。",
        ),
        "members:write": Sentence(
            "Enrol members; change attributes, profiles and identifiers.", "会员入会；修改会员属性、资料与标识。"
        ),
        "members:erase": Sentence("Erase a member's personal data, for good.", "永久清除会员个人信息。"),
        "redemptions:write": Sentence(
            "Redeem rewards and points, say how far they have come; claim prizes.",
            "兑换奖品与积分，更新履约状态，领取奖项。",
        ),
        "program:read": Sentence(
            "Read the program, its versions, draws and batches; check and plan new versions.",
            "读取计划、版本、抽奖与券码批次；检查新版本并预览变更。",
        ),
        "program:write": Sentence(
            "Publish program versions; make and read codes of vouchers.", "发布计划版本；生成并读取券码。"
        ),
        "clock:write": Sentence("Move the clock of a program in setup or sandbox.", "推动筹备或沙盒计划的时钟。"),
        "admin": Sentence("Everything.", "全部权限。"),
    }
)
"""Every scope with what it allows."""

SCOPE_OF_TYPE: Final = MappingProxyType(
    {
        "adjustment": "adjustments:write",
        "opening_balance": "adjustments:write",
        "extension": "adjustments:write",
        "reinstatement": "adjustments:write",
        "voucher_issue": "adjustments:write",
        "voucher_revoke": "adjustments:write",
        "enrol": "members:write",
        "member_change": "members:write",
        "choice": "redemptions:write",
        "draw_claim": "redemptions:write",
    }
)
"""Activity types that ask for another scope than `activities:write`."""


def allows(held: frozenset[str], wanted: str) -> bool:
    """Whether a key with these scopes may do what needs `wanted`."""
    return wanted in held or "admin" in held
