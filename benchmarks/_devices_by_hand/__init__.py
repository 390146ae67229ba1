"""A laboratory's own scripts for its transistors: pandas, lmfit and pyplot, and a pool of processes over the files.

They do what batchlab's commands do, without its care for errors: what is in common is compared by the rows themselves.
Packages are imported inside the functions, before the pool forks, so that its processes need not import them again.
"""
