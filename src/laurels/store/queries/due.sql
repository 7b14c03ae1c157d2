-- Who is to be woken first. Sealed members sleep for ever.
select id, wake_at
from member
where program = $1 and wake_at <= $2 and sealed_at is null
order by wake_at, id
limit $3
