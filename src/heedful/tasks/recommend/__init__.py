"""The task recommend: what a user takes next, from what was taken before."""
