"""The rule language: conditions written in CEL, checked against the program's names, run as Python functions.

A rule's text goes through `tree` (what CEL parsed), `resolve` (what that means here, with kinds), `guard` (optional
fields are asked for before they are read) and `python` (the source of a function). `check` walks that way and collects
findings, and Google's checker must agree. The language is total: a checked rule is true or false of every activity.
"""
