-- The lots of a range of members, all pages: keys compare by code point.
select member, key, document
from state
where program = $1 and member >= $2::text and member <= $3::text and key >= 'lots/' and key < 'lots0'
