-- The journal of a period by what moved where; the whole journal is read, as finance closes a month now and then.
select wallet, kind, out_of, into_account as into, reason, count(*) as entries, sum(points)::bigint as points
from entry
where program = $1 and at >= $2 and at < $3
group by wallet, kind, out_of, into_account, reason
order by wallet, kind, out_of, into_account, reason
