-- Pools of codes of which more was used than the code's batch allows, or whose code is in no batch.
select p.id, p.used, b.uses
from pool p
left join code c on c.program = p.program and c.code = substr(p.id, 6)
left join code_batch b on b.program = c.program and b.number = c.batch
where p.program = $1 and p.id >= 'code/' and p.id < 'code0' and p.used > 0
  and (b.number is null or p.used > b.uses)
order by p.id
