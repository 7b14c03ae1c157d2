"""Proof: that state is what the recorded facts lead to, and that deciding again gives the same facts.

`member` judges one member's rows, `reach` reads a range of members and has them judged, `whole` judges what concerns a
program as a whole, `verifying` spreads the work over processes; they only read. `rebuilding` makes state anew.
"""
