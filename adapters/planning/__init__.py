"""Planning: how many people can do what, where, against how many are wanted; never so few that one can be told."""
