-- The whole schema as it stands. It is what the migrations add up to, proven by a test, and it is written to be read.
--
-- Instants are bigint, microseconds since 1970 UTC (docs/adr/0003-instants-are-integers.md). What belongs to a member
-- is keyed by program and id and carries `bucket` last: SHA-256 of the member's id, its last ten bits. Ids compare by
-- code point, so that the order in which rows are locked is the same everywhere.
--
-- Ledger tables (activity, entry, program_version, pool_correction) are append-only: the application's role, laurels_app, may not
-- update or delete their rows. Everything else can be made anew from them or is about people and settings.

create schema laurels;
set search_path = laurels;

do $$
begin
  create role laurels_app nologin;
exception when duplicate_object then null;
end $$;

create table schema_migration (
  number     integer primary key,
  name       text    not null,
  sha256     bytea   not null,
  applied_at timestamptz not null default now()
);
comment on table schema_migration is 'Which migrations this database has seen, each with the digest of its text.';


-- programs ------------------------------------------------------------------------------------------------------------

create table program (
  id         text collate "C" primary key,
  mode       text   not null check (mode in (
               'setup',     -- being prepared, with a clock of its own; becomes live, once
               'sandbox',   -- for trying out, with a clock of its own; stays a sandbox
               'live'       -- follows real time; stays live
             )),
  clock      bigint,
  secret     bytea  not null,
  created_at bigint not null
);
comment on table  program is 'A loyalty program.';
comment on column program.mode is 'setup -> live; sandbox and live are for good.';
comment on column program.clock is 'The time in a program with a clock of its own; null until something happened. Never moves back.';
comment on column program.secret is 'Keys the digests of its members'' identifiers.';

create table program_version (
  program      text collate "C" not null references program,
  number       integer not null check (number >= 1),
  effective_at bigint  not null check (effective_at >= 0),
  published_at bigint  not null,
  document     text    not null,
  digest       bytea   not null,
  primary key (program, number)
);
comment on table  program_version is 'Ledger: what the program was from an instant on; numbers count from 1 without gaps.';
comment on column program_version.effective_at is 'In effect from here on; 0 is from the beginning of time.';
comment on column program_version.document is 'The program document as published, YAML or JSON.';
comment on column program_version.digest is 'SHA-256 of the row (laurels.store.digest).';

create table api_key (
  digest     bytea primary key check (length(digest) = 32),
  id         text collate "C" not null unique,
  program    text collate "C" not null references program,
  source     text   not null,
  name       text   not null,
  scopes     text[] not null,
  created_at bigint not null,
  revoked_at bigint
);
create index api_key_of_program on api_key (program, created_at);
comment on table  api_key is 'Who may do what in a program. The key itself is shown once and never stored.';
comment on column api_key.digest is 'SHA-256 of the key.';
comment on column api_key.source is 'The source of every activity sent with the key.';


-- the ledger ----------------------------------------------------------------------------------------------------------

create table activity (
  program       text collate "C" not null,
  member        text collate "C" not null,
  seq           bigint   not null check (seq >= 1),
  bucket        smallint not null,
  source        text collate "C" not null,
  id            text collate "C" not null,
  type          text     not null,
  occurred_at   bigint   not null,
  recorded_at   bigint   not null,
  engine        integer  not null,
  version       integer  not null,
  known         integer  not null,
  body          text     not null,
  facts         text     not null,
  circumstances text,
  digest        bytea    not null,
  primary key (program, member, seq, bucket)
);
-- Citus holds this per bucket only; elsewhere it makes an id unique across members.
create unique index activity_id on activity (program, source, id);
comment on table  activity is 'Ledger: what members did and what came of it, as it was decided then.';
comment on column activity.seq is 'Counts the member''s activities from 1 without gaps; state is folded in this order.';
comment on column activity.engine is 'Which release of the decisions decided it.';
comment on column activity.version is 'The version of the program in effect when it occurred.';
comment on column activity.known is 'The newest version that was known when it was decided; later ones had no say.';
comment on column activity.body is 'Its data (JSON) as sent; free text in it is replaced by "" and kept in free_text.';
comment on column activity.facts is 'What came of it (JSON, laurels.core.facts), explanation included.';
comment on column activity.circumstances is 'What else the decision knew from outside (JSON): what was used of pools. Null: nothing.';
comment on column activity.digest is 'SHA-256 of the row (laurels.store.digest).';

