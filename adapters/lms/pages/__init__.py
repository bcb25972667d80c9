"""The pages of courses, for those who make them and for those who look how learners get on."""
