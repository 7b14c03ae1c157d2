-- Draws: what is public of them, what is secret until its time, who is in them, and where their prizes go.

set search_path = laurels;

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

grant select, insert on draw, draw_secret, draw_entry, draw_award to laurels_app;
grant update (state, closes_at, draws_at, announcement, replaced, closed_at, entries, root, drawn_at, seed, winners,
              alternates)
  on draw to laurels_app;
grant update (status, seen) on draw_award to laurels_app;
