-- Everything that a batch brings about, in one statement and one round trip. Rows arrive as columns. The locked member
-- rows are always updated: whoever waits for one reads it anew.
with
activities as (
  insert into activity
    (program, member, seq, bucket, source, id, type, occurred_at, recorded_at, engine, version, body, facts,
     circumstances, digest)
  select $1::text, * from unnest(
    $2::text[], $3::bigint[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[],
    $10::integer[], $11::integer[], $12::text[], $13::text[], $14::text[], $15::bytea[])
),
entries as (
  insert into entry
    (program, member, seq, n, bucket, wallet, kind, points, out_of, into_account, at, version, campaign, rule, order_id,
     redemption, lot, available_at, expires_at, reason, detail)
  select $1::text, * from unnest(
    $16::text[], $17::bigint[], $18::integer[], $19::smallint[], $20::text[], $21::text[], $22::bigint[], $23::text[],
    $24::text[], $25::bigint[], $26::integer[], $27::text[], $28::text[], $29::text[], $30::text[], $31::text[],
    $32::bigint[], $33::bigint[], $34::text[], $35::text[])
),
documents as (
  insert into state (program, member, key, bucket, document)
  select $1::text, * from unnest($36::text[], $37::text[], $38::smallint[], $39::text[])
  on conflict (program, member, key, bucket) do update set document = excluded.document
),
documents_gone as (
  delete from state s
  using unnest($40::text[], $41::text[], $42::smallint[]) as w (member, key, bucket)
  where s.program = $1 and s.member = w.member and s.key = w.key and s.bucket = w.bucket
),
members_new as (
  insert into member (program, id, bucket, seq, root, wake_at)
  select $1::text, * from unnest($43::text[], $44::smallint[], $45::bigint[], $46::text[], $47::bigint[])
),
members_known as (
  update member m
  set seq = w.seq, root = w.root, wake_at = w.wake_at
  from unnest($48::text[], $49::smallint[], $50::bigint[], $51::text[], $52::bigint[])
       as w (id, bucket, seq, root, wake_at)
  where m.program = $1 and m.id = w.id and m.bucket = w.bucket
  returning 1
),
pools as (
  update pool p
  set used = p.used + w.by
  from unnest($53::text[], $54::bigint[]) as w (id, by)
  where p.program = $1 and p.id = w.id
),
sent as (
  insert into outbox (program, id, bucket, sender, seq, member, type, body, occurred_at, status)
  select $1::text, *, 'pending' from unnest(
    $55::text[], $56::smallint[], $57::text[], $58::bigint[], $59::text[], $60::text[], $61::text[], $62::bigint[])
),
settled as (
  update outbox o
  set status = w.status, refusal = coalesce(w.refusal, o.refusal)
  from unnest($63::text[], $64::smallint[], $65::text[], $66::text[]) as w (id, bucket, status, refusal)
  where o.program = $1 and o.id = w.id and o.bucket = w.bucket
),
texts as (
  insert into free_text (program, member, seq, bucket, texts)
  select $1::text, * from unnest($67::text[], $68::bigint[], $69::smallint[], $70::text[])
),
clock as (
  update program set clock = greatest(clock, $71::bigint) where id = $1 and $71::bigint is not null
)
select count(*) from members_known
