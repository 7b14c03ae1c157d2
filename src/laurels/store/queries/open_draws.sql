-- The draws that a batch may grant tickets of or play, kept from closing until it commits: whoever closes a draw locks its
-- row for update, and so waits until every ticket that was decided on while it was open is there to be seen.
select d.id, d.state, s.seed, s.numbers
from draw d
join draw_secret s on s.program = d.program and s.draw = d.id
where d.program = $1 and d.id = any($2::text[])
order by d.id
for key share of d
