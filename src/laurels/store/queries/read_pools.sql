-- Unlocked: decisions are made on this, and made again where it turns out to have been too much.
select p.id, p.used
from unnest($2::text[]) as w (id)
join pool p on p.program = $1 and p.id = w.id
