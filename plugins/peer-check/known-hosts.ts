import type { Finding } from './finding.ts';

export interface KnownHostsOptions {
  /** Milliseconds that a finding is believed. */
  readonly cacheMs: number;
  /** Addresses that are remembered; the one that was found longest ago goes first. */
  readonly cacheAddresses: number;
  /** Finds it; never rejects. */
  readonly lookUp: (address: string, signal: AbortSignal) => Promise<Finding>;
}

/** A name server that fails is asked again soon, but not by each client. */
const longestTemporaryMs = 10_000;
/** Addresses that are looked up at one time: more would only wait for the same name servers. */
const mostAtOnce = 100;

/** What was found of the addresses that came, so that name servers are asked once for many connections. */
export class KnownHosts {
  readonly #options: KnownHostsOptions;
  readonly #known = new Map<string, { readonly finding: Finding; readonly untilMs: number }>();
  readonly #asked = new Map<string, Promise<Finding>>();
  readonly #closing = new AbortController();

  constructor(options: KnownHostsOptions) {
    this.#options = options;
  }

  /** Undefined where too many are looked up already, or nobody waits for it any more. */
  async find(address: string): Promise<Finding | undefined> {
    const known = this.#known.get(address);
    if (known !== undefined && known.untilMs > performance.now()) return known.finding;
    const asked = this.#asked.get(address) ?? this.#ask(address);
    const finding = await asked;
    return this.#closing.signal.aborted ? undefined : finding;
  }

  /** Ends all lookups. */
  close(): void {
    this.#closing.abort();
  }

  #ask(address: string): Promise<Finding> | undefined {
    if (this.#asked.size >= mostAtOnce || this.#closing.signal.aborted) return undefined;
    const asked = this.#options.lookUp(address, this.#closing.signal).then((finding) => {
      this.#asked.delete(address);
      this.#remember(address, finding);
      return finding;
    });
    this.#asked.set(address, asked);
    return asked;
  }

  #remember(address: string, finding: Finding): void {
    const { cacheMs, cacheAddresses } = this.#options;
    const forMs = finding.isTemporary ? Math.min(cacheMs, longestTemporaryMs) : cacheMs;
    this.#known.delete(address);
    this.#known.set(address, { finding, untilMs: performance.now() + forMs });
    const [oldest] = this.#known.keys();
    if (this.#known.size > cacheAddresses && oldest !== undefined) this.#known.delete(oldest);
  }
}
