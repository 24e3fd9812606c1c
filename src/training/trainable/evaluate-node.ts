import * as tf from '@tensorflow/tfjs-core';
import type { Activation, ConvNode, NetworkNode } from '../export/network.js';

/**
 * Value of one node of a network in TensorFlow.js, differentiable in its inputs and weights. `inputs` in the order
 * of `inputsOf(node)`; `weightOf` gives the node's own weights in TensorFlow's layouts.
 */
export function evaluateNode(
  node: NetworkNode,
  inputs: readonly tf.Tensor[],
  weightOf: (part: 'kernel' | 'bias') => tf.Tensor,
): tf.Tensor {
  const [first] = inputs as [tf.Tensor, ...tf.Tensor[]];
  switch (node.op) {
    case 'conv':
    case 'depthwise-conv':
      return activate(
        tf.add(convolve(node, first as tf.Tensor4D, weightOf('kernel') as tf.Tensor4D), weightOf('bias')),
        node.activation,
      );
    case 'dense':
      return activate(
        tf.add(tf.matMul(first as tf.Tensor2D, weightOf('kernel') as tf.Tensor2D), weightOf('bias')),
        node.activation,
      );
    case 'max-pool':
      return tf.maxPool(first as tf.Tensor4D, 2, 2, 'valid');
    case 'upsample':
      return doubled(first as tf.Tensor4D);
    case 'mean':
      return tf.mean(first, [1, 2]);
    case 'flatten':
      return tf.reshape(first, [first.shape[0]!, -1]);
    case 'sigmoid':
      return tf.sigmoid(first);
    case 'softmax':
      return tf.softmax(first);
    case 'add':
      return tf.add(first, inputs[1]!);
    case 'concat':
      return tf.concat([...inputs], 3);
    case 'slice-channels': {
      const [batch, height, width] = first.shape as [number, number, number];
      return tf.slice(first, [0, 0, 0, node.from], [batch, height, width, node.count]);
    }
    case 'normalise':
      return tf.add(tf.mul(tf.cast(first, 'float32'), node.scale), node.offset);
    case 'input':
      return first;
  }
}

function convolve(node: ConvNode, input: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor4D {
  const { padding, stride } = node;
  const isExplicit = typeof padding === 'object';
  const source = isExplicit
    ? tf.pad(input, [
        [0, 0],
        [padding.top, padding.bottom],
        [padding.left, padding.right],
        [0, 0],
      ])
    : input;
  const mode = isExplicit ? 'valid' : padding;
  if (node.op === 'depthwise-conv') return tf.depthwiseConv2d(source, kernel, stride, mode);
  const [height, width, inChannels, outChannels] = kernel.shape;
  if (height !== 1 || width !== 1 || stride !== 1) return tf.conv2d(source, kernel, stride, mode);
  // A 1 × 1 convolution is a matrix product, whose gradient is faster than the convolution's on every backend.
  const [batch, rows, columns] = source.shape;
  const flat = tf.matMul(
    tf.reshape(source, [batch * rows * columns, inChannels]),
    tf.reshape(kernel, [inChannels, outChannels]),
  );
  return tf.reshape(flat, [batch, rows, columns, outChannels]);
}

/** What native TensorFlow.js' backend has beyond the public interface: any operation of TensorFlow by name. */
interface NativeBackend {
  executeSingleOutput(
    name: string,
    attributes: readonly { name: string; type: number; value: number }[],
    inputs: readonly tf.Tensor[],
  ): tf.Tensor;
  readonly binding: { readonly TF_ATTR_TYPE: number; readonly TF_FLOAT: number };
}

/**
 * ReLU6 whose gradient is one operation on native TensorFlow. TensorFlow.js makes it out of five, each of them
 * bound by memory: together they took longer than the convolutions.
 */
const relu6 = tf.customGrad((input, save) => {
  const x = input as tf.Tensor;
  const value = tf.relu6(x);
  (save as tf.GradSaveFunc)([value]);
  return {
    value,
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => relu6Gradient(dy, saved[0]!),
  };
});

/** dy where 0 < y < 6, otherwise 0. */
function relu6Gradient(dy: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const backend = tf.backend() as unknown as Partial<NativeBackend>;
  if (!backend.executeSingleOutput || !backend.binding)
    return tf.mul(dy, tf.cast(tf.logicalAnd(tf.greater(y, 0), tf.less(y, 6)), 'float32'));
  const { TF_ATTR_TYPE, TF_FLOAT } = backend.binding;
  return backend.executeSingleOutput(
    'Relu6Grad',
    [{ name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT }],
    [dy, y],
  );
}

function activate(value: tf.Tensor, activation: Activation): tf.Tensor {
  if (activation === 'relu') return tf.relu(value);
  return activation === 'relu6' ? relu6(value) : value;
}

/** Each pixel becomes 2 × 2: by joining with itself, whose gradient every backend has (tiling's is for rank 4 only). */
function doubled(input: tf.Tensor4D): tf.Tensor4D {
  const [batch, height, width, channels] = input.shape;
  const rowLength = width * 2 * channels;
  const columns = tf.reshape(tf.concat([input, input], 3), [batch, height, 1, rowLength]);
  return tf.reshape(tf.concat([columns, columns], 2), [batch, height * 2, width * 2, channels]);
}
