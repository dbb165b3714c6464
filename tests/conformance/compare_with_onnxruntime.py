#!/usr/bin/env python3
"""Compares operators with ONNX Runtime where libonnx-testdata has no tests: opsets 18 to 21, above all.

    python3 -m venv V && V/bin/pip install onnx onnxruntime
    V/bin/python tests/conformance/compare_with_onnxruntime.py build/release/tests/test_conformance

Makes models of one node with seeded inputs, lets ONNX Runtime compute their outputs, writes both in
the layout of ONNX's own tests to a folder that is deleted afterwards (or to the one named second),
and has the suite's test run them. Says which cases ONNX Runtime itself does not do. Exits with 1 when
any other case differs.
"""
import itertools
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(1)
cases = []  # (name, op, inputs, attributes, opset, outputs)


class Known(np.ndarray):
    """An input that the model holds as a constant."""


def known(values, dtype=np.int64):
    return np.array(values, dtype).view(Known)


def floats(*dims, low=-1.0, high=1.0):
    return random.uniform(low, high, dims).astype(np.float32)


def integers(*dims, low=0, high=9, dtype=np.int64):
    return random.integers(low, high, dims).astype(dtype)


def case(name, op, inputs, opset, outputs=1, **attributes):
    cases.append((f"{name}_{opset}", op, inputs, attributes, opset, outputs))


def grid_samples():
    x, grid = floats(2, 3, 4, 5), floats(2, 3, 4, 2, low=-1.5, high=1.5)
    for mode, padding, corners in itertools.product(
        ["bilinear", "nearest", "bicubic"], ["zeros", "border", "reflection"], [0, 1]
    ):
        names = {"bilinear": "linear", "bicubic": "cubic"}
        rest = dict(padding_mode=padding, align_corners=corners)
        name = f"grid_sample_{mode}_{padding}_{corners}"
        case(name, "GridSample", [x, grid], 16, mode=mode, **rest)
        case(name, "GridSample", [x, grid], 20, mode=names.get(mode, mode), **rest)
        if mode != "bicubic":
            volume, places = floats(1, 2, 3, 4, 5), floats(1, 2, 3, 2, 3, low=-1.5, high=1.5)
            mode_20 = names.get(mode, mode)
            case(f"{name}_3d", "GridSample", [volume, places], 20, mode=mode_20, **rest)
    for corners in [0, 1]:
        theta = floats(2, 2, 3)
        case(f"affine_grid_{corners}", "AffineGrid", [theta, known([2, 1, 3, 4])], 20, align_corners=corners)
        theta = floats(2, 3, 4)
        case(f"affine_grid_3d_{corners}", "AffineGrid", [theta, known([2, 1, 3, 4, 2])], 20, align_corners=corners)


def einsums():
    extents = dict(a=2, b=3, c=4, d=5, i=3, j=4, k=2)
    for n, (equation, batches) in enumerate({
        "ij,jk->ik": (), "bij,bjk->bik": (), "bij,bjk->bki": (), "abcd,abdk->abck": (), "ij->ji": (), "ij->": (),
        "ii->i": (), "ii": (), "i,j->ij": (), "bi,bi->b": (), "i,j,k->kij": (), "abc,cd": (), "ba,b": (),
        "...ij,...jk->...ik": ((2, 3), (2, 3)), "...i,...i->...": ((2, 1), (2, 4)), "i...->...i": ((4, 5),),
        "...ii->...i": ((2,),), "a...b->b...a": ((2, 3),), "...i,ij": ((2, 3), ()),
    }.items()):
        terms = equation.split("->")[0].split(",")
        inputs = []
        for t, term in enumerate(terms):
            dims = []
            for letter in term.replace("...", "."):
                dims += batches[t] if letter == "." else [extents[letter]]
            inputs.append(floats(*dims))
        case(f"einsum_{n}", "Einsum", inputs, 12, equation=equation)


