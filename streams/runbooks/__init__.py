"""What to do about each kind of anomaly: texts, pages made of them, and where a worker has them.

Knows: nothing itself; `places` is there for whoever only links, without the texts.
Must not know: how an anomaly is found.
"""
