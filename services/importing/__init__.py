"""Files into events: read a table or lines, say what is wrong with each row, send only what is new.

readers    a file → tables of rows with their row numbers, or lines
line_list  a row of a line list → a CaseRow (another layout is another recogniser with the same result)
codes      what a text in a file means in the catalogue
planning   a CaseRow against the last one of its case → the event to send, or nothing
twins      the same case under another subject, by the code of another system
sender     plans → import_rows → Kafka → import_rows, in an order that a crash cannot hurt
events     NDJSON, one CloudEvent a line
meanings   what a person says that a doubtful text means
run        a file from its bytes to what became of every row; opening: its ports over Kafka and TimescaleDB
"""
