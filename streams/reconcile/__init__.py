"""What AWS's API says of clusters now, as records of the raw topic: asked again and again, said where it is news.

Knows: the API's questions and answers, when to ask, what was said before.
Must not know: what an answer means for a state (`models`), the worker.
"""
