-- Stored purchases that returns look into again. `known` says by which declarations the body is read.
select a.member, a.seq, a.source, a.id, a.type, a.occurred_at, a.known, a.body, a.facts
from unnest($2::text[], $3::bigint[], $4::smallint[]) as w (member, seq, bucket)
join activity a on a.program = $1 and a.member = w.member and a.seq = w.seq and a.bucket = w.bucket
