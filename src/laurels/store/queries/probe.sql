-- Second statement, never part of the first: only a snapshot taken after the locks shows what their former holders
-- recorded. One row at least: the program's mode, clock and newest version come with every batch, so that none is
-- decided under an old one.
select p.mode, p.clock, (select max(v.number) from program_version v where v.program = p.id) as head,
       a.source, a.id, a.member, a.seq, a.type, a.occurred_at, a.recorded_at, a.version, a.body, a.facts,
       t.seq is not null as has_texts, t.texts
from program p
left join lateral (
  select a.*
  from unnest($2::text[], $3::text[]) as w (source, id)
  join activity a on a.program = $1 and a.source = w.source and a.id = w.id
) a on true
left join free_text t on t.program = $1 and t.member = a.member and t.seq = a.seq and t.bucket = a.bucket
where p.id = $1
