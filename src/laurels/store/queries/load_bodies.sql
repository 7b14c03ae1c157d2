-- Stored purchases that returns look into again. `known` says by which declarations the body is read.
select a.member, a.seq, a.source, a.id, a.type, a.occurred_at, a.known, a.body, a.facts
from unnest($2::text[], $3::bigint[]) as w (member, seq)
cross join lateral (
  select * from activity
  where program = $1 and (member, seq) >= (w.member, w.seq)
  order by program, member, seq limit 1
) a
where a.member = w.member and a.seq = w.seq
