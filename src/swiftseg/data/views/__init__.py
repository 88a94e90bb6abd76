"""Views over a data set: resized, without a group, void as a class, several as one."""
