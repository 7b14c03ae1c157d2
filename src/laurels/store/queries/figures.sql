-- The whole journal by what moved where and why; finance and managers ask now and then.
select wallet, kind, campaign, rule, out_of, into_account as into, sum(points)::bigint as points, count(*) as times
from entry
where program = $1
group by wallet, kind, campaign, rule, out_of, into_account
