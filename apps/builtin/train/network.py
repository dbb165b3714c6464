"""The x2 super-resolution network, and its ONNX file.

The same weights have two homes: a PyTorch module to train, and an ONNX graph to ship. The graph is written
node by node instead of traced, so that every node and value carries a name a person can read in a plan or an
error, and so that the file holds nothing but the operators listed in `write_onnx`.

Everything is convolution with a stride of 1, so an output pixel depends on the input pixels at most
`RADIUS` away and a picture can be cut into tiles that join without a seam.
"""

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from torch import nn

CHANNELS = 24
BLOCKS = 4
SLOPE = 0.1  # of the leaky rectifiers
RADIUS = 2 + 3 * BLOCKS  # one pixel for each 3x3 convolution on the longest path
OPSET = 13  # the oldest with Clip and Resize in the form used here: the widest choice of runtimes
IR_VERSION = 7


def conv3x3(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class Block(nn.Module):
    """Three convolutions around which the input is carried unchanged."""

    def __init__(self):
        super().__init__()
        self.conv1 = conv3x3(CHANNELS, CHANNELS)
        self.conv2 = conv3x3(CHANNELS, CHANNELS)
        self.conv3 = conv3x3(CHANNELS, CHANNELS)

    def forward(self, x):
        y = F.leaky_relu(self.conv1(x), SLOPE)
        y = F.leaky_relu(self.conv2(y), SLOPE)
        return x + self.conv3(y)


class Upscaler(nn.Module):
    """RGB in [0,1], [N,3,H,W] to [N,3,2H,2W]: bilinear upscaling plus what the network adds to it."""

    def __init__(self):
        super().__init__()
        self.head = conv3x3(3, CHANNELS)
        self.body = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.fuse = nn.Conv2d(BLOCKS * CHANNELS, CHANNELS, 1)
        self.tail = conv3x3(CHANNELS, 3 * 4)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, a=SLOPE)
                nn.init.zeros_(layer.bias)
        # A block starts as nearly the identity and the whole as nearly the bilinear picture: deep sums of
        # full-sized random terms would start far away and waste the first thousand steps coming back.
        with torch.no_grad():
            for block in self.body:
                block.conv3.weight *= 0.1
            self.tail.weight *= 0.1

    def forward(self, image):
        """The picture before clipping: the loss needs a gradient outside [0,1] too."""
        head = x = self.head(image)
        blocks = []
        for block in self.body:
            x = block(x)
            blocks.append(x)
        x = head + self.fuse(torch.cat(blocks, dim=1))
        detail = F.pixel_shuffle(self.tail(x), 2)
        base = F.interpolate(image, scale_factor=2, mode="bilinear", align_corners=False)
        return base + detail

    def layers(self):
        """(name in the ONNX file, convolution), in the order of the graph."""
        yield "head/conv", self.head
        for i, block in enumerate(self.body, start=1):
            for j in (1, 2, 3):
                yield f"body{i}/conv{j}", getattr(block, f"conv{j}")
        yield "fuse/conv", self.fuse
        yield "tail/conv", self.tail


def write_onnx(net, path):
    """Operators: Conv, LeakyRelu, Add, Concat, DepthToSpace, Resize (linear, half_pixel), Clip."""
    nodes, constants = [], []
    convolutions = dict(net.layers())

    def constant(name, array):
        constants.append(numpy_helper.from_array(np.asarray(array, np.float32), name))
        return name

    def node(op, name, inputs, output=None, **attributes):
        output = output or name + "/out"
        nodes.append(helper.make_node(op, inputs, [output], name, **attributes))
        return output

    def conv(name, x):
        layer = convolutions[name]
        k = layer.kernel_size[0]
        weight = constant(name + "/weight", layer.weight.detach().numpy())
        bias = constant(name + "/bias", layer.bias.detach().numpy())
        return node("Conv", name, [x, weight, bias], kernel_shape=[k, k], pads=[k // 2] * 4)

    def act(name, x):
        return node("LeakyRelu", name, [x], alpha=SLOPE)

    head = x = conv("head/conv", "image")
    blocks = []
    for i in range(1, BLOCKS + 1):
        y = act(f"body{i}/act1", conv(f"body{i}/conv1", x))
        y = act(f"body{i}/act2", conv(f"body{i}/conv2", y))
        x = node("Add", f"body{i}/add", [x, conv(f"body{i}/conv3", y)])
        blocks.append(x)
    x = conv("fuse/conv", node("Concat", "fuse/concat", blocks, axis=1))
    x = node("Add", "fuse/add", [head, x])
    detail = node("DepthToSpace", "tail/shuffle", [conv("tail/conv", x)], blocksize=2, mode="CRD")
    scales = constant("base/resize/scales", [1, 1, 2, 2])
    base = node("Resize", "base/resize", ["image", "", scales], mode="linear",
                coordinate_transformation_mode="half_pixel")
    x = node("Add", "out/add", [base, detail])
    limits = [constant("out/clip/min", 0.0), constant("out/clip/max", 1.0)]
    node("Clip", "out/clip", [x, *limits], output="upscaled")

    def value(name, shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    # The output's height and width have no name: ONNX cannot write "2H", and a name of its own would say less.
    graph = helper.make_graph(nodes, "upscale_x2", [value("image", ["N", 3, "H", "W"])],
                              [value("upscaled", ["N", 3, "2H", "2W"])], constants)
    model = helper.make_model(graph, producer_name="shoal", ir_version=IR_VERSION,
                              opset_imports=[helper.make_opsetid("", OPSET)])
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def read_onnx(path):
    """The network with the weights of a file that `write_onnx` wrote."""
    constants = {c.name: numpy_helper.to_array(c) for c in onnx.load(path).graph.initializer}
    net = Upscaler()
    with torch.no_grad():
        for name, layer in net.layers():
            layer.weight.copy_(torch.from_numpy(constants[name + "/weight"].copy()))
            layer.bias.copy_(torch.from_numpy(constants[name + "/bias"].copy()))
    return net.eval()
