"""Questions that the demo proposes, about households and baskets in which there is something to see."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from laurels.cli.outside import Running
from laurels.cli.shopping import SOURCE
from laurels.core.program.model import Program


class Question(msgspec.Struct, frozen=True):
    """A question and the path that answers it."""

    text: str
    path: str


async def questions(running: Running, program: Program) -> tuple[Question, ...]:
    """Three questions: what a member has, how far the next tier is, and why a basket earned what it did."""
    pool = running.database.pool
    # A basket in which as many campaigns as possible had a say.
    basket = await pool.fetchrow(
        "select e.member, a.id, sum(e.points)::bigint as points "
        "from entry e join activity a on a.program = e.program and a.member = e.member and a.seq = e.seq "
        "and a.bucket = e.bucket "
        "where e.program = $1 and e.kind = 'accrual' and a.type = 'purchase' and e.member in "
        "(select id from member where program = $1 order by seq desc limit 20) "
        "group by e.member, a.id order by count(*) desc, sum(e.points) desc limit 1",
        program.id,
    )
    if basket is None:
        return ()
    # Somebody in the middle, who has a tier to reach yet.
    middle = await pool.fetchval(
        "select id from member where program = $1 order by seq, id "
        "offset (select count(*) / 2 from member where program = $1) limit 1",
        program.id,
    )
    member = basket["member"]
    return (
        Question(
            f"What does household {member} have, and what expires when?",
            f"/v1/members/{quote(member, safe='')}/balances",
        ),
        Question(
            f"How far is the next tier for household {middle}?",
            f"/v1/members/{quote(middle, safe='')}/tiers",
        ),
        Question(
            f"Why did basket {basket['id']} earn {basket['points']:,} points?",
            f"/v1/members/{quote(member, safe='')}/explanations/{SOURCE}/{quote(basket['id'], safe='')}",
        ),
    )
