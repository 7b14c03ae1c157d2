-- What was played of a program's instant draws, through an index of these activities alone.
select member, facts from activity where program = $1 and type = 'draw_play' order by recorded_at, member, seq
