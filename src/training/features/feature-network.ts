import { AppError } from '../../lib/errors.js';
import { cutAt, type Network, type NetworkNode, shapesOf } from '../export/network.js';

/** Name of the node whose value is the head's input. */
export const FEATURES_NODE = 'features_map';

/** The frozen part: the backbone as far as it is needed, and the joining of its maps. */
export interface FrozenPart {
  /** Its only output, `features`, shows {@link FEATURES_NODE}. */
  readonly network: Network;
  readonly heightCells: number;
  readonly widthCells: number;
  readonly channels: number;
}

/**
 * Joins the maps of `featureNodes` by channel, each brought to the size of the first by 2 × 2 maximum pooling or
 * doubling. Throws `AppError` RECIPE_INVALID when a size cannot be reached so.
 */
export function buildFrozenPart(backbone: Network, featureNodes: readonly [string, ...string[]]): FrozenPart {
  const shapes = shapesOf(backbone);
  const sizeOf = (name: string) => {
    const shape = shapes.get(name);
    if (shape?.kind !== 'picture' || shape.height === null || shape.width === null)
      throw new AppError('RECIPE_INVALID', `the backbone has no map ${name} of fixed size`);
    return { height: shape.height, width: shape.width, channels: shape.channels };
  };
  const goal = sizeOf(featureNodes[0]);
  const nodes: NetworkNode[] = [...backbone.nodes];
  const joined = featureNodes.map((name) => {
    let { height } = sizeOf(name);
    let current = name;
    while (height !== goal.height) {
      const isPooling = height > goal.height;
      const next = isPooling ? Math.floor(height / 2) : height * 2;
      if (isPooling ? next < goal.height : next > goal.height)
        throw new AppError('RECIPE_INVALID', `the map ${name} cannot be brought to ${goal.height} rows`);
      height = next;
      const node = `${name}_at_${height}`;
      nodes.push({ op: isPooling ? 'max-pool' : 'upsample', name: node, input: current });
      current = node;
    }
    return current;
  });
  const [first, second, ...others] = joined;
  let last = first!;
  if (second !== undefined) {
    nodes.push({ op: 'concat', name: FEATURES_NODE, inputs: [first!, second, ...others] });
    last = FEATURES_NODE;
  }
  const network = cutAt({ name: backbone.name, nodes, outputs: [] }, last, 'features');
  const channels = featureNodes.reduce((sum, name) => sum + sizeOf(name).channels, 0);
  return { network, heightCells: goal.height, widthCells: goal.width, channels };
}
