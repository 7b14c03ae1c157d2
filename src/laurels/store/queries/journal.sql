-- A page of a member's journal, newest first, along the primary key. What the activity says is read with it, and what a
-- person wrote there, unless that was erased.
select e.seq, e.n, e.wallet, e.kind, e.points, e.out_of, e.into_account as into, e.at, e.version, e.campaign, e.rule,
       e.order_id as order, e.redemption, e.lot, e.available_at, e.expires_at, e.reason, e.detail,
       a.source, a.id as activity, a.type, a.occurred_at, a.recorded_at, t.texts
from entry e
join activity a on a.program = e.program and a.member = e.member and a.seq = e.seq and a.bucket = e.bucket
left join free_text t on t.program = a.program and t.member = a.member and t.seq = a.seq and t.bucket = a.bucket
where e.program = $1 and e.member = $2 and e.bucket = $3 and (e.seq, e.n) < ($4::bigint, $5::integer)
  and ($7::text is null or e.wallet = $7)
order by e.seq desc, e.n desc
limit $6
