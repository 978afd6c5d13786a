"""How events flow: Kafka, files, tables, HTTP and the commands. Imports `models`; `models` never imports this."""
