-- Unlocked: this is told, and nothing is decided on it.
select p.id, p.used
from unnest($2::text[]) as w (id)
cross join lateral (select id, used from pool where program = $1 and id = w.id limit 1) p
