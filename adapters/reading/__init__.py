"""What a row of a file says: columns, cells, dates, words, people; the interface of a source. Pure; knows no store."""
