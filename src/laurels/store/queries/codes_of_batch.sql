-- A page of a batch's codes in the order of their text, each with how often it was taken.
select c.code, coalesce(p.used, 0) as used
from (
  select code from code where program = $1 and batch = $2 and code > $3 order by code limit $4
) c
left join lateral (select used from pool where program = $1 and id = 'code/' || c.code limit 1) p on true
order by c.code
