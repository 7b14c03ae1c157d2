-- The members who have, or had, the voucher of a code, with its document: more than one where it was passed on.
select member, document
from state
where program = $1 and key = $2 and key >= 'voucher/' and key < 'voucher0'
order by member
