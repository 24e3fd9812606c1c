import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DemoCamera } from '../../src/demo/demo-cameras.js';
import { openSimulatedCameras, type SimulatedCameras } from '../../src/demo/simulated-cameras.js';
import { findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { startCli } from './run-cli.js';

/** With what breaks addresses, shells and YAML. */
export const CREDENTIALS = { username: 'watch man', password: 'p@ss:/?#%2F&"w0rd' } as const;

/** A camera's entry in the configuration file; `url` and credentials are filled in. */
type CameraOverrides = Readonly<Record<string, unknown>>;

export interface BuildingOptions {
  readonly cameras: readonly DemoCamera[];
  /** Top-level keys of the configuration file. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Entries by camera id. */
  readonly overrides?: Readonly<Record<string, CameraOverrides>>;
}

/**
 * Simulated RTSP cameras in this process, and `maskwatch serve` in another that watches them, by a configuration
 * file like a user's: nothing between the camera and the client is replaced.
 */
export class WatchedBuilding {
  readonly #options: BuildingOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), 'maskwatch-e2e-'));
  readonly ffmpegPath: string;
  readonly #services: RunningService[] = [];
  readonly #overrides = new Map<string, CameraOverrides>();
  #simulated: SimulatedCameras | null = null;

  static async open(options: BuildingOptions): Promise<WatchedBuilding> {
    const building = new WatchedBuilding(options, (await findFfmpeg()).path);
    await building.openCameras();
    return building;
  }

  private constructor(options: BuildingOptions, ffmpegPath: string) {
    this.#options = options;
    this.ffmpegPath = ffmpegPath;
  }

  get simulated(): SimulatedCameras {
    if (!this.#simulated) throw new Error('the cameras are closed');
    return this.#simulated;
  }

  /** Changes a camera's entry for the services that are started from now on. */
  override(id: string, entry: CameraOverrides): void {
    this.#overrides.set(id, entry);
  }

  async openCameras(port?: number): Promise<void> {
    this.#simulated = await openSimulatedCameras({
      cameras: this.#options.cameras,
      ffmpegPath: this.ffmpegPath,
      credentials: CREDENTIALS,
      ...(port === undefined ? {} : { port }),
    });
  }

  /** The building's cameras go away all at once; returns the port that they had. */
  async closeCameras(): Promise<number> {
    const { port } = this.simulated.server;
    await this.simulated.close();
    this.#simulated = null;
    return port;
  }

  /** Position in a clip of what the camera sends just now, seconds; the clip loops. */
  clipSeconds(id: string, clipFrames: number): number {
    const stream = this.simulated.server.stats().streams.find(({ path }) => path === `/${id}`);
    return ((stream?.pictures ?? 0) % clipFrames) / 25;
  }

  /** Starts the command line's `serve`; resolves once it says that it is ready. `port` 0: a free one. */
  async startService(port = 0): Promise<RunningService> {
    const file = join(this.#folder, 'cameras.yaml');
    const cameras = this.simulated.cameras.map(({ id, name, url }) => ({
      ...{ id, name, url, username: CREDENTIALS.username, password: { env: 'E2E_CAMERA_PASSWORD' } },
      ...this.#options.overrides?.[id],
      ...this.#overrides.get(id),
    }));
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ ...this.#options.config, cameras }, null, 2));
    const child = startCli(['serve', '--config', file, '--port', String(port)], {
      env: { E2E_CAMERA_PASSWORD: CREDENTIALS.password, MASKWATCH_BUILD: 'never' },
    });
    const service = new RunningService(child);
    this.#services.push(service);
    await service.ready();
    return service;
  }

  async close(): Promise<void> {
    await Promise.all(this.#services.map((service) => service.stop()));
    await this.#simulated?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A `maskwatch serve` process. */
export class RunningService {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #url = '';
  #isToEnd = false;
  /** Everything that it wrote. */
  stdout = '';
  stderr = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'close');
    // Else a test would only see that nothing comes any more.
    child.once('close', (code, signal) => {
      if (!this.#isToEnd) console.error(`the service ended (${signal ?? code}): ${this.stderr.slice(-4000)}`);
    });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }

  async ready(): Promise<void> {
    const said = new Promise<void>((resolve) => {
      this.#child.stdout?.on('data', () => {
        if (this.stdout.includes('\n')) resolve();
      });
    });
    await Promise.race([said, this.#ended]);
    const line = this.stdout.split('\n')[0] ?? '';
    if (!line) throw new Error(`the service did not start: ${this.stderr}`);
    this.#url = (JSON.parse(line) as { url: string }).url;
  }

  get url(): string {
    return this.#url;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Process ids of its ffmpegs: of one camera, or of all. */
  ffmpegPids(cameraId?: string): number[] {
    return childrenOf(this.pid).filter((pid) => {
      const command = commandOf(pid);
      return command.includes('ffmpeg') && (cameraId === undefined || command.includes(`/${cameraId}\0`));
    });
  }

  async text(path: string): Promise<{ status: number; body: string }> {
    const response = await fetch(`${this.#url}${path}`);
    return { status: response.status, body: await response.text() };
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<{ code: number | null; signal: string | null }> {
    this.#isToEnd = true;
    this.#child.kill(signal);
    await this.#ended;
    return { code: this.#child.exitCode, signal: this.#child.signalCode };
  }
}

/** Linux: living processes whose parent is `pid`. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The name in brackets may hold anything; what follows the last bracket is state and parent.
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(parent) === pid && state !== 'Z' ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
