-- After the members, in the order of the array, which is that of ids, just before everything is written: held for as
-- short as can be.
select p.id, p.used
from unnest($2::text[]) as w (id)
cross join lateral (select id, used from pool where program = $1 and id = w.id for update) p
