-- Who has anything due at all, by id. Activations wake nobody and have no index: only a command to the clock asks.
select id
from member
where program = $1 and id > $2 and sealed_at is null and (root::json ->> 'due_at')::bigint <= $3
order by id
limit $4
