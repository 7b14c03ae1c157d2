"""`python -m tests.mutants NAME...` shows how mutants are caught; without names it writes the README's table."""

import sys

from tests.mutants.catalogue import README, mutants, page_with_table
from tests.mutants.running import hunt

wanted = sys.argv[1:]
if not wanted:
    README.write_text(page_with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
for mutant in mutants():
    if any(mutant.name.startswith(name) for name in wanted):
        escape, ran = hunt(mutant)
        print(f"{'NOT CAUGHT' if escape else 'caught'}  {ran.seconds:5.1f} s  {mutant.name}{escape}", flush=True)
        for id, message in {**ran.failures, **ran.errors}.items():
            print(f"    {id}: {message.splitlines()[0][:150] if message else ''}", flush=True)
        if escape:
            print(ran.output[-3000:])
