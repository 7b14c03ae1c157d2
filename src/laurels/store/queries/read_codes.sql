-- What is known of codes that anybody may take: whose kind they are, how often each may be used, until when, and whether
-- their batch is revoked.
select c.code, b.voucher, b.uses, b.expires_at, coalesce(r.used, 0) > 0 as revoked
from unnest($2::text[]) as w (code)
cross join lateral (select code, batch from code where program = $1 and code = w.code limit 1) c
cross join lateral (select voucher, uses, expires_at from code_batch where program = $1 and number = c.batch limit 1) b
left join lateral (select used from pool where program = $1 and id = 'revoked/' || c.batch limit 1) r on true
