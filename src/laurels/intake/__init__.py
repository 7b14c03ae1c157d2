"""The write path: lanes, micro-batches, idempotency; load, decide, record."""
