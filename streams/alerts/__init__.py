"""Telling people: open anomalies become pages in the services that they use, and closed ones take them back.

`picture` what is wrong now · `filters`, `due` what is to be said, and to whom (pure) · `forms` in the words of a
service · `book` what was said · `post` HTTP · `courier` one sink's work · `run` all of it.
"""
