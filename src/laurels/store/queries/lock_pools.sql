-- After the members, in the order of ids, just before everything is written: held for as short as can be.
select p.id, p.used
from unnest($2::text[]) as w (id)
join pool p on p.program = $1 and p.id = w.id
order by p.id
for update of p
