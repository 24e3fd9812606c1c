import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { checkPlatform, readPlatform } from '../../src/setup/machine-check.js';
import {
  BINDING_PACKAGE,
  type PinnedWheel,
  type TensorFlowRelease,
  type TensorFlowVariant,
} from '../../src/setup/tensorflow-release.js';

/** Whether a set-up can run here at all. */
export function isPlatformFit(): boolean {
  try {
    checkPlatform(readPlatform());
    return true;
  } catch {
    return false;
  }
}

/** A zip archive, nothing compressed. */
export function zip(files: Readonly<Record<string, Buffer | string>>): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const [title, data] = [Buffer.from(name), Buffer.from(content)];
    // Version 2.0, no flags, stored, 1 January 1980, CRC, sizes, lengths of name and extra field (APPNOTE 4.3.7).
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(33, 8);
    facts.writeUInt32LE(crc32(data), 10);
    facts.writeUInt32LE(data.length, 14);
    facts.writeUInt32LE(data.length, 18);
    facts.writeUInt16LE(title.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), facts, title, data]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), facts, rest, title]));
    locals.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(locals.length, 4);
  end.writeUInt16LE(locals.length, 6);
  end.writeUInt32LE(Buffer.concat(directory).length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, ...directory, Buffer.from('PK\x05\x06'), end]);
}

/** A library and a binding of a few lines, which ask each other for the version as the real ones do. */
const LIBRARY = 'extern "C" const char* TF_Version() { return "9.9.9"; }\n';
const HEADER = 'extern "C" const char* TF_Version();\n';
const BINDING = `#include <node_api.h>
#include "tensorflow/c/c_api.h"
extern "C" __attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value version;
  napi_create_string_utf8(env, TF_Version(), NAPI_AUTO_LENGTH, &version);
  return version;
}
`;

/** Stands in for a C++ compiler where there is none: writes something to the file that it is to write. */
const STAND_IN = `#!/bin/sh
if [ "$1" = --version ]; then echo 'made-up compiler 1'; exit; fi
while [ $# -gt 1 ]; do
  if [ "$1" = -o ]; then echo binding >"$2"; exit; fi
  shift
done
exit 1
`;

/** A small TensorFlow to set up, with its npm package, in a folder of its own. */
export class MadeUpTensorFlow {
  readonly folder = mkdtempSync(join(tmpdir(), 'maskwatch-setup-'));
  readonly storeDir = join(this.folder, 'store');
  readonly packageDir = join(this.folder, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  /** Where the wheels lie. */
  readonly wheelDir = join(this.folder, 'wheels');
  readonly releases: Readonly<Record<TensorFlowVariant, TensorFlowRelease>>;
  /** Environment with a compiler that needs nothing. */
  readonly env: NodeJS.ProcessEnv;

  /** `isReal`: the libraries are made with the C++ compiler `g++` and can be loaded. */
  constructor(isReal = false) {
    mkdirSync(this.wheelDir);
    mkdirSync(join(this.packageDir, 'binding'), { recursive: true });
    this.writePackage({});
    this.writeSource(BINDING);
    const compiler = join(this.folder, 'compiler');
    writeFileSync(compiler, STAND_IN, { mode: 0o755 });
    this.env = { ...process.env, CXX: compiler };
    const library = (name: string) => (isReal ? this.#compile(name) : `made-up ${name}`);
    const main = (project: string) =>
      this.#wheel(project, {
        'tensorflow/libtensorflow_cc.so.2': library('libtensorflow_cc.so.2'),
        'tensorflow/libtensorflow_framework.so.2': library('libtensorflow_framework.so.2'),
        'tensorflow/include/tensorflow/c/c_api.h': HEADER,
        'tensorflow/python/not_needed.py': 'print()',
        'tensorflow/THIRD_PARTY_NOTICES.txt': 'notices',
      });
    this.releases = {
      cpu: { version: '9.9.9', variant: 'cpu', unpackedBytes: 1e6, wheels: [main('tensorflow-cpu')] },
      cuda: {
        version: '9.9.9',
        variant: 'cuda',
        unpackedBytes: 1e6,
        wheels: [
          main('tensorflow'),
          this.#wheel('nvidia-cudart-cu12', { 'nvidia/cudart/lib/libcudart.so.12': 'made-up' }),
        ],
      },
    };
  }

  path({ file }: PinnedWheel): string {
    return join(this.wheelDir, file);
  }

  wheels(variant: TensorFlowVariant = 'cpu'): string[] {
    return this.releases[variant].wheels.map((wheel) => this.path(wheel));
  }

  /** Changes the variant's first wheel by one byte, in a place that is no part of the archive's structure. */
  damage(variant: TensorFlowVariant = 'cpu'): void {
    const path = this.wheels(variant)[0]!;
    const bytes = readFileSync(path);
    bytes[bytes.indexOf('print()')] = 0;
    writeFileSync(path, bytes);
  }

  /** Releases whose wheel for CPUs, now `content`, is pinned as it is. */
  pinned(content: string): Readonly<Record<TensorFlowVariant, TensorFlowRelease>> {
    const { cpu } = this.releases;
    writeFileSync(this.wheels()[0]!, content);
    const wheels = [{ ...cpu.wheels[0]!, sizeBytes: content.length, sha256: sha256(content) }];
    return { ...this.releases, cpu: { ...cpu, wheels } };
  }

  writePackage(more: object): void {
    const { name, version } = BINDING_PACKAGE;
    writeFileSync(join(this.packageDir, 'package.json'), JSON.stringify({ name, version, ...more }));
  }

  /** What the binding is compiled from. */
  writeSource(text: string): void {
    writeFileSync(join(this.packageDir, 'binding', 'binding.cc'), text);
  }

  /** Folders of the package that are links, or links to nowhere. */
  links(): string[] {
    return ['lib', 'deps'].filter((name) =>
      lstatSync(join(this.packageDir, name), { throwIfNoEntry: false })?.isSymbolicLink(),
    );
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #wheel(project: string, files: Record<string, Buffer | string>): PinnedWheel {
    const version = '9.9.9';
    const name = project.replaceAll('-', '_');
    const file = `${name}-${version}-cp311-cp311-manylinux_2_27_x86_64.whl`;
    const info = `${name}-${version}.dist-info`;
    const bytes = zip({
      ...files,
      [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${project}\nVersion: ${version}\n`,
      [`${info}/WHEEL`]:
        'Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-cp311-manylinux_2_27_x86_64\n',
      [`${info}/RECORD`]: '',
      [`${info}/LICENSE`]: 'made-up license',
    });
    writeFileSync(join(this.wheelDir, file), bytes);
    return { project, version, file, sizeBytes: bytes.length, sha256: sha256(bytes) };
  }

  #compile(name: string): Buffer {
    const [source, target] = [join(this.folder, 'library.cc'), join(this.folder, name)];
    writeFileSync(source, LIBRARY);
    execFileSync('g++', ['-shared', '-fPIC', `-Wl,-soname,${name}`, '-o', target, source]);
    return readFileSync(target);
  }
}

function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}
