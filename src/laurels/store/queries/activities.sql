-- A member's activities in the order in which state is folded.
select a.member, a.seq, a.source, a.id, a.type, a.occurred_at, a.recorded_at, a.engine, a.version, a.known, a.body,
       a.facts, a.circumstances, t.texts
from activity a
left join free_text t on t.program = a.program and t.member = a.member and t.seq = a.seq and t.bucket = a.bucket
where a.program = $1 and a.member = $2 and a.bucket = $3 and a.seq > $4
order by a.seq
limit $5
