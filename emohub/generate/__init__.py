"""Data sets like EmoNet-Face BIG: balanced prompts, pictures, annotation, and again until every emotion has enough.

Source: arXiv 2505.20033, §3, App. A.5 and B.1.
"""
