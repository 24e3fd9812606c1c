import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mergeSiblings } from '../export/merge-siblings.js';
import { inputsOf, type Network } from '../export/network.js';
import { readOnnx } from '../export/onnx-reader.js';
import { OUTPUT_CHANNELS, STRIDES } from './detector-session.js';

/** Names of YuNet's outputs in the order of its manifest. */
export const OUTPUT_NAMES = Object.keys(OUTPUT_CHANNELS).flatMap((kind) =>
  STRIDES.map((stride) => `${kind}_${stride}`),
);

/**
 * YuNet from an ONNX file as its authors publish it (BGR floats in planes) with the branches of its heads joined.
 * Rejects with `AppError` EXPORT_ONNX_UNSUPPORTED.
 */
export async function readPublishedYunet(path: string, name: string): Promise<Network> {
  return mergeSiblings(readOnnx(await readFile(path), { name, colour: 'bgr', outputs: OUTPUT_NAMES }));
}

/** The file of the published weights in a folder of data. */
export function publishedYunetPath(dataDir: string): string {
  return join(dataDir, 'weights', 'yunet_n_dynamic.onnx');
}

/** The same network with what goes into the sigmoids as outputs: a loss of logits stays exact at both ends. */
export function withLogits(network: Network): Network {
  const nodes = new Map(network.nodes.map((node) => [node.name, node]));
  return {
    ...network,
    outputs: network.outputs.map(({ name, node: nodeName }) => {
      const node = nodes.get(nodeName)!;
      return { name, node: node.op === 'sigmoid' ? inputsOf(node)[0]! : nodeName };
    }),
  };
}
