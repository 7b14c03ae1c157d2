-- Documents by name; the caller holds the locks of their members.
select s.member, s.key, s.document
from unnest($2::text[], $3::text[], $4::smallint[]) as w (member, key, bucket)
join state s on s.program = $1 and s.member = w.member and s.key = w.key and s.bucket = w.bucket
