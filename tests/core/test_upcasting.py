"""Stored documents carry the number of their schema; older forms are read, newer ones refused."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from laurels.core.member import decode_document, encode_document
from laurels.core.upcasting import SCHEMA, UPCASTERS, NewerSchema
from tests.core.harness import World, shop


def lived() -> World:
    """A member with a document of every kind."""
    tiers = [{"id": "member"}, {"id": "silver", "enter": "100.00"}]
    tracks = {"membership": {"measure": {"spent": "net"}, "window": {"rolling": "90D"}, "tiers": tiers}}
    w = World(shop({"expires": {"after": "1M"}}, tracks=tracks, vouchers={"ten": {"gives": {"off": "10.00"}}}))
    w.enrol()
    w.post("m", "voucher_issue", {"voucher": "ten"})
    w.buy("o1", "10.00", at="2026-03-01")
    w.buy("o2", "20.00", at="2026-04-10")
    w.hold("r", 5)
    return w


def unnumbered(key: str, stored: bytes) -> Any:
    """The form of schema 0, as it was stored before documents had numbers."""
    form = json.loads(stored)
    if key.startswith("lots/"):
        return form[1]
    del form["v"]
    return form


KINDS = {"root", "lots", "order", "redemption", "expired", "measures", "voucher", "vouchers"}


def test_every_kind_of_document_carries_the_number() -> None:
    documents = lived().members["m"].documents
    assert {key.partition("/")[0] for key in documents} == KINDS
    for key, stored in documents.items():
        form = json.loads(stored)
        assert (form[0] if key.startswith("lots/") else form["v"]) == SCHEMA, key


def test_documents_of_before_there_were_numbers_are_upcast_and_are_the_same() -> None:
    w = lived()
    for key, stored in w.members["m"].documents.items():
        old = json.dumps(unnumbered(key, stored)).encode()
        assert decode_document(key, old) == decode_document(key, stored)
        assert encode_document(decode_document(key, old)) == stored


def test_a_member_stored_in_the_older_form_lives_on_and_is_stored_in_the_present_one() -> None:
    old, new = lived(), lived()
    documents = old.members["m"].documents
    for key, stored in documents.items():
        documents[key] = json.dumps(unnumbered(key, stored)).encode()
    for w in (old, new):
        w.cancel("r", at="2026-04-11")
        w.give_back("o2")
    assert old.points() == new.points()
    assert documents["root"] == new.members["m"].documents["root"]


def test_a_document_of_a_newer_release_is_refused_with_a_reason() -> None:
    for key, stored in lived().members["m"].documents.items():
        form = json.loads(stored)
        if key.startswith("lots/"):
            form[0] = SCHEMA + 1
        else:
            form["v"] = SCHEMA + 1
        with pytest.raises(NewerSchema, match=f"schema {SCHEMA + 1} and this release reads up to {SCHEMA}") as raised:
            decode_document(key, json.dumps(form))
        assert (raised.value.key, raised.value.number) == (key, SCHEMA + 1)


@pytest.mark.parametrize(
    ("key", "stored"),
    [
        ("root", '{"v":1,"seq":"one"}'),
        ("root", '{"seq":"one"}'),
        ("root", "[]"),
        ("root", '{"v":"1"}'),
        ("lots/points/0", "{}"),
        ("lots/points/0", "[1]"),
        ("lots/points/0", '[["a"]]'),
        ("order/o", "{"),
        ("order/o", "null"),
    ],
)
def test_what_is_no_document_of_any_number_is_told(key: str, stored: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_document(key, stored)


def test_there_is_an_upcaster_from_every_older_number() -> None:
    assert len(UPCASTERS) == SCHEMA
