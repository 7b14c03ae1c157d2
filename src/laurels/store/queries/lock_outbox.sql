-- After the members, before the pools, in the order of the array, which is that of ids. Delivering a follow-up and
-- giving it back exclude each other by this lock.
select o.id, o.status, o.refusal
from unnest($2::text[], $3::smallint[]) as w (id, bucket)
cross join lateral (
  select id, status, refusal from outbox where program = $1 and id = w.id and bucket = w.bucket for update
) o
