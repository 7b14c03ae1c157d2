"""Groups in the document: how campaigns that apply together combine. A campaign or group is in one group at most."""

from __future__ import annotations

from typing import Literal

from laurels.core.program.finding import shown
from laurels.core.program.frame import Frame
from laurels.core.program.grammar import Choice, Entries, Form, ListOf, Said, Word, said_or
from laurels.core.program.model import Group
from laurels.core.program.values import ID, NAME, whole


class GroupForm(Form):
    """A group: how campaigns that apply together combine."""

    mode = Word[Literal["all", "best", "first", "exclusive"]](
        Choice("all", "best", "first", "exclusive"),
        "all: each is given; best: the one that grants most; first: the one that comes first; "
        "exclusive: like first, and no campaign of another group beside it",
        required=True,
    )
    of = Word(ListOf(NAME, least=1), "the campaigns, or groups, in their order", required=True)
    priority = Word(whole(-1_000_000, 1_000_000), "which group comes first: the higher one")
    was = Word(ID, "the id it had in the version before")


def resolve_groups(entries: Entries[str, GroupForm], frame: Frame) -> tuple[Group, ...]:
    """The groups, with findings on members that do not exist, are in two groups, or contain their own group."""
    forms = {name: form for name, form, _ in entries.readable()}
    for name, _, entry in entries.readable():
        if name in frame.campaigns:
            message = f"there is a campaign {shown(name)}, too"
            frame.notes.error("duplicate_id", entry.key_node, message, "groups and campaigns need different ids")
    parents: dict[str, str] = {}
    for name, form in forms.items():
        for each in said_or(form.of, ()):
            _note_member(name, each, forms, parents, frame)
    return tuple(_group(name, form) for name, form in forms.items())


def _note_member(
    group: str, each: Said[str], forms: dict[str, GroupForm], parents: dict[str, str], frame: Frame
) -> None:
    member = each.value
    if member is None or not frame.has("campaign", member, (*frame.campaigns, *forms), each.node):
        return
    if member in parents:
        message = f"{shown(member)} is already in group {shown(parents[member])}"
        frame.notes.error("in_two_groups", each.node, message, "a campaign or group is in one group at most")
        return
    above: str | None = group
    while above is not None:
        if above == member:
            frame.notes.error("circle", each.node, f"group {shown(member)} contains itself", "take it out here")
            return
        above = parents.get(above)
    parents[member] = group


def _group(name: str, form: GroupForm) -> Group:
    members = tuple(each.value for each in said_or(form.of, ()) if each.value is not None)
    return Group(name, said_or(form.mode, "all"), members, said_or(form.priority, 0), form.was.value)
