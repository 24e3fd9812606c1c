import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A camera that sends JPEG pictures as `multipart/x-mixed-replace`, each when it is told to. */
export class MjpegServer {
  readonly #server: Server;
  readonly #pictures: readonly Buffer[];
  readonly #timers = new Set<NodeJS.Timeout>();

  private constructor(server: Server, pictures: readonly Buffer[]) {
    this.#server = server;
    this.#pictures = pictures;
  }

  /** @param options.credentials `user:password` that is asked for (basic), when given. */
  static async open(options: {
    clip: string;
    ffmpegPath: string;
    rateFps: number;
    credentials?: string;
  }): Promise<MjpegServer> {
    const folder = await mkdtemp(join(tmpdir(), 'maskwatch-mjpeg-'));
    await promisify(execFile)(options.ffmpegPath, [
      ...['-v', 'error', '-i', options.clip, '-q:v', '2'],
      join(folder, '%04d.jpg'),
    ]);
    const names = (await readdir(folder)).sort();
    const pictures = await Promise.all(names.map((name) => readFile(join(folder, name))));
    await rm(folder, { recursive: true });

    const server = createServer();
    const camera = new MjpegServer(server, pictures);
    const expected =
      options.credentials && `Basic ${Buffer.from(options.credentials, 'utf8').toString('base64')}`;
    server.on('request', (request, response) => {
      if (expected && request.headers.authorization !== expected) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="camera"' }).end();
        return;
      }
      response.writeHead(200, { 'content-type': 'multipart/x-mixed-replace; boundary=picture' });
      let index = 0;
      const timer = setInterval(() => {
        const picture = camera.#pictures[index++ % camera.#pictures.length]!;
        response.write(`--picture\r\nContent-Type: image/jpeg\r\nContent-Length: ${picture.length}\r\n\r\n`);
        response.write(picture);
        response.write('\r\n');
      }, 1000 / options.rateFps);
      camera.#timers.add(timer);
      response.on('close', () => {
        clearInterval(timer);
        camera.#timers.delete(timer);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return camera;
  }

  get url(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}/video.mjpg`;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
