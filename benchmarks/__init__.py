"""What batchlab costs, measured beside what people use otherwise.

``python -m benchmarks`` measures every row of the table, ``--only NAME`` one of them. A row is a module with
a function ``row(quick)``; each of its sides is measured in a process of its own, and the CPU of every process
that descends from it is counted. Start-up is measured apart and taken off. The sides of a row take turns
(A B A B), so a neighbour's load falls on all of them alike; a ratio is formed inside a round, never across
two.
"""
