-- What was recorded, without what Laurels itself sent: that comes about again. In the order of members and their own;
-- the other order, in which members meet, is `replay_stored_in_time`. What was said of an order's prices comes along.
select a.member, a.seq, a.source, a.id, a.type, a.occurred_at, a.recorded_at, a.body, a.circumstances,
       t.texts, case when a.type = 'purchase' and strpos(a.facts, '"fact":"priced"') > 0 then a.facts end
from activity a
left join free_text t on t.program = a.program and t.member = a.member and t.seq = a.seq and t.bucket = a.bucket
where a.program = $1 and a.source <> 'laurels'
order by a.member, a.seq
