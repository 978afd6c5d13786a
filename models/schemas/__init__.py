"""JSON Schemas of the public records, generated from the models; a test fails when they differ."""
