-- Stock that a count found to be more, or fewer.

create table laurels.pool_correction (
  program      text collate "C" not null references laurels.program,
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
comment on table  laurels.pool_correction is
  'Ledger: what people corrected in pools. What is used of a pool is what activities claimed and what was corrected.';
comment on column laurels.pool_correction.number is 'Counts the pool''s corrections from 1 without gaps.';
comment on column laurels.pool_correction.id is 'Follows from the Idempotency-Key, so that the same correction is made once.';
comment on column laurels.pool_correction.by is 'What is used more (fewer pieces are left), or less (negative).';
comment on column laurels.pool_correction.source is 'The source of the key that corrected it.';
comment on column laurels.pool_correction.digest is 'SHA-256 of the row (laurels.store.digest).';

grant select, insert on laurels.pool_correction to laurels_app;
