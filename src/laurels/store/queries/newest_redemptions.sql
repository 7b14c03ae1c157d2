-- A member's newest redemptions: each begins once, by an entry that holds its points.
select redemption
from entry
where program = $1 and member = $2 and redemption is not null and out_of = 'available' and into_account = 'held'
order by seq desc, n desc
limit $3
