-- An activity by its id.
select a.member, a.seq, a.source, a.id, a.type, a.occurred_at, a.recorded_at, a.engine, a.version, a.known, a.body,
       a.facts, a.circumstances, t.texts
from activity a
left join free_text t on t.program = a.program and t.member = a.member and t.seq = a.seq and t.bucket = a.bucket
where a.program = $1 and a.source = $2 and a.id = $3
