-- How many members have an open voucher of a kind, and the first of them by id.
select count(*)::int, (array_agg(member order by member))[:$3::int]
from state
where program = $1 and key = 'vouchers' and exists (
  select from jsonb_each(document::jsonb -> 'open') voucher where voucher.value ->> 0 = $2
)
