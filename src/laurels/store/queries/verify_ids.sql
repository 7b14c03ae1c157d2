-- Activities of different members that were recorded under one id: the index activity_id keeps them out on one server,
-- nothing does across the buckets of Citus. The ids are read off that index alone, in its order.
select a.source, a.id, a.member, a.seq
from (
  select source, id
  from activity
  where program = $1
  group by source, id
  having count(*) > 1
) twice
join activity a on a.program = $1 and a.source = twice.source and a.id = twice.id
order by a.source, a.id, a.recorded_at, a.member, a.seq