create table entry (
  program      text collate "C" not null,
  member       text collate "C" not null,
  seq          bigint   not null,
  n            integer  not null,
  bucket       smallint not null,
  wallet       text     not null,
  kind         text     not null check (kind in (
                 'accrual',     -- points earned
                 'activation',  -- pending points became available
                 'redemption',  -- points held, spent, or given back from a hold
                 'expiry',      -- points ran out
                 'adjustment',  -- given or taken by a person, or brought from another system
                 'reversal',    -- what a return took back or gave back
                 'transfer',    -- points on their way to or from another member
                 'debt',        -- points owed, or repaid by earning
                 'write_off'    -- points that could not be taken back
               )),
  points       bigint   not null check (points > 0),
  out_of       text     not null,
  into_account text     not null check (into_account <> out_of),
  at           bigint   not null,
  version      integer  not null,
  campaign     text,
  rule         text,
  order_id     text,
  redemption   text,
  lot          text,
  available_at bigint,
  expires_at   bigint,
  reason       text,
  detail       text,
  primary key (program, member, seq, n, bucket)
);
comment on table  entry is
  'Ledger: the journal. Each row moves points from one account to another, so that it sums to zero by construction.';
comment on column entry.n is 'The place among the entries of its activity, from 0.';
comment on column entry.out_of is
  'The account debited: pending, available, held, debt (the member''s), issuance, redemption, breakage, in_transit, adjustment, write_off (the system''s).';
comment on column entry.into_account is 'The account credited; the same names.';
comment on column entry.at is 'When it took effect; not before the instant it fell due.';
comment on column entry.version is 'The version of the program it was judged by.';
comment on column entry.detail is 'JSON: "lines", what each line of the order earned; "parts", the lots that were taken from or given back to.';

create view posting as
  select program, member, seq, n, bucket, wallet, kind, at, out_of as account, -points as points from entry
  union all
  select program, member, seq, n, bucket, wallet, kind, at, into_account, points from entry;
comment on view posting is 'The journal as double entry: two rows for each entry, which sum to zero.';

create view member_account as
  select program, member, bucket, wallet, account, sum(points)::bigint as points
  from posting
  where account in ('pending', 'available', 'held', 'debt')
  group by program, member, bucket, wallet, account;
comment on view member_account is 'What the journal says members have; debt is negative.';

create view system_account as
  select program, wallet, account, sum(points)::bigint as points
  from posting
  where account not in ('pending', 'available', 'held', 'debt')
  group by program, wallet, account;
comment on view system_account is
  'System accounts, rolled up when read: issuance is minus what was ever issued, breakage what expired, and so on.';


-- state, which can be made anew from the ledger -----------------------------------------------------------------------

create table member (
  program   text collate "C" not null,
  id        text collate "C" not null,
  bucket    smallint not null,
  seq       bigint   not null,
  root      text     not null,
  wake_at   bigint,
  sealed_at bigint,
  primary key (program, id, bucket)
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);
create index member_due on member (program, wake_at) where wake_at is not null;
comment on table  member is 'Members with their root documents. Whoever writes for a member locks this row first and updates it.';
comment on column member.seq is 'The member''s last activity.';
comment on column member.root is 'The root document (JSON): balances, standing, running counters.';
comment on column member.wake_at is 'When a sweep should look at the member next.';
comment on column member.sealed_at is 'Since when the member is erased; nothing can be recorded any more.';

create table state (
  program  text collate "C" not null,
  member   text collate "C" not null,
  key      text collate "C" not null,
  bucket   smallint not null,
  document text     not null,
  primary key (program, member, key, bucket)
) with (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.05);
create index state_voucher on state (program, key) where key >= 'voucher/' and key < 'voucher0';
create index state_vouchers on state (program, member) where key = 'vouchers';
comment on table state is
  'The other documents of members (JSON) by key: lots/<wallet>/<page>, order/<id>, redemption/<id>, expired/<lot>, measures/<track>.';

create table pool (
  program text collate "C" not null references program,
  id      text collate "C" not null,
  used    bigint not null,
  primary key (program, id)
) with (fillfactor = 50);
comment on table pool is 'What was used of anything limited. Locked where little is left, in the order of ids; else taken by the write, last of all.';

