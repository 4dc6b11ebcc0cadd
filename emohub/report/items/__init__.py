"""One file for each table or figure of a report: `ITEM`, found by `emohub.report.found`."""