def pools():
    x = floats(2, 3, 7, 8)
    for opset in [12, 18, 21]:
        for order in [0, 1]:
            case(f"max_pool_indices_{order}", "MaxPool", [x], opset, 2, kernel_shape=[3, 2], strides=[2, 1],
                 pads=[1, 0, 1, 1], storage_order=order)
        case("max_pool_ceil", "MaxPool", [x], opset, 2, kernel_shape=[3, 3], strides=[2, 3], ceil_mode=1)
        case("max_pool_dilated", "MaxPool", [x], opset, 2, kernel_shape=[2, 3], dilations=[2, 1])
    for opset in [11, 19, 21]:
        for padded, ceil in itertools.product([0, 1], [0, 1]):
            case(f"average_pool_{padded}_{ceil}", "AveragePool", [x], opset, kernel_shape=[3, 3], strides=[2, 2],
                 pads=[1, 1, 1, 1], count_include_pad=padded, ceil_mode=ceil)
    case("average_pool_dilated", "AveragePool", [x], 19, kernel_shape=[2, 2], dilations=[2, 2])
    for p in [1, 2, 3]:
        case(f"lp_pool_{p}", "LpPool", [x], 11, kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1], p=p)
        case(f"lp_pool_dilated_{p}", "LpPool", [x], 18, kernel_shape=[3, 2], dilations=[2, 2], ceil_mode=1, p=p)
        case(f"global_lp_pool_{p}", "GlobalLpPool", [x], 2, p=p)
    places = np.array([[[[1, 6], [24, 31]]]], np.int64)
    case("max_unpool", "MaxUnpool", [floats(1, 1, 2, 2), np.array([[[[0, 3], [9, 14]]]], np.int64)], 11,
         kernel_shape=[2, 2], strides=[2, 2])
    case("max_unpool_3", "MaxUnpool", [floats(1, 1, 2, 2), places], 11, kernel_shape=[3, 3], strides=[3, 3])


def regions():
    x = floats(2, 3, 9, 11)
    rois = np.array([[0, 0, 8, 8], [2.5, 1, 7.25, 4], [-3, 2, 30, 9], [4, 4, 4.2, 4.1]], np.float32)
    images = np.array([0, 1, 1, 0], np.int64)
    size = dict(output_height=3, output_width=2)
    for ratio, scale, mode in itertools.product([0, 2], [1.0, 0.5], ["avg", "max"]):
        name = f"roi_align_{mode}_{ratio}_{scale}"
        rest = dict(sampling_ratio=ratio, spatial_scale=scale, mode=mode, **size)
        case(name, "RoiAlign", [x, rois, images], 10, **rest)
        for coordinates in ["half_pixel", "output_half_pixel"]:
            case(f"{name}_{coordinates}", "RoiAlign", [x, rois, images], 16,
                 coordinate_transformation_mode=coordinates, **rest)


