"""The Individualised Learner Record (ILR): the return that providers of apprenticeships in England make each month."""
