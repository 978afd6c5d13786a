"""A worker's memory for questions in SQL: what the topics of transitions and anomalies said, in one DuckDB file.

Knows: tables, how they are filled, how they are asked.
Must not know: lanes, routes.  Everything in it can be had again from Kafka, as far back as Kafka keeps it.
"""
