"""The program document: what it may say, how it is read and judged, what it becomes, and what a new version changes.

`document` gives text places, `grammar` and `values` say what forms are made of, `fields`, `wallets`, `tracks`,
`campaigns`, `grants` and `groups` hold the words and the judgement of one part each, and `loading` puts them together
into the `model`. `schema` is made from the same words. `difference` compares two models.
"""
