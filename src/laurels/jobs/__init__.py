"""What runs by itself: the wake-up clock of live programs, and follow-ups that somebody left open."""
