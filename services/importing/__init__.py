"""Files into events: read a table or lines, say what is wrong with each row, send only what is new.

readers    a file → tables of rows with their row numbers, or lines
line_list  a row of a line list → a CaseRow (another layout is another recogniser with the same result)
codes      what a text in a file means in the catalogue
planning   a CaseRow against the last one of its case → the event to send, or nothing
sender     plans → import_rows → Kafka → import_rows, in an order that a crash cannot hurt
events     NDJSON, one CloudEvent a line
"""
