import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** `refused`: nothing listens. `black_hole`: connections are taken, and that is all. `through`: the camera is there. */
export type PortState = 'refused' | 'black_hole' | 'through';

/** A port of loopback before a camera, which can die and come back as a camera behind a switch does. */
export class SwitchablePort {
  readonly #targetPort: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #state: PortState = 'refused';
  #port = 0;
  /** Connections that were taken. */
  connections = 0;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
  }

  static async open(targetPort: number, state: PortState): Promise<SwitchablePort> {
    const port = new SwitchablePort(targetPort);
    await port.#listen();
    await port.become(state);
    return port;
  }

  get port(): number {
    return this.#port;
  }

  async become(state: PortState): Promise<void> {
    this.#state = state;
    for (const socket of this.#sockets) socket.destroy();
    if (state === 'refused') await this.#stopListening();
    else if (!this.#server) await this.#listen();
  }

  async close(): Promise<void> {
    await this.become('refused');
  }

  async #listen(): Promise<void> {
    const server = createServer((client) => this.#take(client));
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async #stopListening(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = null;
    server.close();
    await once(server, 'close');
  }

  #take(client: Socket): void {
    this.connections += 1;
    this.#watch(client);
    if (this.#state !== 'through') {
      client.resume();
      return;
    }
    const target = connect({ host: '127.0.0.1', port: this.#targetPort });
    this.#watch(target);
    client.pipe(target).pipe(client);
    client.on('close', () => target.destroy());
    target.on('close', () => client.destroy());
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
