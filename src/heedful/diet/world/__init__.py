"""A simulator of readers, to try policies on before people meet them. Nothing that comes out of it is a result about people."""
