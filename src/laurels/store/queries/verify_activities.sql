-- A page of the ledger in the order in which state is folded, over a range of members, along the primary key. Nothing
-- is asked of `member`: rows that belong to nobody are found too. A sealed member's text may be gone from free_text.
select a.member, a.seq, a.bucket, a.source, a.id, a.type, a.occurred_at, a.recorded_at, a.engine, a.version, a.known,
       a.body, a.facts, a.circumstances, a.digest, t.texts
from activity a
left join free_text t on t.program = a.program and t.member = a.member and t.seq = a.seq and t.bucket = a.bucket
where a.program = $1 and (a.member, a.seq) > ($2::text, $3::bigint) and ($4::text is null or a.member <= $4)
order by a.member, a.seq
limit $5
