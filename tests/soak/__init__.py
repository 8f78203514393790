"""`make soak`: half an hour of ordinary work at 500 events a second; what grows is found."""
