-- Programs that tables name without a program of that id, found by hopping along the primary keys: from each to the first
-- one that is not before `onward`, the least text behind it.
with recursive hops as (
  select name, null::text collate "C" as program, '' collate "C" as onward
  from unnest(array['activity', 'entry', 'state', 'member', 'outbox']) as t (name)
  union all
  select h.name, n.program, n.program || U&'\0001'
  from hops h
  cross join lateral (
    select case h.name
      when 'activity' then (select min(program) from activity where program >= h.onward)
      when 'entry' then (select min(program) from entry where program >= h.onward)
      when 'state' then (select min(program) from state where program >= h.onward)
      when 'member' then (select min(program) from member where program >= h.onward)
      when 'outbox' then (select min(program) from outbox where program >= h.onward)
    end as program
  ) n
  where n.program is not null
)
select h.name, h.program
from hops h
where h.program is not null and not exists (select from program p where p.id = h.program)
order by 1, 2
