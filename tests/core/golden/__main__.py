"""`python -m tests.core.golden` writes the golden corpus anew. Raise ENGINE first if any fact came out differently."""

from tests.core.golden.corpus import FILE, compose

FILE.write_text(compose(), "utf-8")
print(f"{FILE.name}: {FILE.stat().st_size} bytes")
