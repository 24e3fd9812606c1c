import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Debian's own Python: others do not see its bindings. */
const PYTHON = '/usr/bin/python3';
const PROGRAM = fileURLToPath(new URL('./gst-camera.py', import.meta.url));
const BINDINGS =
  "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer";

/** Whether GStreamer's RTSP server is installed. */
export function hasGstRtspServer(): boolean {
  try {
    execFileSync(PYTHON, ['-c', BINDINGS], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** GStreamer's RTSP server with one clip at `/cam`, in a process of its own. */
export class GstCamera {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  static async open(options: {
    readonly file: string;
    readonly codec: 'h264' | 'h265';
    readonly auth?: { readonly username: string; readonly password: string } | undefined;
  }): Promise<GstCamera> {
    const { file, codec, auth } = options;
    const credentials = auth ? [auth.username, auth.password] : [];
    const child = spawn(PYTHON, [PROGRAM, file, codec, ...credentials], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const ended = once(child, 'close').then(() => {
      throw new Error('the camera of GStreamer ended before it listened');
    });
    const [line] = (await Promise.race([once(child.stdout!, 'data'), ended])) as [Buffer];
    ended.catch(() => {});
    return new GstCamera(`rtsp://127.0.0.1:${Number(line.toString())}/cam`, child);
  }

  async close(): Promise<void> {
    const gone = once(this.child, 'close');
    this.child.stdin!.end();
    await gone;
  }
}
