-- Codes of vouchers that belong to nobody yet, by the batches in which they were made or imported; and the way from a
-- code to the member who has the voucher.

set search_path = laurels;

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

create index state_voucher on state (program, key) where key >= 'voucher/' and key < 'voucher0';
create index state_vouchers on state (program, member) where key = 'vouchers';

grant select, insert on code_batch, code to laurels_app;
grant update on code_batch to laurels_app;
