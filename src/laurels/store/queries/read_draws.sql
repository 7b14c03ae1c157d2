-- The same as open_draws.sql for whoever looks and records nothing: nobody waits.
select d.id, d.state, s.seed, s.numbers
from draw d
join draw_secret s on s.program = d.program and s.draw = d.id
where d.program = $1 and d.id = any($2::text[])
