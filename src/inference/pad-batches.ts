import type { LoadedModel, Tensor } from './engine.js';

/** Batches that a GPU ever sees; larger ones go as they are. */
export const PADDED_SIZES = [1, 2, 4, 8, 16, 32, 64] as const;

/**
 * Fills batches up with zeros to a few sizes and cuts the answers to the batch again: on a GPU every size keeps buffers
 * and plans of its own, so that sizes as they come would let its memory grow and each new one be slow. A single picture
 * and a batch of just such a size pass untouched.
 */
export function padBatches(model: LoadedModel): LoadedModel {
  return {
    async run(inputs) {
      const batch = Object.values(inputs)[0]?.shape[0];
      const padded = PADDED_SIZES.find((size) => batch !== undefined && size >= batch);
      if (batch === undefined || padded === undefined || padded === batch) return model.run(inputs);
      const outputs = await model.run(mapValues(inputs, (tensor) => grow(tensor, batch, padded)));
      return mapValues(outputs, ({ data, shape }) => ({
        data: data.slice(0, (data.length / padded) * batch),
        shape: [batch, ...shape.slice(1)],
      }));
    },
    close: () => model.close(),
  };
}

/** A tensor that does not have its shape is left as it is, for the model itself to refuse. */
function grow(tensor: Tensor, batch: number, padded: number): Tensor {
  const { data, shape } = tensor;
  if (data.length !== shape.reduce((product, side) => product * side, 1)) return tensor;
  const length = (data.length / batch) * padded;
  const grown = data instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  grown.set(data);
  return { data: grown, shape: [padded, ...shape.slice(1)] };
}

function mapValues<In, Out>(
  record: Readonly<Record<string, In>>,
  change: (value: In) => Out,
): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
