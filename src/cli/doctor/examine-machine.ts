import { availableParallelism, cpus, totalmem } from 'node:os';
import { engineQuestion, workerCount } from '../../assemble-engine.js';
import { configSchema } from '../../config/schema.js';
import { rememberedChoice } from '../../inference/choose-engine.js';
import { findFfmpeg } from '../../ingest/ffmpeg-binary.js';
import { AppError, messageOf } from '../../lib/errors.js';
import { modelsDir, packageVersion } from '../../lib/package-paths.js';
import { verifyModels } from '../model-folders.js';
import { engineFindings } from './engine-findings.js';
import type { Finding } from './finding.js';

export interface MachineReport {
  readonly maskwatch: string;
  /** Whether the service can run here. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

/**
 * Looks at everything that the service needs or would profit from, and changes nothing. `onFinding` is told of each
 * part as soon as it is known. Rejects with the signal's reason when aborted.
 */
export async function examineMachine(options: {
  readonly signal: AbortSignal;
  readonly onFinding?: (finding: Finding) => void;
}): Promise<MachineReport> {
  const findings: Finding[] = [];
  const add = (...found: readonly Finding[]) => {
    for (const finding of found) {
      findings.push(finding);
      options.onFinding?.(finding);
    }
  };
  const config = configSchema.parse({});
  const question = engineQuestion(config, workerCount(config, false));
  add(machineFinding(), await ffmpegFinding(), ...(await modelFindings()));
  add(...(await engineFindings(question, options.signal)));
  const choice = await rememberedChoice(question).catch(() => null);
  add(
    choice
      ? { name: 'engine: auto', state: 'ok', detail: choice.reason }
      : {
          name: 'engine: auto',
          state: 'absent',
          detail: 'nothing was measured yet with the models and the size of the default configuration',
          remedy: 'the first start of the service measures for about a second and remembers',
        },
  );
  return { maskwatch: packageVersion(), ok: findings.every(({ state }) => state !== 'problem'), findings };
}

function machineFinding(): Finding {
  const gigabytes = (totalmem() / 2 ** 30).toFixed(1);
  const cpu = cpus()[0]?.model.trim() ?? 'unknown CPU';
  return {
    name: 'machine',
    state: 'ok',
    detail: `Node.js ${process.versions.node}, ${process.platform} ${process.arch}, ${availableParallelism()} cores (${cpu}), ${gigabytes} GiB`,
  };
}

async function ffmpegFinding(): Promise<Finding> {
  try {
    const { path, version, origin } = await findFfmpeg();
    const from = { option: 'asked for', FFMPEG_PATH: 'FFMPEG_PATH', npm: 'installed by npm' }[origin];
    return { name: 'ffmpeg', state: 'ok', detail: `${version} (${from}): ${path}` };
  } catch (error) {
    const remedy = (error instanceof AppError && error.hint) || 'set FFMPEG_PATH';
    return { name: 'ffmpeg', state: 'problem', detail: messageOf(error), remedy };
  }
}

async function modelFindings(): Promise<Finding[]> {
  const { detection, classification } = configSchema.parse({});
  const models = await verifyModels(modelsDir(), [detection.model, classification.model]);
  return models.map(({ name, ok, problems }) => ({
    name: `model ${name}`,
    ...(ok
      ? { state: 'ok' as const, detail: 'every file has its size and hash' }
      : {
          state: 'problem' as const,
          detail: problems.map(({ message }) => message).join('; '),
          remedy: 'get the files of models/ again',
        }),
  }));
}
