"""From ratings to tables, figures and tests: `emohub report`.

`run.report` is the whole. `studies/` reads what is reported on, one file for each kind of study; `items/` holds one
file for each table or figure, found by itself. Every number is a `Record`, and tables, figures, `results.json`, the
LaTeX and the page are made from the same ones.
"""
