import { MASK_LABELS } from '../../domain/label.js';
import { FACE_OUTPUT } from '../../inference/face-probability.js';
import { readManifest } from '../../inference/manifest.js';
import { AppError } from '../../lib/errors.js';
import { seededRandom } from '../../lib/random.js';
import { backboneWeights, readBackboneWeights } from '../export/mobilenet-v2.js';
import type { Network, WeightTensor } from '../export/network.js';
import { readTfjsWeights } from '../export/tfjs-weights.js';
import type { FineTuneRecipe } from '../recipes/fine-tune-recipe.js';
import { maskNetwork } from './mask-network.js';
import { narrowWeights } from './narrow-weights.js';

/** What a training begins from. */
export interface Start {
  readonly network: Network;
  /** For people: `mask-mobilenetv2 0.6.0`. */
  readonly name: string;
  /** Changes with the weights. */
  readonly key: string;
}

/**
 * The network that a recipe begins with: the published backbone with fresh last layers, or (`startsFrom: 'model'`) the
 * trained mask classifier in `startDir`. The latter's calibration stays in its last layers: the training goes on from
 * there, and calibrates anew. Throws `AppError` MODEL_NOT_FOUND, MODEL_INVALID, TRAIN_START_UNFIT.
 */
export async function startingNetwork(
  recipe: FineTuneRecipe,
  { backboneDir, startDir }: { readonly backboneDir: string; readonly startDir?: string | undefined },
): Promise<Start> {
  const random = seededRandom(recipe.optimisation.seed);
  if (recipe.startsFrom === 'backbone') {
    const weights = narrowWeights(await readBackboneWeights(backboneDir), recipe.width);
    return { network: maskNetwork(weights, recipe.inputPx, random), ...(await nameOf(backboneDir)) };
  }
  if (startDir === undefined)
    throw new TypeError(`the recipe ${recipe.name} needs a model to begin from: startDir`);
  await requireSameForm(recipe, startDir);
  const stored = await readTfjsWeights(startDir);
  const fresh = maskNetwork(backboneWeights(stored), recipe.inputPx, random);
  const network = {
    ...fresh,
    nodes: fresh.nodes.map((node) =>
      node.op === 'dense'
        ? {
            ...node,
            kernel: trained(stored, `${node.name}_kernel`, startDir),
            bias: trained(stored, `${node.name}_bias`, startDir),
          }
        : node,
    ),
  };
  return { network, ...(await nameOf(startDir)) };
}

async function nameOf(modelDir: string): Promise<Pick<Start, 'name' | 'key'>> {
  const { name, version, forms } = await readManifest(modelDir);
  return { name: `${name} ${version}`, key: forms.onnx.sha256 };
}

async function requireSameForm(recipe: FineTuneRecipe, startDir: string): Promise<void> {
  const { task, labels, input, outputs, crop } = await readManifest(startDir);
  const faults = [
    ...(task === 'mask-classification' ? [] : [`its task is ${task}`]),
    ...(labels?.join() === MASK_LABELS.join() ? [] : [`its labels are ${labels?.join(', ') ?? 'none'}`]),
    ...(outputs.some(({ name }) => name === FACE_OUTPUT) ? [] : [`it has no output ${FACE_OUTPUT}`]),
    ...(input.widthPx === recipe.inputPx ? [] : [`its input is ${input.widthPx} px, not ${recipe.inputPx}`]),
    ...(crop?.marginRatio === recipe.marginRatio
      ? []
      : [`its crops have a margin of ${crop?.marginRatio}, not ${recipe.marginRatio}`]),
  ];
  if (faults.length > 0)
    throw new AppError('TRAIN_START_UNFIT', `${startDir}: ${faults.join('; ')}`, {
      path: startDir,
      hint: `the recipe ${recipe.name} goes on from a model that a recipe of its kind made, such as mask-mobilenetv2`,
      exitCode: 2,
    });
}

function trained(stored: ReadonlyMap<string, WeightTensor>, name: string, modelDir: string): WeightTensor {
  const tensor = stored.get(name);
  if (tensor) return tensor;
  throw new AppError('TRAIN_START_UNFIT', `${modelDir}: weights ${name} are missing`, {
    path: modelDir,
    exitCode: 2,
  });
}
