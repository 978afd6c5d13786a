"""Measures this project beside others: `make bench`, and what it writes is docs/performance.md."""
