"""The pure core: what a program, a member, a lot is, and what follows from an activity. No I/O, no clock."""