create table pool_correction (
  program      text collate "C" not null references program,
  pool         text collate "C" not null,
  number       integer not null check (number >= 1),
  id           text collate "C" not null,
  by           bigint  not null check (by <> 0),
  reason       text    not null,
  source       text    not null,
  corrected_at bigint  not null,
  digest       bytea   not null,
  primary key (program, pool, number),
  unique (program, pool, id)
);
comment on table  pool_correction is
  'Ledger: what people corrected in pools. What is used of a pool is what activities claimed and what was corrected.';
comment on column pool_correction.number is 'Counts the pool''s corrections from 1 without gaps.';
comment on column pool_correction.id is 'Follows from the Idempotency-Key, so that the same correction is made once.';
comment on column pool_correction.by is 'What is used more (fewer pieces are left), or less (negative).';
comment on column pool_correction.source is 'The source of the key that corrected it.';
comment on column pool_correction.digest is 'SHA-256 of the row (laurels.store.digest).';

create table outbox (
  program     text collate "C" not null,
  id          text collate "C" not null,
  bucket      smallint not null,
  sender      text collate "C" not null,
  seq         bigint   not null,
  member      text collate "C" not null,
  type        text     not null,
  body        text     not null,
  occurred_at bigint   not null,
  status      text     not null check (status in (
                'pending',    -- to be submitted for `member`; becomes delivered or returning
                'delivered',  -- accepted there
                'returning',  -- refused there, to be given back to the sender; becomes returned
                'returned'    -- given back
              )),
  refusal     text,
  primary key (program, id, bucket)
);
create index outbox_open on outbox (program, id) where status in ('pending', 'returning');
comment on table  outbox is
  'Activities that members send to others, written with what caused them. The bucket is the sender''s.';
comment on column outbox.id is 'The id, under the source laurels, of the activity that it becomes.';
comment on column outbox.seq is 'The sender''s activity that caused it.';
comment on column outbox.status is 'pending -> delivered, or pending -> returning -> returned; moved by the transaction that records it.';
comment on column outbox.refusal is 'JSON: why it was refused.';

-- codes that belong to nobody yet --------------------------------------------------------------------------------------

create table code_batch (
  program     text collate "C" not null references program,
  id          text collate "C" not null,
  number      integer not null,
  voucher     text    not null,
  kind        text    not null check (kind in (
                'generated',  -- made here, of a seed
                'imported'    -- a list from elsewhere
              )),
  uses        bigint check (uses >= 1),
  expires_at  bigint,
  wanted      bigint,
  position    bigint not null,
  made        bigint not null,
  seed        bytea,
  digest      bytea,
  created_at  bigint not null,
  finished_at bigint,
  primary key (program, id)
);
create unique index code_batch_number on code_batch (program, number);
comment on table  code_batch is 'Codes of one kind of voucher that were made or imported together.';
comment on column code_batch.number is 'What its codes refer to it by.';
comment on column code_batch.voucher is 'The key of the kind of voucher.';
comment on column code_batch.uses is 'How often each code may be used in all; null: as often as the kind of voucher allows.';
comment on column code_batch.wanted is 'How many codes are to be made; null for a list.';
comment on column code_batch.position is 'How many of them, or rows of the list, are done with.';
comment on column code_batch.made is 'How many codes it has.';
comment on column code_batch.seed is 'What the codes are made of, until all of them are made.';
comment on column code_batch.digest is 'SHA-256 of the rows of the list that are done with, by which it is known again.';

create table code (
  program text collate "C" not null,
  code    text collate "C" not null,
  batch   integer not null,
  primary key (program, code)
);
create index code_batch_order on code (program, batch, code);
comment on table  code is 'Codes that anybody may take, or use. Who took one is said by the pool code/<code> and the member''s documents.';
comment on column code.batch is 'The number of the batch.';


-- draws ---------------------------------------------------------------------------------------------------------------

