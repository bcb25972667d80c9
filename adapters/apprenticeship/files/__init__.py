"""The files of an apprenticeship provider that are read row by row: the bulk upload and the e-portfolio."""
