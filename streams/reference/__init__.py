"""The pages of docs/reference and the shipped sample, printed from the tables that the code itself uses.

Knows: which page is printed from what.
Must not know: any fact of its own; what a page says stands in a table of `models` or `streams`.
"""
