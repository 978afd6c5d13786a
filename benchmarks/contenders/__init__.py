"""Who is measured: each module is a process of its own, given a job, that prints one line of figures.

Those that stand for peers run in the peers' environment: they may import `models` and `benchmarks`, never `streams`.
"""
