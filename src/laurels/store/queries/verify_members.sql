-- Members of a range, with their roots.
select id, bucket, seq, root, wake_at, sealed_at
from member
where program = $1 and id > $2::text and ($3::text is null or id <= $3)
order by id
