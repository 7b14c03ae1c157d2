-- The draws that a batch may grant tickets of or play, kept from closing until it commits: whoever closes a draw locks its
-- row for update, and so waits until every ticket that was decided on while it was open is there to be seen. A version
-- that announces a draw anew locks it for no key update, which waits for no batch and keeps none waiting. In the order of
-- the array, which is that of ids; one look-up by the whole key for each.
select d.id, d.state, d.seed, d.numbers
from unnest($2::text[]) as w (id)
cross join lateral (
  select d.id, d.state, s.seed, s.numbers
  from draw d
  join draw_secret s on s.program = d.program and s.draw = d.id
  where d.program = $1 and d.id = w.id
  for key share of d
) d
