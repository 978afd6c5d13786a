"""`make run`: a real Kafka, the worker, a made-up fleet and one scripted incident, all on this machine.

Knows: the story, how it is told over Kafka, which processes it takes.
Must not know: how states are found; what comes out is the worker's own.
"""
