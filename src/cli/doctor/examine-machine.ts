import { engineQuestion, workerCount } from '../../assemble-engine.js';
import { configSchema } from '../../config/schema.js';
import { countRemembered, defaultCacheFile } from '../../inference/choice-cache.js';
import { type EngineQuestion, rememberedChoice } from '../../inference/choose-engine.js';
import { readNvidiaGpus } from '../../lib/nvidia.js';
import { packageVersion } from '../../lib/package-paths.js';
import { ffmpegFinding, machineFinding, modelFindings, nodeFinding } from './component-findings.js';
import { engineFindings, gpuFinding } from './engine-findings.js';
import type { Finding } from './finding.js';
import { cacheFinding, setUpFinding } from './storage-findings.js';

export interface MachineReport {
  readonly maskwatch: string;
  /** Whether the service can run here. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

/**
 * Looks at everything that the service of the default configuration needs or would profit from, and changes nothing.
 * `onFinding` is told of each part as soon as it is known. Rejects with the signal's reason when aborted.
 */
export async function examineMachine(options: {
  readonly signal: AbortSignal;
  readonly onFinding?: (finding: Finding) => void;
}): Promise<MachineReport> {
  const { signal } = options;
  const findings: Finding[] = [];
  const add = (...found: readonly Finding[]) => {
    for (const finding of found) {
      findings.push(finding);
      options.onFinding?.(finding);
    }
  };
  const config = configSchema.parse({});
  const question = engineQuestion(config, workerCount(config, false));
  const gpus = readNvidiaGpus();
  add(nodeFinding(), machineFinding(), await ffmpegFinding());
  add(...(await modelFindings([config.detection.model, config.classification.model])));
  signal.throwIfAborted();
  add(gpuFinding(gpus));
  add(...(await engineFindings(question, gpus, signal)));
  add(await setUpFinding(gpus.isPresent ? 'cuda' : 'cpu'));
  add(cacheFinding(), await autoFinding(question));
  return { maskwatch: packageVersion(), ok: findings.every(({ state }) => state !== 'problem'), findings };
}

async function autoFinding(question: EngineQuestion): Promise<Finding> {
  const name = 'engine: auto';
  // A model that cannot be read has a line of its own.
  const choice = await rememberedChoice(question).catch(() => null);
  if (choice) return { name, state: 'ok', detail: choice.reason, measurement: choice.measurement };
  const others = (await countRemembered(defaultCacheFile())) ?? 0;
  const of = 'nothing is remembered for this machine with the default configuration';
  return {
    name,
    state: 'absent',
    detail: others === 0 ? of : `${of} (of other machines or configurations: ${others})`,
    remedy:
      'the first start of the service measures for about a second and remembers; npx maskwatch bench engines compares now',
  };
}
