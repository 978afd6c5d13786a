"""What is true about HyperPod: reading events, the machines, the judgement. Pure: no I/O, clock, Kafka or Faust."""
