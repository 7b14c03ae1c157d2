"""Files of activities into a program, by the same path as everything else: read, shape, submit, report.

`reading` turns a file into rows, `mapping` says which column is what, `shaping` makes activities of rows, `importer`
submits them and remembers how far it came. One pass, in the order of the file, in constant memory.
"""
