-- After the members, before the pools. Delivering a follow-up and giving it back exclude each other by this lock.
select o.id, o.status, o.refusal
from unnest($2::text[], $3::smallint[]) as w (id, bucket)
join outbox o on o.program = $1 and o.id = w.id and o.bucket = w.bucket
order by o.id
for update of o
