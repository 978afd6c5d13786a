"""History from before: what AWS, or an export, still knows of clusters, brought into the raw topic or into files.

`control_plane` and `exports` find values, `spool` keeps them on disk in the order of their times, `delivery` writes
them to Kafka, `run` puts these together.
"""
