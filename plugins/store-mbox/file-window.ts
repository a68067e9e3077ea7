import { type OpenFile, type Room, takeRoom } from './commit/index.ts';

/** Octets of a file that are in memory, from `start` on. Whoever gets them gives the room back. */
export interface ReadOctets {
  readonly room: Room;
  readonly start: number;
  readonly filledOctets: number;
}

/** All that a scan needs of a file. */
export type ReadableFile = Pick<OpenFile, 'read'>;

/** A part of a file in memory that moves up through it, slice by slice. Positions are octets from the file's start. */
export class FileWindow {
  readonly #file: ReadableFile;
  readonly #to: number;
  readonly #sliceOctets: number;
  readonly #room: Room;
  #start: number;
  #filledOctets = 0;

  /** Goes from `from` up to `to`; holds at least `keptOctets` and a slice, or all of it. */
  constructor(
    file: ReadableFile,
    range: { readonly from: number; readonly to: number },
    size: { readonly keptOctets: number; readonly sliceOctets: number },
  ) {
    this.#file = file;
    this.#start = range.from;
    this.#to = range.to;
    this.#sliceOctets = size.sliceOctets;
    const capacity = Math.min(size.keptOctets + 2 * size.sliceOctets, range.to - range.from);
    this.#room = takeRoom(capacity);
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#start + this.#filledOctets;
  }

  /** Nothing more will come. */
  get isComplete(): boolean {
    return this.end >= this.#to;
  }

  /** Whether what is there from `position` on can be kept while another slice is read. */
  canKeepFrom(position: number): boolean {
    const wanted = Math.min(this.#sliceOctets, this.#to - this.end);
    return this.end - position + wanted <= this.#room.octets.length;
  }

  /** Forgets what lies before `position`, reads on, and answers what was read: none if the file is shorter. */
  async slide(position: number): Promise<Buffer> {
    this.#room.octets.copyWithin(0, position - this.#start, this.#filledOctets);
    this.#filledOctets -= position - this.#start;
    this.#start = position;
    const room = this.#room.octets.length - this.#filledOctets;
    const wanted = Math.min(this.#sliceOctets, this.#to - this.end, room);
    const target = this.#room.octets.subarray(this.#filledOctets, this.#filledOctets + wanted);
    const octets = await this.#file.read(target, this.end);
    this.#filledOctets += octets;
    return target.subarray(0, octets);
  }

  /** Valid until the window slides. */
  view(from: number, to: number): Buffer {
    return this.#room.octets.subarray(from - this.#start, to - this.#start);
  }

  /** The end: what there is belongs to the caller, and nothing that `view` gave may be used any more. */
  handOver(): ReadOctets {
    return { room: this.#room, start: this.#start, filledOctets: this.#filledOctets };
  }
}
