import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readNvidiaGpus } from '../../../src/lib/nvidia.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'maskwatch-nvidia-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text = ''): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

it('reads version and names as the driver writes them', () => {
  write(
    'proc/driver/nvidia/version',
    'NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\nGCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n',
  );
  write('proc/driver/nvidia/gpus/0000:01:00.0/information', 'Model: \t\t NVIDIA T4\nIRQ:   \t\t 16\n');
  write('proc/driver/nvidia/gpus/0000:0a:00.0/information', 'Model: \t\t NVIDIA L4\nIRQ:   \t\t 17\n');
  expect(readNvidiaGpus(root)).toEqual({
    isPresent: true,
    driverVersion: '550.54.15',
    names: ['NVIDIA L4', 'NVIDIA T4'],
  });
});

it('reads the version of the open kernel module', () => {
  write(
    'proc/driver/nvidia/version',
    'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build  (dvs-builder)\n',
  );
  expect(readNvidiaGpus(root).driverVersion).toBe('570.124.06');
});

it('leaves out a GPU that gives no model, and a version that is none', () => {
  write('proc/driver/nvidia/version', 'NVRM version: unknown\n');
  write('proc/driver/nvidia/gpus/0000:01:00.0/information', 'IRQ: 16\n');
  mkdirSync(join(root, 'proc/driver/nvidia/gpus/0000:02:00.0'));
  expect(readNvidiaGpus(root)).toEqual({ isPresent: true, driverVersion: null, names: [] });
});

it('takes a device in a container for a GPU without a name', () => {
  write('dev/nvidiactl');
  expect(readNvidiaGpus(root)).toEqual({ isPresent: true, driverVersion: null, names: [] });
});

it('takes the driver that Windows lends, but not its device alone', () => {
  write('dev/dxg');
  expect(readNvidiaGpus(root).isPresent).toBe(false);
  write('usr/lib/wsl/lib/libcuda.so.1');
  expect(readNvidiaGpus(root).isPresent).toBe(true);
});

it('finds none where there is none', () => {
  expect(readNvidiaGpus(root)).toEqual({ isPresent: false, driverVersion: null, names: [] });
});
