"""What stands between two matrix products of a feed-forward layer, in C++ for a CPU: `activation.cpp` is its door."""
