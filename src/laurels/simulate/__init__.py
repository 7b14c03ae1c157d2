"""Simulation: activities lived through again under any program, in memory, without touching the store.

`replay` is the driver, `figures` is what comes of it, `stored` reads what was recorded and what there is, `comparing`
says how two outcomes differ, `drawing` has draws go on by the `chance` of the simulation. The decisions are those of
the write path: the same functions, fed from memory.
"""
