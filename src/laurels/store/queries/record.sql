-- Everything that a batch brings about, in one statement and one round trip. Rows arrive as columns. The locked member
-- rows are always updated: whoever waits for one reads it anew. Rows are reached through the whole of their key, by
-- conflict or by place, so that the plan is the same for a young table and for an old one.
with
activities as (
  insert into activity
    (program, member, seq, bucket, source, id, type, occurred_at, recorded_at, engine, version, known, body,
     facts, circumstances, digest)
  select $1::text, * from unnest(
    $2::text[], $3::bigint[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[],
    $10::integer[], $11::integer[], $12::integer[], $13::text[], $14::text[], $15::text[], $16::bytea[])
),
entries as (
  insert into entry
    (program, member, seq, n, bucket, wallet, kind, points, out_of, into_account, at, version, campaign, rule, order_id,
     redemption, lot, available_at, expires_at, reason, detail)
  select $1::text, * from unnest(
    $17::text[], $18::bigint[], $19::integer[], $20::smallint[], $21::text[], $22::text[], $23::bigint[], $24::text[],
    $25::text[], $26::bigint[], $27::integer[], $28::text[], $29::text[], $30::text[], $31::text[], $32::text[],
    $33::bigint[], $34::bigint[], $35::text[], $36::text[])
),
documents as (
  insert into state (program, member, key, bucket, document)
  select $1::text, * from unnest($37::text[], $38::text[], $39::smallint[], $40::text[])
  on conflict (program, member, key, bucket) do update set document = excluded.document
),
documents_gone as (
  delete from state
  where ctid = any (array(
    select s.ctid
    from unnest($41::text[], $42::text[], $43::smallint[]) as w (member, key, bucket)
    cross join lateral (
      select ctid from state where program = $1 and member = w.member and key = w.key and bucket = w.bucket limit 1
    ) s
  ))
),
members_new as (
  insert into member (program, id, bucket, seq, root, wake_at)
  select $1::text, * from unnest($44::text[], $45::smallint[], $46::bigint[], $47::text[], $48::bigint[])
),
members_known as (
  insert into member (program, id, bucket, seq, root, wake_at)
  select $1::text, * from unnest($49::text[], $50::smallint[], $51::bigint[], $52::text[], $53::bigint[])
  on conflict (program, id, bucket) do update
  set seq = excluded.seq, root = excluded.root, wake_at = excluded.wake_at
),
pools as (
  update pool p
  set used = p.used + w.by
  from unnest($54::text[], $55::bigint[]) as w (id, by)
  where p.program = $1 and p.id = w.id
),
sent as (
  insert into outbox (program, id, bucket, sender, seq, member, type, body, occurred_at, status)
  select $1::text, *, 'pending' from unnest(
    $56::text[], $57::smallint[], $58::text[], $59::bigint[], $60::text[], $61::text[], $62::text[], $63::bigint[])
),
settled as (
  update outbox o
  set status = w.status, refusal = coalesce(w.refusal, o.refusal)
  from (
    select s.ctid as place, u.status, u.refusal
    from unnest($64::text[], $65::smallint[], $66::text[], $67::text[]) as u (id, bucket, status, refusal)
    cross join lateral (
      select ctid from outbox where program = $1 and id = u.id and bucket = u.bucket limit 1
    ) s
  ) w
  where o.ctid = w.place
),
texts as (
  insert into free_text (program, member, seq, bucket, texts)
  select $1::text, * from unnest($68::text[], $69::bigint[], $70::smallint[], $71::text[])
),
clock as (
  update program set clock = greatest(clock, $72::bigint) where id = $1 and $72::bigint is not null
)
select
