import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CliResult, finished } from './run-cli.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Maskwatch with packages and models of its own, which a test may damage: the code is copied, packages are links but for
 * ONNX Runtime, whose files are hard links, so that what is put beside its libraries stays here.
 */
export class CopiedInstallation {
  readonly folder = mkdtempSync(join(tmpdir(), 'maskwatch-copied-'));

  constructor(options: { readonly models: readonly string[] }) {
    for (const name of ['src', 'workers', 'config', 'package.json', 'tsconfig.json'])
      cpSync(join(root, name), join(this.folder, name), { recursive: true });
    for (const name of options.models)
      cpSync(join(root, 'models', name), join(this.folder, 'models', name), { recursive: true });
    const packages = join(root, 'node_modules');
    for (const name of readdirSync(packages).filter((entry) => !entry.startsWith('.'))) {
      if (name === '@tensorflow')
        for (const part of readdirSync(join(packages, name)).filter((entry) => entry !== 'tfjs-node-gpu'))
          link(join(packages, name, part), join(this.folder, 'node_modules', name, part));
      else if (name === 'onnxruntime-node')
        hardLinkAll(join(packages, name), join(this.folder, 'node_modules', name));
      else link(join(packages, name), join(this.folder, 'node_modules', name));
    }
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  write(file: string, content: string | Uint8Array): void {
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), content);
  }

  remove(...parts: string[]): void {
    rmSync(this.path(...parts), { recursive: true });
  }

  run(args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> {
    return finished(this.#start(args, env));
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #start(args: readonly string[], env: Record<string, string>): ChildProcess {
    const script = this.path('src', 'main.ts');
    return spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: this.folder,
      env: { ...process.env, NODE_OPTIONS: '', XDG_CACHE_HOME: this.path('cache'), ...env },
    });
  }
}

function link(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  symlinkSync(from, to);
}

function hardLinkAll(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) hardLinkAll(source, target);
    // Another file system takes no hard links.
    else if (entry.isFile())
      try {
        linkSync(source, target);
      } catch {
        cpSync(source, target);
      }
  }
}
