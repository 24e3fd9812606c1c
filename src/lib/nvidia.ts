import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the kernel's driver tells of NVIDIA GPUs; nothing is run and no library is loaded for it. */
export interface NvidiaGpus {
  /** Whether a driver is loaded, or Windows lends its own (WSL). */
  readonly isPresent: boolean;
  /** Of the driver, e.g. `550.54.15`; null when unknown. */
  readonly driverVersion: string | null;
  /** One per GPU, e.g. `NVIDIA L4`; empty where the driver hides them (containers, WSL). */
  readonly names: readonly string[];
}

/** Linux only; elsewhere, and without a driver, none is present. `root` for tests. */
export function readNvidiaGpus(root = '/'): NvidiaGpus {
  const driver = readText(join(root, 'proc/driver/nvidia/version'));
  const isLent = existsSync(join(root, 'dev/dxg')) && existsSync(join(root, 'usr/lib/wsl/lib/libcuda.so.1'));
  const isPresent = driver !== null || existsSync(join(root, 'dev/nvidiactl')) || isLent;
  const gpuFolder = join(root, 'proc/driver/nvidia/gpus');
  const names = listFolder(gpuFolder).flatMap((bus) => {
    const text = readText(join(gpuFolder, bus, 'information'));
    return /^Model:\s*(.+?)\s*$/m.exec(text ?? '')?.[1] ?? [];
  });
  return {
    isPresent,
    driverVersion: /\b(\d{3,}\.\d+(?:\.\d+)?)\b/.exec(driver ?? '')?.[1] ?? null,
    names: names.sort(),
  };
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
