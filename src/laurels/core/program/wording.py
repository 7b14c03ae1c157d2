"""How changes of a program are told to a manager, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from laurels.core.program.model import Texts

LANGUAGES: Final = ("en", "zh-CN")

_THINGS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "program": ("Program", "计划"),
        "wallet": ("Wallet", "钱包"),
        "track": ("Track", "等级体系"),
        "tier": ("Tier", "等级"),
        "benefit": ("Benefit", "权益"),
        "campaign": ("Campaign", "营销活动"),
        "group": ("Group", "活动组"),
        "voucher": ("Voucher", "优惠券"),
        "promotion": ("Promotion", "促销"),
        "reward": ("Reward", "奖品"),
        "cause": ("Cause", "公益项目"),
        "field": ("Field", "字段"),
        "draw": ("Draw", "抽奖"),
        "segment": ("Segment", "人群"),
    }
)

_WORDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "program": ("id", "标识"),
        "name": ("name", "名称"),
        "time_zone": ("time zone", "时区"),
        "currency": ("currency", "货币"),
        "late_horizon": ("how far back late activities are judged", "补录期限"),
        "type": ("type", "类型"),
        "spendable": ("spendable", "能否使用"),
        "pending": ("pending time", "待生效时间"),
        "expires": ("expiry", "有效期"),
        "when_spent": ("what a return takes back when points are spent", "积分已用时的退货扣回方式"),
        "restore_grace": ("grace for what is given back after its expiry", "过期后退回的宽限期"),
        "hold": ("time until an open redemption times out", "兑换冻结时间"),
        "money": ("points as money", "积分抵现"),
        "measure": ("measure", "考核指标"),
        "window": ("window", "考核周期"),
        "holds_until": ("validity of a tier", "等级有效期"),
        "fall": ("how far members fall", "降级方式"),
        "grace": ("grace before falling", "降级宽限期"),
        "on_return": ("effect of returns on tiers", "退货对等级的影响"),
        "tiers": ("order of tiers", "等级顺序"),
        "enter": ("threshold to enter", "升级门槛"),
        "keep": ("threshold to keep", "保级门槛"),
        "multiply": ("multiplier", "积分倍率"),
        "benefits": ("benefit", "权益"),
        "on": ("trigger", "触发行为"),
        "during": ("time", "举办时间"),
        "within": ("time of the member's own", "会员专属时段"),
        "reaches": ("tier to be reached", "须达到的等级"),
        "keeps": ("tier to be kept", "须保住的等级"),
        "when": ("condition", "条件"),
        "lines": ("selection of lines", "适用商品"),
        "grant": ("grant", "发放"),
        "limits": ("limit", "上限"),
        "priority": ("priority", "优先级"),
        "gifts": ("gift", "赠送"),
        "code": ("code", "券码"),
        "per_order": ("how many an order may use", "每单可用张数"),
        "transferable": ("whether it may be passed on", "可否转赠"),
        "floor": ("floor of prices", "价格下限"),
        "round": ("rounding", "取整"),
        "stores": ("stores", "门店"),
        "channels": ("channels", "渠道"),
        "order": ("order of application", "适用顺序"),
        "quote_hold": ("time for which a reserved quote holds", "试算保留时间"),
        "jurisdiction": ("law that draws are checked by", "抽奖适用法律"),
        "kind": ("kind", "类型"),
        "opens": ("opening", "开始时间"),
        "closes": ("closing", "截止时间"),
        "draws_at": ("time of drawing", "开奖时间"),
        "prizes": ("prizes", "奖项"),
        "fallback": ("what a prize becomes that has run out", "奖项发完后的替代"),
        "wins": ("prizes that a member can win", "每位会员中奖上限"),
        "alternates": ("alternates", "候补人数"),
        "exclude": ("who is excluded", "排除条件"),
        "claim": ("time to claim a prize", "兑奖期限"),
        "rules": ("published rules", "公示规则"),
        "changes": ("reasons of changes", "变更理由"),
        "mode": ("mode", "合并方式"),
        "of": ("members", "组成"),
        "about": ("description", "说明"),
        "picture": ("picture", "图片"),
        "gives": ("what it gives", "给予内容"),
        "price": ("price", "兑换价格"),
        "prices": ("further prices", "其他价格"),
        "mix": ("points and cash", "积分加现金"),
        "value": ("value", "价值"),
        "stock": ("stock", "库存"),
        "visible": ("who sees it", "可见范围"),
        "fulfilment": ("fulfilment", "履约规则"),
        "automatic": ("points for automatic redemption", "自动兑换积分"),
        "yearly": ("yearly total", "年度总额"),
    }
)

_SENTENCES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "added": ("{thing} is new.", "新增{thing}。"),
        "removed": ("{thing} is gone.", "取消{thing}。"),
        "moved": ("{thing} is gone; its members move to {after}.", "取消{thing}，原有会员转入 {after}。"),
        "unmapped": (
            "{thing} is gone, and nothing says where its members go.",
            "取消{thing}，但没有说明原有会员转到哪里。",
        ),
        "renamed": ("{thing} has a new id: {before} becomes {after}.", "{thing}的标识由 {before} 改为 {after}。"),
        "changed": ("{thing}: {word} changes from {before} to {after}.", "{thing}：{word}由 {before} 改为 {after}。"),
        "part_added": ("{thing}: {word} {after} is new.", "{thing}：新增{word} {after}。"),
        "part_removed": ("{thing}: {word} {before} is gone.", "{thing}：取消{word} {before}。"),
    }
)

Sentence = Literal["added", "removed", "moved", "unmapped", "renamed", "changed", "part_added", "part_removed"]


def thing(kind: str, name: Texts) -> Texts:
    """What a thing is called, by language: Wallet "Points", 钱包「积分」."""
    english, chinese = _THINGS[kind]
    return {"en": f'{english} "{named_in("en", name)}"', "zh-CN": f"{chinese}「{named_in('zh-CN', name)}」"}


def within(about: Texts, kind: str, name: Texts) -> Texts:
    """A thing as far as another one goes: Tier "Gold" (Wallet "Points")."""
    part = thing(kind, name)
    return {"en": f"{about['en']} ({part['en']})", "zh-CN": f"{about['zh-CN']}（{part['zh-CN']}）"}


def named_in(language: str, name: Texts) -> str:
    """The name in a language, or in the first one it has."""
    return name.get(language) or next(iter(name.values()))


def sentence(
    which: Sentence, about: Texts, word: str = "", before: str | None = None, after: str | None = None
) -> Texts:
    """A sentence about a thing, by language."""
    words = _WORDS.get(word, (word, word))
    return {
        language: text.format(thing=about[language], word=said, before=before, after=after)
        for language, text, said in zip(LANGUAGES, _SENTENCES[which], words, strict=True)
    }
