"""The engine: record an expression as a graph, and differentiate the graph.

README's "Read the source" lists the files in reading order; each imports only those before it.
"""
