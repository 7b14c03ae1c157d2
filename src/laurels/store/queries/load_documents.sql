-- Documents by name; the caller holds the locks of their members.
select s.member, s.key, s.document
from unnest($2::text[], $3::text[], $4::smallint[]) as w (member, key, bucket)
cross join lateral (
  select member, key, document from state
  where program = $1 and member = w.member and key = w.key and bucket = w.bucket limit 1
) s
