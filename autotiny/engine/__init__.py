"""The engine: record an expression as a graph, and differentiate the graph."""
