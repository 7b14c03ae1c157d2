-- Second statement, never part of the first: only a snapshot taken after the locks shows what their former holders
-- recorded. One row at least: the program's mode, clock and newest version come with every batch, so that none is
-- decided under an old one. An id is looked for as the first one not before it, which no other index can answer.
select p.mode, p.clock, (select max(v.number) from program_version v where v.program = p.id) as head,
       a.source, a.id, a.member, a.seq, a.type, a.occurred_at, a.recorded_at, a.version, a.body, a.facts,
       t.seq is not null as has_texts, t.texts
from program p
left join (
  unnest($2::text[], $3::text[]) as w (source, id)
  cross join lateral (
    select * from activity
    where program = $1 and (source, id) >= (w.source, w.id)
    order by program, source, id limit 1
  ) a
) on a.source = w.source and a.id = w.id
left join lateral (
  select seq, texts from free_text
  where program = $1 and member = a.member and seq = a.seq and bucket = a.bucket limit 1
) t on true
where p.id = $1
