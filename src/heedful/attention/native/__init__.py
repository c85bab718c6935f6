"""The engine in C++ for a CPU: compiled once on the machine it runs on, where there is a compiler; `flash.cpp` is its door."""
