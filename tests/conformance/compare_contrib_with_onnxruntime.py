#!/usr/bin/env python3
"""Runs single nodes of com.microsoft, and quantised ones, by `shoal infer` and by ONNX Runtime.

Needs Python with numpy, onnx and onnxruntime:

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install onnx onnxruntime
    /tmp/venv/bin/python tests/conformance/compare_contrib_with_onnxruntime.py build/release/apps/shoal

Prints one line per case and exits with 1 if one differs by more than its tolerance: 1e-4 of the
largest value for real numbers, one step for quantised ones.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

RANDOM = numpy.random.default_rng(3)


def reals(*dims):
    return RANDOM.standard_normal(dims).astype(numpy.float32)


def bytes_of(kind, *dims):
    limits = numpy.iinfo(kind)
    return RANDOM.integers(limits.min, limits.max + 1, dims).astype(kind)


def scalar(value, kind=numpy.float32):
    return numpy.array(value, kind)


def build(op, inputs, constants, attributes, outputs, domain):
    """`inputs` are numpy arrays or None; those whose index is in `constants` become initialisers."""
    names = ["" if v is None else f"i{n}" for n, v in enumerate(inputs)]
    node = helper.make_node(op, names, [f"o{n}" for n in range(outputs)], "node", domain=domain, **attributes)
    described = [
        helper.make_tensor_value_info(names[n], helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
        for n, v in enumerate(inputs)
        if v is not None and n not in constants
    ]
    fixed = [numpy_helper.from_array(v, names[n]) for n, v in enumerate(inputs) if v is not None and n in constants]
    made = [helper.make_tensor_value_info(f"o{n}", TensorProto.UNDEFINED, None) for n in range(outputs)]
    for value in made:
        value.ClearField("type")
    graph = helper.make_graph([node], "one_node", described, made, fixed)
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def typed(model, types):
    """ONNX Runtime's own types for the outputs, which Shoal wants declared."""
    for value, kind in zip(model.graph.output, types):
        value.type.tensor_type.elem_type = kind
    return model


def compare(shoal, folder, name, model, inputs, outputs_to_check):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    types = []
    for kind in outputs_to_check:
        types.append(helper.np_dtype_to_tensor_dtype(numpy.dtype(kind)))
    typed(model, types)
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    expected = session.run(None, inputs)
    file = folder / "model.onnx"
    onnx.save(model, str(file))
    command = [shoal, "infer", "--model", str(file)]
    for key, value in inputs.items():
        numpy.save(folder / f"{key}.npy", value)
        command += ["--input", f"{key}={folder / key}.npy"]
    for n in range(len(expected)):
        command += ["--output", f"o{n}={folder}/o{n}.npy"]
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode != 0:
        print(f"{name:45} {ran.stderr.strip()}")
        return False
    good = True
    for n, wanted in enumerate(expected):
        got = numpy.load(folder / f"o{n}.npy")
        same_kind = got.dtype == wanted.dtype and got.shape == wanted.shape
        distance = numpy.abs(got.astype(numpy.float64) - wanted).max() if same_kind and got.size else 0
        if wanted.dtype.kind == "f":
            limit = 1e-4 * max(1, numpy.abs(wanted).max())
        else:
            limit = 0 if wanted.dtype == numpy.int32 else 1
        fits = same_kind and distance <= limit
        good &= fits
        print(f"{name:45} output {n}: {'differs by' if not fits else 'within'} {distance:.3g}")
    return good


