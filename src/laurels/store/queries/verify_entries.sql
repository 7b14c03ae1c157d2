-- The journal of a page of the ledger: everything after the last row of the page before, up to the last of this one.
select member, seq, n, bucket, wallet, kind, points, out_of, into_account, at, version, campaign, rule, order_id,
       redemption, lot, available_at, expires_at, reason, detail
from entry
where program = $1 and (member, seq) > ($2::text, $3::bigint)
  and ($4::text is null or (member, seq) <= ($4::text, $5::bigint))
order by member, seq, n
