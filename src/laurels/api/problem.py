"""Problems: whatever is not what was asked for is `application/problem+json` (RFC 9457) with a stable code.

`PROBLEMS` is the one table of codes that HTTP adds to the refusals of `laurels.core.refusal`: requests that are no
proper ones, things that are not there, and failures. A code in neither table cannot be answered. `FINDINGS` lists the
codes of single findings in `errors`, which say where in the input they lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from laurels.core.refusal import REFUSALS, Refusal
from laurels.core.shape import Problem as Finding

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:laurels:problem:"


class ProblemKind(msgspec.Struct, frozen=True):
    """What a code means: its HTTP status and its title in both languages."""

    status: int
    en: str
    zh: str


PROBLEMS: Final = MappingProxyType(
    {
        "malformed_body": ProblemKind(400, "The body is not well-formed JSON.", "请求体不是合法的 JSON。"),
        "malformed_query": ProblemKind(400, "The query of the address does not fit.", "查询参数不合要求。"),
        "malformed_key": ProblemKind(
            400,
            "Idempotency-Key must be 1 to 128 visible ASCII characters.",
            "Idempotency-Key 须为 1 到 128 个可见 ASCII 字符。",
        ),
        "unauthenticated": ProblemKind(401, "No valid key was sent.", "缺少有效的密钥。"),
        "scope_missing": ProblemKind(403, "The key lacks a scope that this needs.", "密钥缺少所需权限。"),
        "no_such_route": ProblemKind(404, "There is nothing at this address.", "该地址不存在。"),
        "no_such_member": ProblemKind(404, "There is no such member.", "没有这位会员。"),
        "no_such_activity": ProblemKind(404, "No such activity was accepted.", "没有接受过该行为。"),
        "no_such_draw": ProblemKind(404, "There is no such draw.", "没有该抽奖。"),
        "no_such_redemption": ProblemKind(404, "There is no such redemption.", "没有该兑换。"),
        "no_such_quote": ProblemKind(404, "No such quote was reserved.", "没有保留该试算。"),
        "no_such_voucher": ProblemKind(404, "There is no such voucher.", "没有该优惠券。"),
        "no_such_batch": ProblemKind(404, "There is no such batch of codes.", "没有该券码批次。"),
        "no_such_version": ProblemKind(404, "The program has no such version.", "计划没有该版本。"),
        "method_not_allowed": ProblemKind(405, "This address does not answer to this method.", "该地址不支持此方法。"),
        "body_too_slow": ProblemKind(408, "The body did not arrive in time.", "请求体未能及时到达。"),
        "body_too_large": ProblemKind(413, "The body is too large.", "请求体过大。"),
        "unsupported_media_type": ProblemKind(
            415, "The body is not of a media type that this takes.", "不支持该内容类型。"
        ),
        "invalid": ProblemKind(422, "The input does not fit.", "输入不合要求。"),
        "program_invalid": ProblemKind(422, "The program document has errors.", "计划文档有错误。"),
        "internal_error": ProblemKind(500, "A defect of Laurels; nothing was recorded.", "内部错误；未作任何记录。"),
        "overloaded": ProblemKind(503, "Too much is waiting; nothing was recorded.", "请求过多；未作任何记录。"),
        "unavailable": ProblemKind(
            503, "The database did not take the request; send it again.", "数据库暂不可用；请重新发送。"
        ),
    }
)

FINDINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "malformed": "Not well-formed, or half of a surrogate pair.",
        "invalid": "Of the wrong type, or outside what is allowed.",
        "missing": "Must be given, and not be empty.",
        "unknown_field": "There is no such field; often a slip of the pen.",
        "member_missing": "Neither `member` nor `identifier` is given, or both are, or one of them is null.",
        "unknown_type": "There is no such activity type; your own begin with `custom.`.",
        "reserved_source": "A source that only Laurels uses.",
        "other_source": "The key belongs to another source.",
        "other_route": "This type has a route of its own.",
        "scope_missing": "The key lacks the scope for this type of activity.",
        "nul_character": "The character U+0000 cannot be stored.",
        "too_deep": "Nested too deeply.",
        "too_long": "A text, number or list is too long.",
        "too_many_fields": "More fields than are allowed.",
        "too_many_activities": "More than 1,000 activities, or none.",
        "invalid_amount": "Not an amount, or more decimals than the currency has.",
        "negative_amount": "Amounts are not negative.",
        "invalid_quantity": "Not a quantity, or more than six decimals.",
        "negative_quantity": "Quantities are not negative.",
        "invalid_instant": "Not an RFC 3339 instant with an offset.",
        "invalid_field": "Not of the type that the program declares for this field.",
        "missing_field": "The program requires this field.",
        "other_currency": "Not the program's currency.",
        "tax_exceeds_amount": "The tax is part of the amount.",
        "duplicate_line": "Two lines have the same id.",
        "duplicate_redemption": "Two tenders name the same redemption.",
        "duplicate_identifier": "Two identifiers are of the same kind and value.",
        "duplicate_code": "A cart names a voucher twice.",
        "invalid_code": "Not written as a code of a voucher.",
        "invalid_choice": "A choice names neither an offer nor nothing.",
        "contradiction": "Two things that were sent exclude each other.",
        "tenders_mismatch": "The tenders do not sum to the lines' amounts.",
        "redemption_missing": "A points tender names its redemption.",
        "redemption_of_nothing": "A redemption names a reward, or a wallet and points.",
        "needs_reward": "This belongs to a reward, and none is named.",
        "reward_has_price": "The reward says what it costs.",
        "zero_pieces": "A correction by no pieces does nothing.",
        "zero_points": "An adjustment of zero does nothing.",
        "invalid_cursor": "Not a cursor that this list gave.",
        "internal_error": "A defect of Laurels; nothing was recorded for it.",
    }
)
"""What the codes of single findings mean; findings in program documents have the codes of `laurels check`."""


class ProblemBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457. `code` is stable; `errors` says where in the input what is wrong."""

    type: Annotated[str, Meta(description="The code as a URN.", examples=["urn:laurels:problem:unauthenticated"])]
    title: Annotated[str, Meta(description="What the code means.")]
    status: Annotated[int, Meta(ge=400, le=599)]
    code: Annotated[str, Meta(description="Stable; programs decide by it.")]
    detail: str = ""
    errors: tuple[Finding, ...] = ()


