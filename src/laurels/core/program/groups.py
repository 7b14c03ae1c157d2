"""Groups in the document: how campaigns or promotions combine that apply together. Each is in one group at most."""

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
    of = Word(ListOf(NAME, least=1), "the campaigns, promotions or groups, in their order", required=True)
    priority = Word(whole(-1_000_000, 1_000_000), "which group comes first: the higher one")
    was = Word(ID, "the id it had in the version before")


def resolve_groups(entries: Entries[str, GroupForm], frame: Frame) -> tuple[Group, ...]:
    """The groups, with findings on members that do not exist, are in two groups, or contain their own group."""
    forms = {name: form for name, form, _ in entries.readable()}
    for name, _, entry in entries.readable():
        if name in frame.campaigns or name in frame.promotions:
            what = "campaign" if name in frame.campaigns else "promotion"
            message = f"there is a {what} {shown(name)}, too"
            frame.notes.error("duplicate_id", entry.key_node, message, f"groups and {what}s need different ids")
    parents: dict[str, str] = {}
    for name, form in forms.items():
        for each in said_or(form.of, ()):
            _note_member(name, each, forms, parents, frame)
    if frame.promotions:
        for form in forms.values():
            _note_mixed(form, forms, frame)
    return tuple(_group(name, form) for name, form in forms.items())


def _note_mixed(form: GroupForm, forms: dict[str, GroupForm], frame: Frame) -> None:
    """A finding where a group would have to choose between money and points."""
    first: bool | None = None
    for each in said_or(form.of, ()):
        money = _takes_money_off(each.value or "", forms, frame, 0)
        if first is not None and money is not None and money != first:
            message = f"{shown(each.value or '')} gives points where others of the group take money off, or the reverse"
            hint = "put what takes money off and what gives points into groups of their own"
            frame.notes.error("mixed_group", each.node, message, hint)
            return
        first = money if first is None else first


def _takes_money_off(member: str, forms: dict[str, GroupForm], frame: Frame, depth: int) -> bool | None:
    """Whether a member of a group takes money off, by the first thing in it; None where nobody knows."""
    if member in frame.promotions:
        return frame.promotions[member].takes_money_off
    if member in frame.campaigns:
        return False
    if member not in forms or depth > len(forms):
        return None
    inner = [_takes_money_off(each.value or "", forms, frame, depth + 1) for each in said_or(forms[member].of, ())]
    return next((money for money in inner if money is not None), None)


def _note_member(
    group: str, each: Said[str], forms: dict[str, GroupForm], parents: dict[str, str], frame: Frame
) -> None:
    member = each.value
    if member is None or not frame.has("campaign", member, (*frame.campaigns, *frame.promotions, *forms), each.node):
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
