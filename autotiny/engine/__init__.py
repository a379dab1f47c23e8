"""The engine: record an expression as a graph, and differentiate the graph.

Read the files in this order. Each imports only those before it.

values          which arrays and numbers a graph takes
pytree          nested lists, tuples and dicts of them
fingerprint     noticing that an array was changed
modes           no_grad, debug, scope, and the tracer
call_site       the user's code that called
messages        the words of errors
node            a value in a graph, how it was made, and its gradient
signatures      the arguments of a call as an operation takes them
recording       computing an operation and remembering how
graph           the order of a graph, its names, its values for other inputs
mutation        refusing a graph whose values were changed
broadcasting    undoing broadcasting
masking         the guard for entries that a selection did not take
backward        the reverse sweep: the whole of backpropagation
fast_sweep      the same, tuned
gradients       what users ask of an output: .grad, or gradients as Tensors
numpy_protocol  NumPy's functions and methods for objects that are not arrays
tensor          the node with the arithmetic of an array
contributions   backpropagation, step by step, for pictures
transforms      grad, vjp, jvp, jacobian, hessian, hvp
"""