class ApiProblem(Exception):  # noqa: N818 - it is an answer to the caller, not an error in the program
    """Ends a request with a problem."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: tuple[Finding, ...] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})
        self.status = status_of(code)

    @classmethod
    def of(cls, refusal: Refusal) -> ApiProblem:
        """A business no as the answer to a request that has no other form for it."""
        return cls(refusal.code, refusal.detail)

    def body(self) -> bytes:
        """The problem document."""
        document = msgspec.to_builtins(problem_body(self.code, self.detail, self.errors))
        document.update(self.extra)
        return msgspec.json.encode(document)


def status_of(code: str) -> int:
    """The HTTP status of a problem or refusal code."""
    kind = PROBLEMS.get(code)
    return REFUSALS[code].status if kind is None else kind.status


def title_of(code: str) -> str:
    """What a problem or refusal code means."""
    kind = PROBLEMS.get(code)
    return REFUSALS[code].en if kind is None else kind.en


def title_zh_of(code: str) -> str:
    """The same in Chinese."""
    kind = PROBLEMS.get(code)
    return REFUSALS[code].zh if kind is None else kind.zh


def problem_body(code: str, detail: str = "", errors: tuple[Finding, ...] = ()) -> ProblemBody:
    """The problem document of a code in one of the two tables."""
    return ProblemBody(
        type=TYPE_PREFIX + code, title=title_of(code), status=status_of(code), code=code, detail=detail, errors=errors
    )


def invalid(*errors: Finding) -> ApiProblem:
    """Input that is well-formed and does not fit."""
    return ApiProblem("invalid", errors=errors)
