import { availableParallelism, cpus, totalmem } from 'node:os';
import { type Keeper, keeperOf } from '../../ingest/child-processes.js';
import { findFfmpeg, findSystemFfmpeg } from '../../ingest/ffmpeg-binary.js';
import { onlyOtherCan } from '../../ingest/ffmpeg-choice.js';
import { AppError, messageOf } from '../../lib/errors.js';
import { modelsDir } from '../../lib/package-paths.js';
import { verifyModels } from '../model-folders.js';
import type { Finding } from './finding.js';

/** Whether a release of Node.js (`20.19.0`) is one of those that package.json names under `engines`. */
export function isSupportedNode(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major >= 24 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);
}

export function nodeFinding(version = process.versions.node): Finding {
  const name = 'Node.js';
  if (isSupportedNode(version)) return { name, state: 'ok', detail: version };
  return {
    name,
    state: 'problem',
    detail: `${version} is not supported`,
    remedy: 'install Node.js 20.19, 22.12, 24 or newer, then npm ci',
  };
}

export function machineFinding(): Finding {
  const gigabytes = (totalmem() / 2 ** 30).toFixed(1);
  const cpu = cpus()[0]?.model.trim() ?? 'unknown CPU';
  const detail = `${process.platform} ${process.arch}, ${availableParallelism()} cores (${cpu}), ${gigabytes} GiB`;
  return { name: 'machine', state: 'ok', detail };
}

const KEEPERS: Readonly<Record<Keeper, string>> = {
  kernel: 'ended by the kernel when its owner dies',
  container: 'ended with its container',
  job_object: 'ended by its job object when its owner dies',
  guardian: 'ended by a guardian process when its owner dies',
};

const ORIGINS = {
  option: 'asked for',
  FFMPEG_PATH: 'FFMPEG_PATH',
  npm: 'installed by npm',
  system: 'found in PATH, as npm has none that runs here',
};

/** The ffmpeg that a service without `ingest.ffmpegPath` would take, and the one for what that cannot do. */
export async function ffmpegFinding(): Promise<Finding> {
  try {
    const usual = await findFfmpeg();
    const { path, version, origin } = usual;
    const keeper = KEEPERS[await keeperOf(path)];
    const other = origin === 'npm' ? await findSystemFfmpeg() : null;
    const more = other ? onlyOtherCan(usual, other) : [];
    const also = other && more.length > 0 ? `; ${other.version} for ${more.join(', ')}: ${other.path}` : '';
    return {
      name: 'ffmpeg',
      state: 'ok',
      detail: `${version} (${ORIGINS[origin]}), ${keeper}: ${path}${also}`,
    };
  } catch (error) {
    const remedy = (error instanceof AppError && error.hint) || 'set FFMPEG_PATH to an ffmpeg';
    return { name: 'ffmpeg', state: 'problem', detail: messageOf(error), remedy };
  }
}

/** Every model that ships. One that the default configuration does not name may be damaged: nothing needs it. */
export async function modelFindings(needed: readonly string[], folder = modelsDir()): Promise<Finding[]> {
  const name = (model: string) => `model ${model}`;
  const remedy = (model: string) => `git checkout -- models/${model}, or unpack the release again`;
  try {
    const models = await verifyModels(folder, []);
    const missing = needed.filter((wanted) => !models.some((model) => model.name === wanted));
    return [
      ...missing.map((model) => ({
        name: name(model),
        state: 'problem' as const,
        detail: `there is no such folder in ${folder}`,
        remedy: remedy(model),
      })),
      ...models.map(({ name: model, ok, problems }): Finding => {
        if (ok) return { name: name(model), state: 'ok', detail: 'every file has its size and hash' };
        return {
          name: name(model),
          state: needed.includes(model) ? 'problem' : 'absent',
          detail: problems.map(({ message }) => message).join('; '),
          remedy: remedy(model),
        };
      }),
    ];
  } catch (error) {
    return [
      { name: 'models', state: 'problem', detail: messageOf(error), remedy: 'unpack the release again' },
    ];
  }
}
