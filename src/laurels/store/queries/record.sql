-- Everything that a batch brings about, in one statement and one round trip. Rows arrive whole, as values of the types
-- that their tables are, which costs both sides a quarter of what one array a column costs. The locked member rows are
-- always updated: whoever waits for one reads it anew. Rows are reached through the whole of their key, by conflict or
-- by place, so that the plan is the same for a young table and for an old one.
-- What stands first is carried out last: pools are shared by everybody, and locked for as short a time as can be. One
-- that holds more than the decisions rest on becomes null, which the table refuses. What is taken of each is looked up by
-- its place in the array: a join would, where the table was young, go through all pools of the program, and every code
-- that was taken has one. By ctid, a pool that was updated meanwhile would be passed over.
with
pools as (
  update pool p
  set used = (
    select case when p.used <= w.at_most then p.used + w.by end
    from (select ($11::bigint[])[i], ($12::bigint[])[i] from array_position($10::text[], p.id) i) w (by, at_most)
  )
  where p.program = $1 and p.id = any ($10::text[])
),
activities as (
  insert into activity select * from unnest($2::activity[])
),
entries as (
  insert into entry select * from unnest($3::entry[])
),
documents as (
  insert into state select * from unnest($4::state[])
  on conflict (program, member, key, bucket) do update set document = excluded.document
),
documents_gone as (
  delete from state
  where ctid = any (array(
    select s.ctid
    from unnest($5::text[], $6::text[], $7::smallint[]) as w (member, key, bucket)
    cross join lateral (
      select ctid from state where program = $1 and member = w.member and key = w.key and bucket = w.bucket limit 1
    ) s
  ))
),
members_new as (
  insert into member select * from unnest($8::member[])
),
members_known as (
  insert into member select * from unnest($9::member[])
  on conflict (program, id, bucket) do update
  set seq = excluded.seq, root = excluded.root, wake_at = excluded.wake_at
),
sent as (
  insert into outbox select * from unnest($13::outbox[])
),
settled as (
  update outbox o
  set status = w.status, refusal = coalesce(w.refusal, o.refusal)
  from (
    select s.ctid as place, u.status, u.refusal
    from unnest($14::text[], $15::smallint[], $16::text[], $17::text[]) as u (id, bucket, status, refusal)
    cross join lateral (
      select ctid from outbox where program = $1 and id = u.id and bucket = u.bucket limit 1
    ) s
  ) w
  where o.ctid = w.place
),
texts as (
  insert into free_text select * from unnest($18::free_text[])
),
clock as (
  update program set clock = greatest(clock, $19::bigint) where id = $1 and $19::bigint is not null
)
select
