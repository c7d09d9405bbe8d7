"""Handing history on: a part of a store as one small file, names taken out, and several hosts' files as one."""
