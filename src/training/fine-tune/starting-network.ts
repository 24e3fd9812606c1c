import { MASK_LABELS } from '../../domain/label.js';
import { FACE_OUTPUT } from '../../inference/face-probability.js';
import { type ModelManifest, readManifest, verifyManifest } from '../../inference/manifest.js';
import { AppError } from '../../lib/errors.js';
import { seededRandom } from '../../lib/random.js';
import { readBackboneWeights } from '../export/mobilenet-v2.js';
import type { Network, WeightTensor } from '../export/network.js';
import { readTfjsWeights } from '../export/tfjs-weights.js';
import type { FineTuneRecipe } from '../recipes/fine-tune-recipe.js';
import { runKey } from '../report/checkpoint.js';
import { maskNetwork } from './mask-network.js';
import { narrowWeights } from './narrow-weights.js';

/** What a training begins from. */
export interface Start {
  readonly network: Network;
  /** For people: `mask-mobilenetv2 0.6.0`. */
  readonly name: string;
  /** Where that came from, nearest first, for the manifest's `origin`. */
  readonly origin: readonly string[];
  /** Changes with the weights. */
  readonly key: string;
}

/**
 * The network that a recipe begins with: the published backbone with fresh last layers, or (`startsFrom: 'model'`) the
 * trained mask classifier in `startDir`. The latter's calibration stays in its last layers: the training goes on from
 * there, and calibrates anew. Throws `AppError` MODEL_NOT_FOUND, MODEL_INVALID, EXPORT_WEIGHTS_MISSING (of the backbone),
 * TRAIN_START_UNFIT.
 */
export async function startingNetwork(
  recipe: FineTuneRecipe,
  { backboneDir, startDir }: { readonly backboneDir: string; readonly startDir?: string | undefined },
): Promise<Start> {
  const backbone = narrowWeights(await readBackboneWeights(backboneDir), recipe.width);
  const fresh = maskNetwork(backbone, recipe.inputPx, seededRandom(recipe.optimisation.seed));
  if (recipe.startsFrom === 'backbone')
    return { network: fresh, ...startOf(await readManifest(backboneDir), []) };
  if (startDir === undefined)
    throw new TypeError(`the recipe ${recipe.name} needs a model to begin from: startDir`);
  const { manifest, problems } = await verifyManifest(startDir);
  const faults = [...problems.map(({ message }) => message), ...otherForm(recipe, manifest)];
  if (faults.length > 0) throw unfit(recipe, startDir, faults);
  const stored = await readTfjsWeights(startDir);
  const trained = (key: string, { shape }: WeightTensor): WeightTensor => {
    const tensor = stored.get(key);
    if (tensor?.shape.join() === shape.join()) return tensor;
    throw unfit(recipe, startDir, [
      `its weights ${key} are ${tensor ? tensor.shape.join(' × ') : 'missing'}, not ${shape.join(' × ')}`,
    ]);
  };
  const nodes = fresh.nodes.map((node) =>
    'kernel' in node
      ? {
          ...node,
          kernel: trained(`${node.name}_kernel`, node.kernel),
          bias: trained(`${node.name}_bias`, node.bias),
        }
      : node,
  );
  return { network: { ...fresh, nodes }, ...startOf(manifest, manifest.origin) };
}

function startOf({ name, version, forms }: ModelManifest, origin: readonly string[]): Omit<Start, 'network'> {
  const hash = forms.onnx.sha256.slice(0, 16);
  return {
    name: `${name} ${version}`,
    origin: [`began from: ${name} ${version} (model.onnx ${hash}…)`, ...origin],
    key: runKey(forms.tfjs.files.map(({ sha256 }) => sha256)),
  };
}

function otherForm(recipe: FineTuneRecipe, { task, labels, input, outputs, crop }: ModelManifest): string[] {
  const sides = [input.widthPx, input.heightPx];
  return [
    ...(task === 'mask-classification' ? [] : [`its task is ${task}`]),
    ...(labels?.join() === MASK_LABELS.join() ? [] : [`its labels are ${labels?.join(', ') ?? 'none'}`]),
    ...(outputs.some(({ name }) => name === FACE_OUTPUT) ? [] : [`it has no output ${FACE_OUTPUT}`]),
    ...(sides.every((px) => px === recipe.inputPx)
      ? []
      : [`its input is ${sides.map((px) => px ?? 'any').join(' × ')} px, not ${recipe.inputPx}`]),
    ...(crop?.marginRatio === recipe.marginRatio
      ? []
      : [`the margin of its crops is ${crop?.marginRatio ?? 'not told'}, not ${recipe.marginRatio}`]),
  ];
}

function unfit(recipe: FineTuneRecipe, path: string, faults: readonly string[]): AppError {
  return new AppError('TRAIN_START_UNFIT', faults.join('; '), {
    path,
    hint: `the recipe ${recipe.name} goes on from a model that a recipe of its kind made, such as mask-mobilenetv2`,
    exitCode: 2,
  });
}
