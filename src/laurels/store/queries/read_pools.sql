-- Unlocked: decisions are made on this, and made again where it turns out to have been too much.
select p.id, p.used
from unnest($2::text[]) as w (id)
cross join lateral (select id, used from pool where program = $1 and id = w.id limit 1) p
