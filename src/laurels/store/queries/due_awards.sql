-- Prizes of a draw to send out, whose time is over, or whose member did something or was erased since it was looked last: a
-- page by place and turn, through an index of prizes on their way.
select a.place, a.turn, a.number, a.ticket, a.prize, a.alternate, a.at, a.until, a.status,
       e.member, m.seq, m.sealed_at is not null as is_sealed
from draw_award a
join draw_entry e on e.program = $1 and e.draw = $2 and e.number = a.number
join member m on m.program = $1 and m.id = e.member
where a.program = $1 and a.draw = $2 and a.status in ('pending', 'open') and (a.place, a.turn) > ($4, $5)
  and (a.status = 'pending' or a.until <= $3 or m.seq > a.seen or m.sealed_at is not null)
order by a.place, a.turn
limit $6
