-- The same in the order of recording, for what members share: budgets, and points that go from one to another.
select a.member, a.seq, a.source, a.id, a.type, a.occurred_at, a.recorded_at, a.body, a.circumstances,
       t.texts, case when a.type = 'purchase' and strpos(a.facts, '"fact":"priced"') > 0 then a.facts end
from activity a
left join free_text t on t.program = a.program and t.member = a.member and t.seq = a.seq and t.bucket = a.bucket
where a.program = $1 and a.source <> 'laurels'
order by a.recorded_at, a.member, a.seq