def resizes():
    x, none = floats(1, 2, 6, 10), known([], np.float32)
    modes = ["nearest", "linear", "cubic"]
    places = ["half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "asymmetric", "align_corners"]
    for mode, place, size in itertools.product(modes, places, [(9, 7), (3, 20), (4, 1)]):
        case(f"resize_{mode}_{place}_{size[0]}", "Resize", [x, none, none, known([1, 2, *size])], 19, mode=mode,
             coordinate_transformation_mode=place)
    for mode, place, scale in itertools.product(modes, places[:4], [(1.5, 0.7), (0.5, 2.3)]):
        scales = known([1, 1, *scale], np.float32)
        case(f"resize_scaled_{mode}_{place}_{scale[0]}", "Resize", [x, none, scales], 19, mode=mode,
             coordinate_transformation_mode=place)
    for rounding, scale in itertools.product(["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"], [0.5, 2.5]):
        case(f"resize_{rounding}_{scale}", "Resize", [x, none, known([1, 1, scale, scale], np.float32)], 18,
             mode="nearest", nearest_mode=rounding)
    for mode, exclude, size in itertools.product(modes[1:], [0, 1], [(3, 4), (2, 15), (9, 3)]):
        case(f"resize_antialias_{mode}_{exclude}_{size[0]}", "Resize", [x, none, none, known([1, 2, *size])], 18,
             mode=mode, antialias=1, exclude_outside=exclude)
    for policy, size in itertools.product(["not_larger", "not_smaller"], [(9, 7), (3, 20)]):
        case(f"resize_{policy}_{size[0]}", "Resize", [x, none, none, known(size)], 18, mode="linear", axes=[2, 3],
             keep_aspect_ratio_policy=policy)
    case("resize_axes", "Resize", [x, none, known([2.0, 0.5], np.float32)], 18, mode="linear", axes=[3, 2])
    for mode in modes[:2]:
        case(f"resize_crop_{mode}", "Resize",
             [x, known([0, 0, 0.2, -0.1, 1, 1, 0.9, 0.6], np.float32), none, known([1, 2, 5, 7])], 13, mode=mode,
             coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=3.0)


def movements():
    x = floats(2, 3, 4, 5)
    for mode in ["constant", "reflect", "edge", "wrap"]:
        for opset in [18, 19, 21] if mode != "wrap" else [19, 21]:
            value = known(0.5, np.float32)
            case(f"pad_{mode}", "Pad", [x, known([1, 2, 0, 1]), value, known([3, -2])], opset, mode=mode)
            case(f"pad_all_{mode}", "Pad", [x, known([0, 0, 1, 2, 0, 1, 3, 0])], opset, mode=mode)
    for n, dims in enumerate([(4, 3), (2, 7), (7, 2), (1, 5)]):
        case(f"center_crop_pad_{n}", "CenterCropPad", [x, known(dims)], 18, axes=[3, 1])
    for opset, parts in itertools.product([18, 21], [2, 3]):
        case(f"split_{parts}", "Split", [x], opset, parts, axis=-1, num_outputs=parts)
    case("scatter", "Scatter", [floats(3, 4), integers(2, 4, high=3), floats(2, 4)], 10, axis=0)
    for how, opset in [("add", 16), ("mul", 16), ("add", 18), ("mul", 18), ("max", 18), ("min", 18)]:
        where = np.array([[0, 1, 1], [3, 3, -1]], np.int64)
        case(f"scatter_elements_{how}", "ScatterElements", [floats(2, 4), where, floats(2, 3)], opset, axis=1,
             reduction=how)
        where = np.array([[0], [2], [2]], np.int64)
        case(f"scatter_nd_{how}", "ScatterND", [floats(3, 4), where, floats(3, 4)], opset, reduction=how)
    for time in [0, 1]:
        lengths = np.array([[1, 4, 2, 3, 4], [4, 1, 5, 0]][time], np.int64)
        case(f"reverse_sequence_{time}", "ReverseSequence", [floats(4, 5, 2), lengths], 10, time_axis=time,
             batch_axis=1 - time)
    for mode in ["DCR", "CRD"]:
        case(f"depth_to_space_{mode}", "DepthToSpace", [floats(2, 8, 3, 2)], 13, blocksize=2, mode=mode)
    case("col2im", "Col2Im", [floats(2, 12, 12), known([4, 5]), known([2, 2])], 18)
    case("col2im_more", "Col2Im", [floats(1, 4, 9), known([5, 5]), known([2, 2])], 18, strides=[2, 2],
         pads=[0, 1, 1, 0])
    case("col2im_dilated", "Col2Im", [floats(1, 10, 18), known([6, 6]), known([1, 5])], 18, dilations=[1, 2],
         pads=[0, 1, 0, 4])


def normalizations():
    x = floats(2, 6, 4, 3)
    case("group_normalization", "GroupNormalization", [x, floats(3), floats(3)], 18, num_groups=3)
    case("group_normalization", "GroupNormalization", [x, floats(6), floats(6)], 21, num_groups=3)
    case("mean_variance", "MeanVarianceNormalization", [x], 13)
    case("mean_variance_axes", "MeanVarianceNormalization", [x], 13, axes=[1, 2])
    for p, axis in itertools.product([1, 2], [0, 1, -1]):
        case(f"lp_normalization_{p}_{axis}", "LpNormalization", [x], 1, p=p, axis=axis)
    for axis, opset in itertools.product([0, 2, -1], [11, 13]):
        case(f"hardmax_{axis}", "Hardmax", [x], opset, axis=axis)
    statistics = [floats(6), floats(6), floats(6), floats(6, low=0.5)]
    case("batch_normalization", "BatchNormalization", [x, *statistics], 15)
    case("batch_normalization_training", "BatchNormalization", [x, *statistics], 15, 3, training_mode=1, momentum=0.7)
    case("layer_normalization", "LayerNormalization", [x, floats(3), floats(3)], 17, 3)
    case("instance_normalization", "InstanceNormalization", [x, floats(6), floats(6)], 6)


def elements():
    for kind in [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64]:
        a, b = integers(3, 4, high=99, dtype=kind), integers(4, high=99, dtype=kind)
        for op in ["BitwiseAnd", "BitwiseOr", "BitwiseXor"]:
            case(f"{op}_{kind.__name__}", op, [a, b], 18)
        case(f"BitwiseNot_{kind.__name__}", "BitwiseNot", [a], 18)
    x = floats(3, 4, low=-3, high=3)
    case("shrink", "Shrink", [x], 9, lambd=1.0, bias=0.5)
    for how in ["none", "tanh"]:
        case(f"gelu_{how}", "Gelu", [x], 20, approximate=how)
    case("mish", "Mish", [x], 18)
    special = np.array([np.nan, np.inf, -np.inf, 1], np.float32)
    for op in ["IsNaN", "IsInf"]:
        case(op, op, [special], 20)
        case(f"{op}_half", op, [special.astype(np.float16)], 20)
    case("equal", "Equal", [integers(3, 4, high=2), integers(4, high=2)], 19)
    case("cast", "Cast", [x], 21, to=TensorProto.FLOAT16)
    case("reshape", "Reshape", [x, known([2, -1])], 21)
    case("transpose", "Transpose", [x], 21)
    case("unsqueeze", "Unsqueeze", [x, known([0, -1])], 21)
    case("det", "Det", [floats(2, 3, 4, 4)], 11)
    case("dropout", "Dropout", [x], 13, 2)
    case("constant_of_shape", "ConstantOfShape", [known([2, 3])], 21,
         value=helper.make_tensor("value", TensorProto.INT32, [1], [7]))
    for op in ["Add", "Sub", "Mul", "Div", "Max", "Min", "Pow"]:
        case(op, op, [floats(2, 3, 4, low=1, high=3), floats(3, 1, low=1, high=3)], 21)


def reductions():
    x = floats(2, 3, 4, low=0.5, high=2)
    ops = ["L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare", "Sum"]
    for op, opset in itertools.product(ops, [18, 20]):
        for n, (axes, keep) in enumerate([([1], 1), ([0, -1], 0)]):
            case(f"reduce_{op}_{n}", f"Reduce{op}", [x, known(axes)], opset, keepdims=keep)
        case(f"reduce_{op}_all", f"Reduce{op}", [x], opset)
        case(f"reduce_{op}_noop", f"Reduce{op}", [x, known([])], opset, noop_with_empty_axes=1)
    for op in ["Max", "Min"]:
        flags = random.integers(0, 2, (3, 4)).astype(bool)
        case(f"reduce_{op}_bool", f"Reduce{op}", [flags, known([1])], 20)


def losses():
    scores, labels = floats(3, 4, 2), integers(3, 2, high=4)
    for how, weighted, ignore in itertools.product(["none", "sum", "mean"], [0, 1], [None, 2]):
        inputs = [scores, labels] + ([floats(4, low=0.5)] if weighted else [])
        rest = dict(reduction=how) | ({} if ignore is None else dict(ignore_index=ignore))
        name = f"{how}_{weighted}_{ignore}"
        case(f"likelihood_{name}", "NegativeLogLikelihoodLoss", inputs, 13, **rest)
        case(f"cross_entropy_{name}", "SoftmaxCrossEntropyLoss", inputs, 13, 2, **rest)


def value_info(name, array):
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)


