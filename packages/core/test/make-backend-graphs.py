"""Writes src/testing/backend-graphs.ts: python make-backend-graphs.py > ../src/testing/backend-graphs.ts (needs onnx)."""

import base64

from onnx import TensorProto, helper

types = {"float32": 1, "float16": 10, "int32": 6, "int64": 7}


def graph(nodes, inputs, outputs, initializers=()):
    value = lambda v: helper.make_tensor_value_info(v[0], types[v[1]], v[2])
    proto = helper.make_graph(nodes, "", [value(v) for v in inputs], [value(v) for v in outputs], initializers)
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def external(name, dims, location, offset):
    tensor = TensorProto(name=name, data_type=1, dims=dims, data_location=1)
    for key, value in (("location", location), ("offset", str(offset)), ("length", "8")):
        tensor.external_data.add(key=key, value=value)
    return tensor


node = helper.make_node
result = lambda t: t + ("_same" if t == "float16" else "_twice")
graphs = {
    "add": (
        "y = a + b, where a is float32 [n, 2] and b float32 [2].",
        graph([node("Add", ["a", "b"], ["y"])], [("a", "float32", ["n", 2]), ("b", "float32", [2])], [("y", "float32", ["n", 2])]),
    ),
    "twice": (
        "Doubles an input [n] of each type: `float32` to `float32_twice`, and so on. float16 is passed through to "
        "`float16_same`, since not every device computes with it.",
        graph(
            [node("Add", [t, t], [t + "_twice"]) for t in types if t != "float16"]
            + [node("Identity", ["float16"], ["float16_same"])],
            [(t, t, ["n"]) for t in types],
            [(result(t), t, ["n"]) for t in types],
        ),
    ),
    "sum": (
        "y = the sum of x, float32 [n] to float32 [].",
        graph([node("ReduceSum", ["x"], ["y"], keepdims=0)], [("x", "float32", ["n"])], [("y", "float32", [])]),
    ),
    "weighted": (
        "y = x + v + w, all float32 [2]; v is at byte 73 of `first.bin`, w at byte 0 of `second/file.bin`.",
        graph(
            [node("Add", ["x", "v"], ["t"]), node("Add", ["t", "w"], ["y"])],
            [("x", "float32", [2])],
            [("y", "float32", [2])],
            [external("v", [2], "first.bin", 73), external("w", [2], "second/file.bin", 0)],
        ),
    ),
    "unknownOperator": (
        "A graph with an operator that does not exist.",
        graph([node("NoSuchOperator", ["x"], ["y"])], [("x", "float32", [2])], [("y", "float32", [2])]),
    ),
}

print("/** ONNX graphs in base64, written by test/make-backend-graphs.py. */\nexport const backendGraphs = {")
for name, (comment, data) in graphs.items():
    print(f"  /** {comment} */\n  {name}:\n    '{base64.b64encode(data).decode()}',")
print("};")
