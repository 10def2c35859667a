"""The kinds of TensorFlow's operations, and a profile of a small step."""

import pytest

from benchmarks import contenders, operations
from benchmarks.operations import KINDS, by_kind, kind_of
from vaelib import read_faces

TAPE = "StatefulPartitionedCall/gradient_tape/vae/"


@pytest.mark.parametrize(
    "operation, kind",
    [
        ("vae/encoder/conv2d/convolution:_MklNativeConv2D", "forward"),
        ("vae/decoder/conv2d_3_1/BiasAdd:_MklNativeFusedConv2D", "forward"),
        ("vae/decoder/conv2d_transpose/conv_transpose:Conv2DBackpropInput", "forward"),
        (TAPE + "encoder/conv2d/convolution/Conv2DBackpropFilter:Conv2DBackpropFilter", "weights"),
        (TAPE + "encoder/conv2d/convolution/Conv2DBackpropInput:Conv2DBackpropInput", "inputs"),
        (TAPE + "decoder/conv2d_transpose/conv_transpose/Conv2D:_MklNativeConv2D", "inputs"),
        ("vae/encoder/z_mean/BiasAdd:_MklNativeFusedMatMul", "dense"),
        (TAPE + "encoder/z_mean/MatMul/MatMul_1:_MklMatMul", "dense"),
        ("muon/ArithmeticOptimizer/FoldTransposeIntoMatMul_MatMul_42:_MklMatMul", "products"),
        ("StatefulPartitionedCall/muon/mul_19:Mul", "optimizer"),
        ("StatefulPartitionedCall/adam/Sub_38:Sub", "optimizer"),
        ("StatefulPartitionedCall/muon_1/mul_19:Mul", "optimizer"),
        (TAPE + "encoder/batch_normalization_1/moments/Tile:Tile", "normalisation"),
        (TAPE + "decoder/leaky_re_lu_5/LeakyRelu/LeakyReluGrad:LeakyReluGrad", "activations"),
        ("IteratorGetNext:IteratorGetNext", "input"),
        ("StatefulPartitionedCall/gradient_tape/AvgPoolGrad_3:_MklNativeAvgPoolGrad", "rest"),
    ],
)
def test_kinds(operation, kind):
    assert kind_of(operation) == kind


def test_times_are_medians_and_what_is_no_operation_is_ignored():
    events = [("a/muon/x:Mul", seconds) for seconds in (1.0, 1.0, 50.0)]
    events += [("loop/add:Add", 2.0)] * 6  # twice per step
    events += [
        ("ExecutorState::Process", 9.0),
        ("EagerExecute: f", 9.0),
        ("f:PartitionedCall", 9.0),
    ]
    found = by_kind(events, steps=3)
    assert (found["optimizer"], found["rest"]) == (1.0, 4.0)
    assert sum(found.values()) == 5.0 and list(found) == list(KINDS)


@pytest.mark.slow
def test_every_kind_of_operation_is_found_in_a_step(colour_faces):
    train, _ = contenders._prepare_training("ours", read_faces(colour_faces), 4, 32)
    train(3)
    found = operations.profile(train, 2)
    # A batch that lies in memory may be there before the step asks for it.
    assert {kind for kind, seconds in found.items() if seconds == 0} <= {"input"}
