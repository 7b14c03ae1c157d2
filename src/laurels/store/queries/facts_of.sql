-- Facts of activities that hold one of some sorts ($2 is a regular expression), in each member's own order; for a summary.
select member, facts
from activity
where program = $1 and facts ~ $2
order by member, seq
