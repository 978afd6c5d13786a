"""What a worker tells Prometheus and OpenTelemetry: a table of series in each module, and how they are filled.

Knows: names, units and labels of metrics.
Must not know: Faust, Kafka, HTTP.
"""
