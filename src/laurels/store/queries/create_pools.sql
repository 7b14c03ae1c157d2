-- A pool that nobody used has no row, and what has no row cannot be locked.
insert into pool (program, id, used)
select $1, w.id, 0 from unnest($2::text[]) as w (id) order by w.id
on conflict (program, id) do nothing