create table draw (
  program      text collate "C" not null references program,
  id           text collate "C" not null,
  kind         text   not null check (kind in (
                 'scheduled',  -- closes, then is drawn
                 'instant'     -- each ticket is played by itself
               )),
  state        text   not null check (state in (
                 'open',       -- announced; takes tickets between its instants; becomes closing, or drawn if instant
                 'closing',    -- takes no ticket any more, and those that members have enter; becomes closed
                 'closed',     -- its entries and their root are public; becomes drawn
                 'drawn',      -- its seed is public, and who won; prizes are on their way; becomes settled
                 'settled'     -- nothing can happen any more
               )),
  closes_at    bigint not null,
  draws_at     bigint,
  announcement text   not null,
  replaced     text   not null,
  closed_at    bigint,
  entries      bigint,
  root         bytea,
  drawn_at     bigint,
  seed         bytea,
  winners      text,
  alternates   text,
  primary key (program, id),
  check ((draws_at is null) = (kind = 'instant')),
  check ((state in ('closed', 'drawn', 'settled') and kind = 'scheduled')
         = (closed_at is not null and entries is not null and root is not null)),
  check ((state in ('drawn', 'settled'))
         = (seed is not null and drawn_at is not null and winners is not null and alternates is not null))
);
create index draw_going_on on draw (program, id) where state <> 'settled';
comment on table  draw is 'Draws, with all that is public of them. A state is never left for an earlier one.';
comment on column draw.state is 'open -> closing -> closed -> drawn -> settled; of an instant draw open -> drawn -> settled.';
comment on column draw.announcement is 'JSON: what was published before anybody could win (laurels.core.draw_record).';
comment on column draw.replaced is 'JSON: the announcements before that, oldest first.';
comment on column draw.entries is 'How many there are.';
comment on column draw.seed is 'Public since it was drawn; until then in draw_secret alone.';
comment on column draw.winners is 'JSON: the entry of each place.';
comment on column draw.alternates is 'JSON: the entries that come next, in their order.';

create function draw_goes_on() returns trigger language plpgsql as $$
declare
  steps text[] := case old.kind when 'instant' then array['open', 'drawn', 'settled']
                                else array['open', 'closing', 'closed', 'drawn', 'settled'] end;
begin
  if new.state <> old.state
     and array_position(steps, new.state) is distinct from array_position(steps, old.state) + 1 then
    raise exception 'the draw % is % and cannot become % now', old.id, old.state, new.state;
  end if;
  if (new.program, new.id, new.kind) is distinct from (old.program, old.id, old.kind)
     or (old.state <> 'open' and (new.announcement, new.replaced, new.closes_at, new.draws_at) is distinct from
                                 (old.announcement, old.replaced, old.closes_at, old.draws_at))
     or (old.closed_at is not null and (new.root, new.entries, new.closed_at) is distinct from
                                       (old.root, old.entries, old.closed_at))
     or (old.seed is not null and (new.seed, new.winners, new.alternates, new.drawn_at) is distinct from
                                  (old.seed, old.winners, old.alternates, old.drawn_at)) then
    raise exception 'what was published of the draw % cannot be changed', old.id;
  end if;
  return new;
end $$;
create trigger draw_goes_on before update on draw for each row execute function draw_goes_on();

create function draw_stays() returns trigger language plpgsql as $$
begin
  raise exception 'a draw cannot be taken back, nor what becomes of it';
end $$;
create trigger draw_stays before delete or truncate on draw for each statement execute function draw_stays();

create table draw_secret (
  program text collate "C" not null,
  draw    text collate "C" not null,
  seed    bytea not null check (length(seed) = 32),
  numbers bytea not null check (length(numbers) = 32),
  primary key (program, draw)
);
comment on table  draw_secret is 'What must stay secret of a draw: its seed until it is drawn, the key of its numbers for ever.';
comment on column draw_secret.numbers is 'Keys the numbers by which members are known in the draw.';

create table draw_entry (
  program text collate "C" not null,
  draw    text collate "C" not null,
  number  text collate "C" not null,
  member  text collate "C" not null,
  tickets text not null,
  primary key (program, draw, number)
);
comment on table  draw_entry is 'Who is in a draw, as of its close.';
comment on column draw_entry.tickets is 'JSON: the numbers of the member''s tickets, in order.';

create table draw_award (
  program   text collate "C" not null,
  draw      text collate "C" not null,
  place     integer not null,
  turn      integer not null,
  number    text collate "C" not null,
  ticket    bigint  not null,
  prize     text    not null,
  alternate integer,
  at        bigint  not null,
  until     bigint,
  seen      bigint  not null default 0,
  status    text    not null check (status in (
              'pending',    -- to be submitted for the member; becomes open, given or refused
              'open',       -- waits to be claimed; becomes claimed or forfeited
              'given',      -- points or a voucher, which the member has
              'claimed',    -- the member has it
              'forfeited',  -- nobody claimed it in its time; goes to an alternate
              'refused'     -- the member cannot have it any more; goes to an alternate
            )),
  primary key (program, draw, place, turn)
);
comment on table  draw_award is 'Prizes on their way to those whom a draw gave them: first the winner of a place, then alternates.';
comment on column draw_award.turn is '0 is the winner''s; each forfeit begins another one.';
comment on column draw_award.alternate is 'Which alternate, from 1; null for the winner.';
comment on column draw_award.until is 'When it is forfeited.';
comment on column draw_award.seen is 'How far the member had come (member.seq) when it was last looked whether they claimed it.';
create index draw_award_on_its_way on draw_award (program, draw, place, turn) where status in ('pending', 'open');

