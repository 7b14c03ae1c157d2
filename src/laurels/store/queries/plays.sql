-- What was played of an instant draw, through an index of these activities alone.
select member, facts
from activity
where program = $1 and type = 'draw_play' and (body::json ->> 'draw') = $2
order by recorded_at, member, seq
