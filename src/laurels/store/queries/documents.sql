-- A member's documents by key and by prefix. Keys compare by code point, so a prefix is a range of the primary key.
select key, document
from state
where program = $1 and member = $2 and bucket = $3 and key = any($4::text[])
union
select s.key, s.document
from unnest($5::text[]) as w (prefix)
join state s on s.program = $1 and s.member = $2 and s.bucket = $3
            and s.key >= w.prefix and s.key < w.prefix || U&'\+10FFFF'
