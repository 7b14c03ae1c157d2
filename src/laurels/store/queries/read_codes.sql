-- What is known of codes that anybody may take: whose kind they are, how often each may be used, until when.
select c.code, b.voucher, b.uses, b.expires_at
from unnest($2::text[]) as w (code)
cross join lateral (select code, batch from code where program = $1 and code = w.code limit 1) c
cross join lateral (select voucher, uses, expires_at from code_batch where program = $1 and number = c.batch limit 1) b
