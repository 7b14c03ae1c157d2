-- Programs that tables name without a program of that id, found by hopping along the primary keys.
with recursive
activities as (
  (select program from activity order by program limit 1)
  union all
  select (select a.program from activity a where a.program > s.program order by a.program limit 1)
  from activities s where s.program is not null
),
entries as (
  (select program from entry order by program limit 1)
  union all
  select (select e.program from entry e where e.program > s.program order by e.program limit 1)
  from entries s where s.program is not null
),
documents as (
  (select program from state order by program limit 1)
  union all
  select (select d.program from state d where d.program > s.program order by d.program limit 1)
  from documents s where s.program is not null
),
members as (
  (select program from member order by program limit 1)
  union all
  select (select m.program from member m where m.program > s.program order by m.program limit 1)
  from members s where s.program is not null
),
letters as (
  (select program from outbox order by program limit 1)
  union all
  select (select o.program from outbox o where o.program > s.program order by o.program limit 1)
  from letters s where s.program is not null
)
select found.name, found.program
from (
  select 'activity' as name, program from activities
  union all select 'entry', program from entries
  union all select 'state', program from documents
  union all select 'member', program from members
  union all select 'outbox', program from letters
) found
where found.program is not null and not exists (select from program p where p.id = found.program)
order by 1, 2
