import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { closest } from 'fastest-levenshtein';
import {
  type ManifestProblem,
  type ModelManifest,
  readManifest,
  verifyManifest,
} from '../inference/manifest.js';
import { AppError } from '../lib/errors.js';
import { modelsDir } from '../lib/package-paths.js';

/** Beside the models: what is known of the data they were trained on (corrections, split). No model. */
const DATA_FOLDER = 'data';

/** A folder of models in a few words. */
export type ListedModel =
  | (Pick<ModelManifest, 'name' | 'version' | 'task' | 'license' | 'description'> & {
      /** All files of both forms together. */
      readonly sizeBytes: number;
    })
  | { readonly name: string; readonly error: { readonly code: string; readonly message: string } };

export interface VerifiedModel {
  readonly name: string;
  readonly ok: boolean;
  readonly problems: readonly (Omit<ManifestProblem, 'problem'> & { readonly problem: string })[];
}

/** Every model of a folder by name; one with a broken manifest is listed with its error. */
export async function listModels(modelsDir: string): Promise<ListedModel[]> {
  const names = await modelNames(modelsDir);
  return Promise.all(
    names.map(async (name): Promise<ListedModel> => {
      try {
        const manifest = await readManifest(join(modelsDir, name));
        const { version, task, license, description } = manifest;
        return { name, version, task, license, description, sizeBytes: sizeOf(manifest) };
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        return { name, error: { code: error.code, message: error.message } };
      }
    }),
  );
}

/** Compares models with their manifests. A manifest that cannot be read is a problem like any other. */
export async function verifyModels(modelsDir: string, names: readonly string[]): Promise<VerifiedModel[]> {
  const chosen = names.length > 0 ? names : await modelNames(modelsDir);
  const checked: VerifiedModel[] = [];
  for (const name of chosen) {
    const folder = await modelFolder(modelsDir, name);
    try {
      const { manifest, problems } = await verifyManifest(folder);
      const all = [...problems, ...nameProblems(name, manifest)];
      checked.push({ name, ok: all.length === 0, problems: all });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const problem = { file: 'manifest.json', problem: 'manifest', message: error.message };
      checked.push({ name, ok: false, problems: [problem] });
    }
  }
  return checked;
}

/** The folder of one model. Throws `AppError` MODEL_NOT_FOUND (exit code 2) with the nearest name that exists. */
export async function modelFolder(modelsDir: string, name: string): Promise<string> {
  const names = await modelNames(modelsDir);
  if (names.includes(name)) return join(modelsDir, name);
  throw new AppError('MODEL_NOT_FOUND', `there is no model ${name} in ${modelsDir}`, {
    hint: names.length === 0 ? 'the folder holds none' : `did you mean ${closest(name, names)}?`,
    exitCode: 2,
  });
}

/** The folder of a model of ours given by its name, or of any model by a path (with a slash). Throws as {@link modelFolder}. */
export function namedModelFolder(name: string): Promise<string> {
  return /[\\/]/.test(name) ? Promise.resolve(resolve(name)) : modelFolder(modelsDir(), name);
}

async function modelNames(modelsDir: string): Promise<string[]> {
  try {
    const entries = await readdir(modelsDir, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && entry.name !== DATA_FOLDER)
      .map(({ name }) => name)
      .sort();
  } catch (cause) {
    throw new AppError('MODEL_NOT_FOUND', `the folder ${modelsDir} cannot be read`, { cause, exitCode: 2 });
  }
}

function nameProblems(name: string, manifest: ModelManifest): VerifiedModel['problems'] {
  if (manifest.name === name) return [];
  return [
    { file: 'manifest.json', problem: 'name', message: `manifest.json calls the model ${manifest.name}` },
  ];
}

function sizeOf({ forms }: ModelManifest): number {
  return [forms.onnx, ...forms.tfjs.files].reduce((sum, file) => sum + file.sizeBytes, 0);
}
