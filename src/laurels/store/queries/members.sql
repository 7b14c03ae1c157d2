-- Members by id. With a query, each way of being found is a range of an index of its own; $5 is the query without case,
-- $6 are members who are known by it to the letter.
select m.id, m.seq, m.wake_at, m.sealed_at, m.root
from member m
where m.program = $1 and m.id > $2
  and ($4::text is null or m.id in (
    select id from member where program = $1 and id >= $4 and id < $4 || U&'\+10FFFF' and id > $2
    union
    select member from profile where program = $1 and name_folded >= $5 and name_folded < $5 || U&'\+10FFFF'
    union
    select member from profile where program = $1 and phone >= $4 and phone < $4 || U&'\+10FFFF'
    union
    select member from profile where program = $1 and email >= $5 and email < $5 || U&'\+10FFFF'
    union
    select unnest($6::text[])
  ))
order by m.id
limit $3
