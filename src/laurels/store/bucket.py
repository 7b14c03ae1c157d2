"""Which bucket a member's rows belong to: what a cluster distributes by, and every member-related key ends with."""

from functools import lru_cache
from hashlib import sha256

BUCKETS = 1024


@lru_cache(4096)
def bucket_of(member: str) -> int:
    """SHA-256 of the member's id (UTF-8), read as a number, modulo 1024: its last ten bits."""
    return int.from_bytes(sha256(member.encode()).digest()[-2:]) & (BUCKETS - 1)
