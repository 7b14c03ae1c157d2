-- First statement of a batch: everyone it may write for, locked in the order of ids, so that no two batches wait for
-- each other in a circle. The root comes from the locked row itself and is the newest there is.
-- Joined to unnest, not `= any`: two arrays on one index multiply before PostgreSQL 17.
select m.id, m.root, m.sealed_at
from unnest($2::text[], $3::smallint[]) as w (id, bucket)
join member m on m.program = $1 and m.id = w.id and m.bucket = w.bucket
order by m.id
for update of m
