import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import { CrashSite, type Told } from './crash-site.ts';
import { deliver, isDotlocked } from './delivery.ts';
import { type Found, judge, type Sin, type Story } from './judge.ts';
import { letter, letters, patterns } from './letters.ts';
import type { Place } from './plan.ts';

/** One way to die. */
export interface Point {
  /** Of `patterns`; undefined: at the first login, where nothing is marked. */
  readonly pattern: string | undefined;
  /** The file-changing call to die at; undefined: the daemon is killed when the client has heard `+OK`. */
  readonly index: number | undefined;
  readonly place: Place;
  /** Whether the user was there before, so that an index lies in the state folder. */
  readonly isKnown: boolean;
  /** Who brings a letter between death and restart. */
  readonly agent: 'fcntl' | 'dotlock' | undefined;
  /** The restarted daemon dies, too: at these calls of its recovery, one start after the other. */
  readonly again: readonly number[];
}

/** What became of it. */
export interface Verdict {
  readonly point: Point;
  readonly sins: readonly (Sin | 'late' | 'blocks delivery')[];
  /** What was wrong when the maildrop was looked at after one more restart; empty if nothing was. */
  readonly afterwards: string[];
  readonly loginMs: number;
  /** Starts that died in recovery. */
  readonly diedAgain: number;
}

/** So soon a maildrop is open again when the daemon is. */
const usableMs = 2000;

/** Dies, restarts and looks, again and again, at one site. */
export class Lane {
  readonly site: CrashSite;
  #trials = 0;
  /** The maildrop of the last trial, which another restart must not change. */
  #settled: { readonly user: string; readonly found: Found; readonly afterwards: string[] } | undefined;

  private constructor(site: CrashSite) {
    this.site = site;
  }

  static async open(t: TestContext): Promise<Lane> {
    const site = await CrashSite.make(t);
    await site.restart();
    await site.reserved('first');
    return new Lane(site);
  }

  async try(point: Point): Promise<Verdict> {
    this.#trials += 1;
    const user = `user-${this.#trials}`;
    const marked = point.pattern === undefined ? [] : (patterns[point.pattern] ?? []);
    await this.site.put(user, letters);
    const told = await this.#die(point, user, marked);
    const late = letter(`late-${this.#trials}`, 900);
    const hurried = point.agent !== undefined && (await this.#deliver(user, late, point.agent));
    const diedAgain = await this.#dieAgain(point);
    await this.site.restart();
    const { listing, loginMs } = await this.site.look(user);
    const blocked = point.agent === 'dotlock' && !hurried && (await isDotlocked(this.site.mboxOf(user)));
    const delivered = hurried ? [late] : [];
    const found = { listing, mbox: await this.site.readMbox(user) };
    const story: Story = { ...told, letters, marked, delivered };
    await this.#checkSettled();
    const afterwards: string[] = [];
    this.#settled = { user, found, afterwards };
    return {
      point,
      loginMs,
      diedAgain,
      afterwards,
      sins: [
        ...judge(story, found),
        ...(loginMs > usableMs ? ['late' as const] : []),
        ...(blocked ? ['blocks delivery' as const] : []),
      ],
    };
  }

  /** The last maildrop is looked at after one more restart. */
  async close(): Promise<void> {
    await this.site.restart();
    await this.#checkSettled();
  }

  async #die(point: Point, user: string, marked: readonly number[]): Promise<Told> {
    const { index, place, pattern } = point;
    const moment = pattern === undefined ? ('login' as const) : ('update' as const);
    if (point.isKnown) await this.site.visit(user, []);
    // The calls of a process's first login are counted.
    if (moment === 'login') await this.site.restart();
    if (index !== undefined) await this.site.plan(user, { moment, fault: { kind: 'die', index, place } });
    if (moment === 'login') {
      assert.equal(await this.site.tryVisit(user), false, `died at call ${index} of a login`);
      return { uids: await this.#uidsOfTwin(), answer: undefined };
    }
    const told = await this.site.visit(user, marked);
    const expected = index === undefined ? '+OK bye' : undefined;
    assert.equal(told.answer, expected, `the answer where ${pattern} was to die at call ${index}`);
    return told;
  }

  /** Uids come from the mail alone, so another user's with the same mail has the same. */
  async #uidsOfTwin(): Promise<readonly string[]> {
    await this.site.restart();
    const user = `twin-${this.#trials}`;
    await this.site.put(user, letters);
    const { uids } = await this.site.visit(user, []);
    await this.site.remove(user);
    return uids;
  }

  async #dieAgain({ again }: Point): Promise<number> {
    let died = 0;
    for (const index of again) {
      await this.site.plan('recovery', { moment: 'recovery', fault: { kind: 'die', index, place: 'after' } });
      if (await this.site.startToDie()) died += 1;
    }
    return died;
  }

  #deliver(user: string, late: Buffer, agent: 'fcntl' | 'dotlock'): Promise<boolean> {
    return deliver(this.site.mboxOf(user), late, agent);
  }

  /** A restart later everything is as it was, and nothing is in the way of emptying the maildrop. */
  async #checkSettled(): Promise<void> {
    const { site } = this;
    if (this.#settled === undefined) return;
    const { user, found, afterwards } = this.#settled;
    const { listing } = await site.look(user);
    if (!isDeepStrictEqual(listing, found.listing))
      afterwards.push('a second restart changed messages or uids');
    if (!found.mbox.equals(await site.readMbox(user))) afterwards.push('it changed the mbox');
    const { answer } = await site.visit(user, [...listing.uids.keys()]);
    if (answer !== '+OK bye') afterwards.push(`what was left cannot be removed: ${answer}`);
    if ((await site.readMbox(user)).length > 0)
      afterwards.push('the mbox is not empty after all was removed');
    await site.remove(user);
    const left = (await readdir(site.spool)).filter((name) => name.includes(user));
    if (left.length > 0) afterwards.push(`left behind in the spool: ${left.join(' ')}`);
  }
}