-- Whose tickets are to enter a draw, and what was played of one.
create index state_of_draw on state (program, key, member) where key like 'draw/%';
create index activity_played on activity (program, ((body::json) ->> 'draw'), recorded_at) where type = 'draw_play';


-- people, apart from the ledger, erasable -----------------------------------------------------------------------------

create table profile (
  program     text collate "C" not null,
  member      text collate "C" not null,
  bucket      smallint not null,
  name        text,
  name_folded text collate "C",
  phone       text collate "C",
  email       text collate "C",
  birth_date  text,
  locale      text,
  time_zone   text,
  updated_at  bigint not null,
  primary key (program, member, bucket)
);
create index profile_name  on profile (program, name_folded) where name_folded is not null;
create index profile_phone on profile (program, phone) where phone is not null;
create index profile_email on profile (program, email) where email is not null;
comment on table  profile is 'Who a member is. No rule reads it; erased on request.';
comment on column profile.name_folded is 'The name without regard to case, for searching.';

create table identifier (
  program text collate "C" not null,
  member  text collate "C" not null,
  kind    text collate "C" not null,
  digest  bytea not null,
  bucket  smallint not null,
  value   text not null,
  primary key (program, member, kind, digest, bucket)
);
create unique index identifier_value on identifier (program, kind, digest);
comment on table  identifier is 'What members are known by at a till: phone, e-mail, card. Erased on request.';
comment on column identifier.digest is 'HMAC-SHA256 of kind and value under the program''s secret; what look-ups go by.';

create table free_text (
  program text collate "C" not null,
  member  text collate "C" not null,
  seq     bigint   not null,
  bucket  smallint not null,
  texts   text,
  primary key (program, member, seq, bucket)
);
comment on table  free_text is 'What people wrote in activities, apart from the ledger.';
comment on column free_text.texts is 'JSON: text by the name of its field in the activity''s body. Null: erased.';


-- how work goes on after an interruption ------------------------------------------------------------------------------

create table idempotency (
  program     text collate "C" not null references program,
  key         text collate "C" not null,
  fingerprint bytea   not null,
  started_at  bigint  not null,
  finished_at bigint,
  status      integer,
  body        text,
  primary key (program, key)
);
create index idempotency_age on idempotency (started_at);
comment on table  idempotency is 'Answers to mutations other than activities, by their Idempotency-Key.';
comment on column idempotency.fingerprint is 'SHA-256 of method, path and body.';
comment on column idempotency.finished_at is 'Null while the first request runs; one that began long ago has died.';

create table import_progress (
  program    text collate "C" not null references program,
  id         text collate "C" not null,
  position   bigint not null,
  detail     text   not null,
  updated_at bigint not null,
  primary key (program, id)
);
comment on table  import_progress is 'How far the import of a file has come.';
comment on column import_progress.id is 'Says which file and mapping: a digest.';
comment on column import_progress.position is 'Rows before this one are answered.';
comment on column import_progress.detail is 'JSON: what the import has counted so far.';


-- what the application may do -----------------------------------------------------------------------------------------

grant usage on schema laurels to laurels_app;
grant select on all tables in schema laurels to laurels_app;
grant insert on
  program, program_version, api_key, activity, entry, member, state, pool, pool_correction, outbox, profile, identifier,
  free_text, idempotency, import_progress, code_batch, code
  to laurels_app;
grant update on
  program, api_key, member, state, pool, outbox, profile, identifier, free_text, idempotency, import_progress,
  code_batch
  to laurels_app;
grant delete on state, profile, identifier, idempotency, import_progress to laurels_app;
grant select, insert on draw, draw_secret, draw_entry, draw_award to laurels_app;
grant update (state, closes_at, draws_at, announcement, replaced, closed_at, entries, root, drawn_at, seed, winners,
              alternates)
  on draw to laurels_app;
grant update (status, seen) on draw_award to laurels_app;
