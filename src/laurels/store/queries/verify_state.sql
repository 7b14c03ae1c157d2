-- Documents of a range of members; those of nobody too.
select member, key, bucket, document
from state
where program = $1 and member > $2::text and ($3::text is null or member <= $3)
order by member, key
