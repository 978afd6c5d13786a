"""What runs in an AWS account: from the queue into the raw topic.

Knows: SQS messages as EventBridge Pipes hands them over, Kafka's producer.
Must not know: models, the worker, its settings.  It is zipped with kafka-python alone (`deploy/package.py`).
"""
