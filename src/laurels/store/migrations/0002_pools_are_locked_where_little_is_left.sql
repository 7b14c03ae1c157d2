-- What the comment said is only true of pools that are nearly used up (docs/adr/0025-ample-budgets-are-taken-unlocked.md).

comment on table laurels.pool is 'What was used of anything limited. Locked where little is left, in the order of ids; else taken by the write, last of all.';
