-- The kinds of identifiers that there are, one look into the index for each instead of reading it whole.
with recursive known (kind) as (
  select min(kind) from identifier where program = $1
  union all
  select (select min(kind) from identifier where program = $1 and kind > k.kind) from known k where k.kind is not null
)
select kind from known where kind is not null
