"""The day of a training centre as records: sessions, who comes, what was seen of them, checklists with versions.

What the pages keep here and what a file of the adapter ``training-centre`` says become the same facts
(``adapters.training_centre.files.facts``), under the same keys of the same ledger. So a session that is told by page
and by file is one session, and a later one of the two corrects the earlier.
"""
