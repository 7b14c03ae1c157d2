-- How many members got something by some campaigns ($2), and the first of them by id: points, and where $4 says that they
-- give such, tickets and vouchers, of which only facts tell.
select count(*)::int, (array_agg(member order by member))[:$3::int]
from (
  select member from entry where program = $1 and kind = 'accrual' and campaign = any($2::text[])
  union
  select a.member
  from activity a, jsonb_array_elements(a.facts::jsonb) fact
  where $4::bool and a.program = $1 and a.facts ~ '"fact":"(tickets_granted|voucher_issued)"'
    and fact ->> 'fact' in ('tickets_granted', 'voucher_issued')
    and (
      fact ->> 'campaign' = any($2::text[])
      or exists (
        select from jsonb_array_elements(coalesce(fact -> 'grants', '[]')) granted
        where granted ->> 'campaign' = any($2::text[])
      )
    )
) earner
