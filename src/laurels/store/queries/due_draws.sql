-- Draws about which something is to do, a page by id: through an index of those that are not settled. Of a drawn one that is
-- a prize to send out, one whose time is over, one whose member did something since it was looked last, or the end.
select d.id
from draw d
where d.program = $1 and d.state <> 'settled' and d.id > $3
  and case d.state
    when 'open' then d.closes_at <= $2
    when 'closing' then true
    when 'closed' then d.draws_at <= $2
    else
      not exists (
        select from draw_award a where a.program = $1 and a.draw = d.id and a.status in ('pending', 'open')
      )
      or exists (
        select from draw_award a
        join draw_entry e on e.program = $1 and e.draw = d.id and e.number = a.number
        join member m on m.program = $1 and m.id = e.member
        where a.program = $1 and a.draw = d.id and a.status in ('pending', 'open')
          and (a.status = 'pending' or a.until <= $2 or m.seq > a.seen or m.sealed_at is not null)
      )
  end
order by d.id
limit $4
