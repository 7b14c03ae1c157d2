-- Cuts the members of a program, by id, into ranges of about so many activities; each range by its last member.
select max(id) as upto, sum(seq)::bigint as activities
from (
  select id, seq, (sum(seq) over (order by id rows unbounded preceding) - seq) / $2::bigint as part
  from member
  where program = $1 and id > $3::text
) numbered
group by floor(part)
order by 1
