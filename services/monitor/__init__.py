"""The monitor: looks at the running system from outside, all the time, and tells Prometheus what it sees.

It is called so because it only looks: it writes nothing but its own findings, and nobody waits for it. (The
part that watches over epidemics is another one.) It audits the books round by round, asks how far the stream
is, and sends a canary through the door that must arrive in the database.
"""
