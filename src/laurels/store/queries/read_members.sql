-- As lock_members, for looking only.
select m.id, m.root, m.sealed_at
from unnest($2::text[], $3::smallint[]) as w (id, bucket)
cross join lateral (
  select id, root, sealed_at from member where program = $1 and id = w.id and bucket = w.bucket limit 1
) m
