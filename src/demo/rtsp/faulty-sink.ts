import { type Random, seededRandom } from '../../lib/random.js';
import type { AccessUnit } from './access-unit.js';
import type { CameraFault } from './faults.js';
import type { PacketSink } from './packet-sink.js';
import { RTP_HEADER_BYTES } from './rtp.js';

const DEFAULT_SEED = 1;

/** Way to a client on which the camera's present fault happens to packets. Without one it changes nothing. */
export class FaultySink implements PacketSink {
  readonly #inner: PacketSink;
  readonly #fault: () => CameraFault | null;
  readonly #onChanged: () => void;
  #random: Random = seededRandom(DEFAULT_SEED);
  #seededFor: CameraFault | null = null;

  constructor(options: {
    readonly inner: PacketSink;
    readonly fault: () => CameraFault | null;
    /** Called for each packet that was lost, moved or damaged. */
    readonly onChanged: () => void;
  }) {
    this.#inner = options.inner;
    this.#fault = options.fault;
    this.#onChanged = options.onChanged;
  }

  get queuedBytes(): number {
    return this.#inner.queuedBytes;
  }

  get sentBytes(): number {
    return this.#inner.sentBytes;
  }

  writeUnit(unit: AccessUnit, identity: { firstSequence: number; ssrc: number }): void {
    const fault = this.#fault();
    // Each time a fault begins its sequence of chances does.
    if (fault && fault !== this.#seededFor)
      this.#random = seededRandom('seed' in fault ? (fault.seed ?? DEFAULT_SEED) : DEFAULT_SEED);
    this.#seededFor = fault;
    if (fault?.kind === 'packet_loss') this.#writeSingly(unit, identity, this.#kept(unit, fault.share));
    else if (fault?.kind === 'reorder') this.#writeSingly(unit, identity, this.#moved(unit, fault.share));
    else this.#inner.writeUnit(fault?.kind === 'corrupt' ? this.#damaged(unit, fault.share) : unit, identity);
  }

  writeControl(rtcp: Buffer): void {
    this.#inner.writeControl(rtcp);
  }

  close(): void {
    this.#inner.close();
  }

  /** The packets of these places, each with the sequence number of its place. */
  #writeSingly(
    unit: AccessUnit,
    { firstSequence, ssrc }: { firstSequence: number; ssrc: number },
    places: readonly number[],
  ): void {
    for (const place of places) {
      const packet = unit.packets[place] as Buffer;
      this.#inner.writeUnit(
        { ...unit, packets: [packet], sizeBytes: packet.length },
        { firstSequence: (firstSequence + place) & 0xffff, ssrc },
      );
    }
  }

  #kept(unit: AccessUnit, share: number): number[] {
    return [...unit.packets.keys()].filter(() => {
      const isLost = this.#random.chance(share);
      if (isLost) this.#onChanged();
      return !isLost;
    });
  }

  #moved(unit: AccessUnit, share: number): number[] {
    const places = [...unit.packets.keys()];
    for (let i = 0; i + 1 < places.length; i++) {
      if (!this.#random.chance(share)) continue;
      [places[i], places[i + 1]] = [places[i + 1] as number, places[i] as number];
      this.#onChanged();
      i += 1;
    }
    return places;
  }

  #damaged(unit: AccessUnit, share: number): AccessUnit {
    const packets = unit.packets.map((packet) => {
      if (packet.length <= RTP_HEADER_BYTES + 4 || !this.#random.chance(share)) return packet;
      const copy = Buffer.from(packet);
      // Behind the payload's own header: the picture is to be damaged, not the packet to be thrown away.
      const at = RTP_HEADER_BYTES + 2 + this.#random.index(copy.length - RTP_HEADER_BYTES - 2);
      copy.writeUInt8(copy.readUInt8(at) ^ (1 << this.#random.index(8)), at);
      this.#onChanged();
      return copy;
    });
    return { ...unit, packets };
  }
}
