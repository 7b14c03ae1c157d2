-- As lock_members, for looking only.
select m.id, m.root, m.sealed_at
from unnest($2::text[], $3::smallint[]) as w (id, bucket)
join member m on m.program = $1 and m.id = w.id and m.bucket = w.bucket
