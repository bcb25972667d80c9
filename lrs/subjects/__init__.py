"""What the installation keeps about one learner, gone through by the table of kinds. Names no kind itself."""