def write(path, name, array):
    path.write_bytes(numpy_helper.from_array(np.asarray(array), name).SerializeToString())


def write_case(folder, name, op, inputs, attributes, opset, outputs):
    """Returns why there is no such test, or nothing."""
    names = [f"x{i}" for i in range(len(inputs))]
    results = [f"y{i}" for i in range(outputs)]
    node = helper.make_node(op, names, results, **attributes)
    given = {n: a for n, a in zip(names, inputs) if not isinstance(a, Known)}
    constants = [numpy_helper.from_array(np.asarray(a), n) for n, a in zip(names, inputs) if isinstance(a, Known)]
    graph = helper.make_graph([node], name, [value_info(n, a) for n, a in given.items()],
                              [helper.make_empty_tensor_value_info(n) for n in results], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        expected = session.run(None, given)
    except Exception as why:  # what it raises has no common type
        return str(why).splitlines()[0]
    graph.ClearField("output")
    graph.output.extend(value_info(n, a) for n, a in zip(results, expected))
    model.graph.CopyFrom(graph)
    data = folder / "node" / f"test_{name}" / "test_data_set_0"
    data.mkdir(parents=True)
    (data.parent / "model.onnx").write_bytes(model.SerializeToString())
    for i, (n, a) in enumerate(given.items()):
        write(data / f"input_{i}.pb", n, a)
    for i, (n, a) in enumerate(zip(results, expected)):
        write(data / f"output_{i}.pb", n, a)
    return ""


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for family in [grid_samples, einsums, pools, regions, resizes, movements, normalizations, elements, reductions,
                   losses]:
        family()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else temporary)
        written = 0
        for one in cases:
            why = write_case(folder, *one)
            written += not why
            if why:
                print(f"not by ONNX Runtime: {one[0]}: {why}")
        print(f"{written} cases by ONNX Runtime {onnxruntime.__version__}, onnx {onnx.__version__}", flush=True)
        environment = dict(os.environ, SHOAL_ONNX_TESTDATA=str(folder))
        command = [sys.argv[1], "--source-file=*suite_conformance_test.cpp"]
        sys.exit(subprocess.run(command, env=environment).returncode)


if __name__ == "__main__":
    main()
