import { existsSync } from 'node:fs';
import type { EngineQuestion } from '../../inference/choose-engine.js';
import { listCandidates } from '../../inference/choose-engine.js';
import type { EngineDevice } from '../../inference/engine.js';
import { providerLibrary } from '../../inference/engine-packages.js';
import { EngineProbe } from '../../inference/engine-probe.js';
import { type InstalledEngines, readInstalledEngines } from '../../inference/machine-facts.js';
import type { EngineName } from '../../inference/select-engine.js';
import { messageOf } from '../../lib/errors.js';
import { readNvidiaGpus } from '../../lib/nvidia.js';
import type { Finding } from './finding.js';

const GPU_GUIDE = 'see docs/gpu.md';
const SETUP = 'npx maskwatch setup tensorflow';

/**
 * Every engine of this machine, each started with the product's own models in a process of its own: a library that does
 * not fit may end that process, and is then a finding like any other. Rejects with the signal's reason alone.
 */
export async function engineFindings(question: EngineQuestion, signal: AbortSignal): Promise<Finding[]> {
  const installed = readInstalledEngines();
  const findings: Finding[] = [gpuFinding()];
  const tried = new Set<string>();
  for (const { engine, device } of [
    ...listCandidates(installed, 'auto'),
    ...(installed.hasTensorRtProvider ? [{ engine: 'onnxruntime', device: 'tensorrt' } as const] : []),
  ]) {
    tried.add(`${engine} ${device}`);
    findings.push(await start(question, engine, device, signal));
  }
  findings.push(...missing(installed, tried));
  const works = findings.some(({ name, state }) => state === 'ok' && name.startsWith('engine '));
  return works ? findings.map(tolerable) : findings;
}

/** With another engine that works, one that does not is a loss of speed, not a stop. */
function tolerable(finding: Finding): Finding {
  return finding.state === 'problem' ? { ...finding, state: 'absent' } : finding;
}

function gpuFinding(): Finding {
  const { isPresent, driverVersion, names } = readNvidiaGpus();
  if (!isPresent)
    return {
      name: 'NVIDIA GPU',
      state: 'absent',
      detail: 'no driver is loaded: everything runs on the CPU',
      remedy: GPU_GUIDE,
    };
  const which = names.length > 0 ? names.join(', ') : 'the driver hides its name';
  return { name: 'NVIDIA GPU', state: 'ok', detail: `${which}; driver ${driverVersion ?? 'unknown'}` };
}

async function start(
  question: EngineQuestion,
  engine: EngineName,
  device: EngineDevice,
  signal: AbortSignal,
): Promise<Finding> {
  const name = `engine ${engine} (${device})`;
  const remedy = engine === 'onnxruntime' && device === 'cpu' ? 'npm ci' : GPU_GUIDE;
  const { detectorModelDir: modelDir, detectorWidth: widthPx, detectorHeight: heightPx } = question;
  try {
    const probe = await EngineProbe.open(
      {
        ...{ engine, device, threads: question.threads },
        detector: { modelDir, widthPx, heightPx },
        classifierDir: question.classifierModelDir,
      },
      signal,
    );
    await probe.close();
    const { version, reason, device: ranOn, shortfall } = probe.info;
    if (shortfall !== undefined) return { name, state: 'problem', detail: shortfall, remedy };
    const loaded = `version ${version} on ${ranOn}, loaded in ${(probe.loadMs / 1000).toFixed(1)} s`;
    return { name, state: 'ok', detail: `${loaded}; ${reason}` };
  } catch (error) {
    signal.throwIfAborted();
    return { name, state: 'problem', detail: messageOf(error).split('\n')[0]!, remedy };
  }
}

/** What is not even tried, because its library is not there. */
function missing(installed: InstalledEngines, tried: ReadonlySet<string>): Finding[] {
  const findings: Finding[] = [];
  if (installed.onnxruntime === null)
    findings.push({
      name: 'engine onnxruntime (cpu)',
      state: 'problem',
      detail: 'the package onnxruntime-node is not installed',
      remedy: 'npm ci',
    });
  for (const device of ['cuda', 'tensorrt'] as const) {
    const library = providerLibrary(device);
    if (tried.has(`onnxruntime ${device}`) || library === null || existsSync(library)) continue;
    findings.push({
      name: `engine onnxruntime (${device})`,
      state: 'absent',
      detail: `its library is not installed; it has to lie at ${library}`,
      remedy: GPU_GUIDE,
    });
  }
  if (installed.native === null)
    findings.push({
      name: 'engine tfjs (native TensorFlow)',
      state: 'absent',
      detail: 'its binding is not built: TensorFlow.js runs as WebAssembly, many times slower',
      remedy: SETUP,
    });
  return findings;
}
