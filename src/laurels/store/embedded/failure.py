"""The one exception of the embedded server: what happened, where, and how to mend it, ready to be shown to a person."""


class EmbeddedServerError(Exception):
    """The embedded server could not do what was asked; the text says what happened, where, and how to mend it."""


class StillInUseError(Exception):
    """Processes of a former server have not ended yet: worth another try in a moment."""


def failure(happened: str, *, mend: str, log: str = "") -> EmbeddedServerError:
    """An error whose text gives the three parts in the order in which a reader needs them."""
    parts = [happened.rstrip()]
    if log.strip():
        parts.append("It said:\n" + "\n".join(f"  | {line}" for line in log.rstrip().splitlines()))
    parts.append(f"To mend it: {mend}")
    return EmbeddedServerError("\n".join(parts))
