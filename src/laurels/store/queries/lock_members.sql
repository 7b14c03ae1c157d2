-- First statement of a batch: everyone it may write for, locked in the order of the array, which is that of ids, so
-- that no two batches wait for each other in a circle. The root comes from the locked row itself: the newest there is.
-- One look-up by the whole key for each, whatever the planner believes about the size of the table.
select m.id, m.root, m.sealed_at
from unnest($2::text[], $3::smallint[]) as w (id, bucket)
cross join lateral (
  select id, root, sealed_at from member where program = $1 and id = w.id and bucket = w.bucket for update
) m
