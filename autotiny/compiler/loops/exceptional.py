"""Calls of the C library for the few numbers that a formula cannot do, which do not keep a loop from vector code.

LLVM's vector code computes both sides of a branch, so a call in one of them would be made for every number. It calls a
vector form of the function instead where there is one (the attribute `vector-function-abi-variant`). The forms written
here take many numbers and a mask, and call the C library for those that the mask names: mostly none.
"""

from typing import Any

from autotiny.compiler.loops.formulas import Number

WIDTHS = (128, 256, 512)
"""The bits of a vector: of SSE and NEON, of AVX, and of AVX-512."""

PURE = ("nounwind", "willreturn", "memory(none)")


def unless(condition: Any, name: str, x: Number, y: Number) -> Number:
    """Return y, or what a function of the C library makes of x where the condition holds."""
    builder, module, number = x.builder, x.builder.module, x.format.type
    name += "f" if x.format.name == "float32" else ""
    function = module.globals.get(name) or declared(module, name, number)
    lanes = [width // x.format.width for width in WIDTHS]
    forms = ",".join(f"_ZGV_LLVM_M{count}v_{name}({vector_form(function, count).name})" for count in lanes)
    before = builder.block
    with builder.if_then(condition, likely=False):
        result = builder.call(function, [x.value])
        set.add(result.attributes, f'"vector-function-abi-variant"="{forms}"')  # llvmlite's `add` knows no such form
        called = builder.block
    choice = builder.phi(number)
    choice.add_incoming(y.value, before)
    choice.add_incoming(result, called)
    return y.made(choice)


def declared(module: Any, name: str, number: Any) -> Any:
    """Return a function of the C library, of which LLVM may assume that it depends on its argument alone."""
    from llvmlite import ir

    function = ir.Function(module, ir.FunctionType(number, [number]), name)
    set.update(function.attributes, PURE)  # llvmlite's own `add` knows few attributes
    return function


def vector_form(function: Any, lanes: int) -> Any:
    """Return a function of many numbers and a mask: what the function makes of each number that the mask names."""
    from llvmlite import ir

    module, number = function.module, function.function_type.return_type
    name = f"{function.name}_of_{lanes}_where"
    if name in module.globals:
        return module.globals[name]
    vector, mask, bits = ir.VectorType(number, lanes), ir.VectorType(ir.IntType(1), lanes), ir.IntType(lanes)
    form = ir.Function(module, ir.FunctionType(vector, [vector, mask]), name)
    form.linkage = "weak_odr"  # LLVM may not drop it before its vector code needs it
    builder = ir.IRBuilder(form.append_basic_block())
    named = builder.bitcast(form.args[1], bits)
    with builder.if_then(builder.icmp_unsigned("!=", named, bits(0)), likely=False):
        builder.ret(builder.call(one_by_one(function, vector, bits), [form.args[0], named]))
    builder.ret(form.args[0])
    return form


def one_by_one(function: Any, vector: Any, bits: Any) -> Any:
    """Return a function of many numbers and bits, which calls a function for each number whose bit is 1."""
    from llvmlite import ir

    many = ir.Function(function.module, ir.FunctionType(vector, [vector, bits]), f"{function.name}_of_{vector.count}")
    many.linkage = "internal"
    many.attributes.add("noinline")  # what calls it needs no memory then
    entry, test, one, done = (many.append_basic_block(block) for block in ("entry", "test", "one", "done"))
    numbers, named = many.args

    ir.IRBuilder(entry).branch(test)
    builder = ir.IRBuilder(test)
    rest, result = builder.phi(bits), builder.phi(vector)
    builder.cbranch(builder.icmp_unsigned("==", rest, bits(0)), done, one)

    builder.position_at_end(one)
    lane = builder.cttz(rest, ir.IntType(1)(1))
    value = builder.call(function, [builder.extract_element(numbers, lane)])
    for phi, start, following in (
        (rest, named, builder.and_(rest, builder.sub(rest, bits(1)))),
        (result, numbers, builder.insert_element(result, value, lane)),
    ):
        phi.add_incoming(start, entry)
        phi.add_incoming(following, one)
    builder.branch(test)

    ir.IRBuilder(done).ret(result)
    return many
