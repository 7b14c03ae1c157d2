-- What a batch decides on, in one round trip: documents by name, whose members' locks the caller holds, what was used of
-- pools, and which codes are in a batch of codes (neither member nor use). Pools are not locked: decisions are made on
-- this, and made again where it turns out to have been too much.
select s.member, s.key, s.document, null::bigint as used
from unnest($2::text[], $3::text[], $4::smallint[]) as w (member, key, bucket)
cross join lateral (
  select member, key, document from state
  where program = $1 and member = w.member and key = w.key and bucket = w.bucket limit 1
) s
union all
select null, p.id, null, p.used
from unnest($5::text[]) as w (id)
cross join lateral (select id, used from pool where program = $1 and id = w.id limit 1) p
union all
select null, c.code, null, null
from unnest($6::text[]) as w (code)
cross join lateral (select code from code where program = $1 and code = w.code limit 1) c
