"""Recorded HTTP exchanges: HAR, redaction, expectations, coverage counting.

An exchange has three forms. ``RawExchange`` refers to what the server has in memory;
``JournalEntry`` is decoded and redacted, to be shown; ``RecordedExchange`` is what a
client or an archive has.
"""