def cases():
    f32, i32, u8, i8 = numpy.float32, numpy.int32, numpy.uint8, numpy.int8
    ms = "com.microsoft"
    width = 48
    x, skip = reals(2, 7, width), reals(2, 7, width)
    scale, shift = reals(width), reals(width)
    yield "SkipLayerNormalization", [x, skip, scale, shift, reals(width)], {"epsilon": 1e-5}, [f32], ms
    yield "SkipSimplifiedLayerNormalization", [x, skip, scale], {"epsilon": 1e-5}, [f32], ms
    yield "SimplifiedLayerNormalization", [x, scale], {"epsilon": 1e-5, "axis": -1}, [f32], ""
    ids = RANDOM.integers(0, 50, (2, 7)).astype(i32)
    segments = RANDOM.integers(0, 2, (2, 7)).astype(i32)
    mask = numpy.array([[1] * 7, [1] * 4 + [0] * 3], i32)
    tables = [reals(50, width), reals(16, width), reals(2, width)]
    embedding = [ids, segments, *tables, scale, shift, mask]
    yield "EmbedLayerNormalization", embedding, {"epsilon": 1e-5}, [f32, i32], ms
    yield "BiasGelu", [x, scale], {}, [f32], ms
    weights, bias = reals(width, 3 * width) * 0.2, reals(3 * width)
    for causal in (0, 1):
        given = {"num_heads": 4, "unidirectional": causal}
        yield "Attention", [x, weights, bias], given, [f32], ms
    yield "Attention", [x, weights, bias, mask], {"num_heads": 4}, [f32], ms
    yield "Attention", [x, weights, bias, numpy.array([7, 4], i32)], {"num_heads": 4}, [f32], ms
    added = reals(2, 4, 7, 7)
    yield "Attention", [x, weights, bias, None, None, added], {"num_heads": 4}, [f32], ms
    key, value = reals(2, 9, width), reals(2, 9, 64)
    heads = {"num_heads": 4}
    yield "MultiHeadAttention", [x, key, value], heads, [f32], ms
    padding = numpy.array([[1] * 9, [1] * 5 + [0] * 4], i32)
    yield "MultiHeadAttention", [x, key, value, reals(2 * width + 64), padding], heads, [f32], ms
    yield "MultiHeadAttention", [x, key, value, None, None, reals(1, 4, 7, 9)], heads, [f32], ms
    angles = reals(20, 6)
    turns = [numpy.cos(angles), numpy.sin(angles)]
    first, each = numpy.array([3], numpy.int64), RANDOM.integers(0, 20, (2, 7))
    for where in (first, each):
        for interleaved in (0, 1):
            given = {"interleaved": interleaved}
            yield "RotaryEmbedding", [x, where, *turns], given, [f32], ms
    yield "RotaryEmbedding", [reals(2, 3, 7, 12), each, *turns], {}, [f32], ms
    packed, scales = bytes_of(u8, 10, 2, 16), numpy.abs(reals(20))
    given = {"K": 64, "N": 10, "bits": 4, "block_size": 32}
    yield "MatMulNBits", [reals(3, 64), packed, scales], given, [f32], ms
    yield "MatMulNBits", [reals(3, 64), packed, scales, bytes_of(u8, 10)], given, [f32], ms

    half, small = scalar(0.5), scalar(0.02)
    for a, b in ((u8, i8), (u8, u8), (i8, i8)):
        one, two = scalar(7, a), scalar(0 if b == i8 else 128, b)
        left, right = bytes_of(a, 5, 64), bytes_of(b, 64, 9)
        yield "MatMulInteger", [left, right, one, two], {}, [i32], ""
        linear = [left, small, one, right, small, two, scalar(0.7), scalar(3, a)]
        yield "QLinearMatMul", linear, {}, [a], ""
        image = bytes_of(a, 2, 8, 9, 7)
        filters, per_map = bytes_of(b, 16, 8, 3, 3), numpy.abs(reals(16)) * f32(0.02)
        zeros = numpy.full(16, two, b)
        offsets = RANDOM.integers(-900, 900, 16).astype(i32)
        convolved = [image, small, one, filters, per_map, zeros, scalar(0.4), scalar(9, a), offsets]
        yield "QLinearConv", convolved, {"pads": [1, 1, 1, 1], "strides": [2, 1]}, [a], ""
        gemm = [left, small, one, right, small, two, offsets[:9], scalar(0.7), scalar(3, a)]
        yield "QGemm", gemm, {"alpha": 1.0}, [a], ms
    yield "ConvInteger", [bytes_of(u8, 1, 4, 9, 9), bytes_of(u8, 6, 4, 3, 3), scalar(5, u8)], {}, [i32], ""
    left, right = reals(3, 40), bytes_of(i8, 40, 8)
    yield "DynamicQuantizeMatMul", [left, right, small, scalar(0, i8), reals(8)], {}, [f32], ms
    made = [bytes_of(u8, 3, 40), right, small, small, scalar(9, u8), scalar(0, i8)]
    yield "MatMulIntegerToFloat", made, {}, [f32], ms
    for op in ("QLinearAdd", "QLinearMul"):
        for kind in (u8, i8):
            zero = scalar(4, kind)
            sides = [bytes_of(kind, 2, 3, 4), small, zero, bytes_of(kind, 3, 1), half, zero, half, zero]
            yield op, sides, {}, [kind], ms
    zero = scalar(128, u8)
    image = bytes_of(u8, 2, 8, 9, 7)
    curve = [image, small, zero, scalar(1 / 256), scalar(0, u8)]
    yield "QLinearSigmoid", curve, {}, [u8], ms
    yield "QLinearLeakyRelu", [image, small, zero, small, zero], {"alpha": 0.1}, [u8], ms
    pooled = [image, small, zero, scalar(0.015), scalar(100, u8)]
    yield "QLinearGlobalAveragePool", pooled, {}, [u8], ms
    yield "QLinearAveragePool", pooled, {"kernel_shape": [3, 2], "pads": [1, 0, 1, 1]}, [u8], ms
    parts = [small, zero, image, scalar(0.03), zero, image, scalar(0.01), scalar(90, u8)]
    yield "QLinearConcat", parts, {"axis": 1}, [u8], ms
    yield "DynamicQuantizeLinear", [reals(4, 33)], {}, [u8, f32, u8], ""
    yield "QuantizeLinear", [reals(4, 33), small, zero], {}, [u8], ""
    yield "DequantizeLinear", [bytes_of(i8, 4, 33), numpy.abs(reals(4)), bytes_of(i8, 4)], {"axis": 0}, [f32], ""


def main():
    shoal = sys.argv[1]
    good = True
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for op, inputs, attributes, kinds, domain in cases():
            # Inputs that models usually hold as weights: all but the first, and ids.
            varying = {0}
            if op in ("QLinearAdd", "QLinearMul"):
                varying = {0, 3}
            if op == "QLinearConcat":
                varying = {2, 5}
            if op in ("MultiHeadAttention", "SkipLayerNormalization", "SkipSimplifiedLayerNormalization"):
                varying = {0, 1, 2} if op == "MultiHeadAttention" else {0, 1}
            constants = set(range(len(inputs))) - varying
            model = build(op, inputs, constants, attributes, len(kinds), domain)
            fed = {f"i{n}": inputs[n] for n in sorted(varying)}
            good &= compare(shoal, pathlib.Path(folder), op, model, fed, kinds)
            count += 1
    print(f"{count} cases, {'all as ONNX Runtime' if good else 'some differ'} {onnxruntime.__version__}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
