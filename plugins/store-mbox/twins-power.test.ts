import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Random } from './commit/testing/random.ts';
import { MboxUnderTest } from './testing/mbox-under-test.ts';
import { MemorySpool } from './testing/memory-spool.ts';
import { letter } from './testing/sessions.ts';

const envelope = MboxUnderTest.envelopeOf(0);
const mail = (number: number, body?: string): string => `${envelope}${letter(number, body)}\n`;
const twin = mail(1);

/** What happens to a mailbox until the power goes. */
interface Story {
  readonly title: string;
  readonly content: string;
  /** Deleted in earlier sessions, one in each; undefined: there were none. */
  readonly before?: readonly number[];
  /** Mail that comes for the last session. */
  readonly late?: string;
  /** Deleted in the last session. */
  readonly deleted: readonly number[];
}

/** So much that a session writes down that it came. */
const long = mail(9, `${'x'.repeat(70)}\n`.repeat(4000));

const stories: readonly Story[] = [
  { title: 'the first of two is deleted', content: twin.repeat(2), before: [], deleted: [0] },
  { title: 'the middle one of three is deleted', content: twin.repeat(3), before: [], deleted: [1] },
  { title: 'one is deleted after another', content: twin.repeat(3), before: [0], deleted: [0] },
  { title: 'one is deleted in the first session of all', content: mail(2) + twin.repeat(2), deleted: [1] },
  {
    title: 'they came since the last session',
    content: mail(2),
    before: [],
    late: twin.repeat(2),
    deleted: [1],
  },
  { title: 'much comes behind what is left', content: twin.repeat(2), before: [0], late: long, deleted: [] },
];

/** Where the process dies, and with it the machine. */
interface Death {
  readonly step: number;
  /** What of the things that were not waited for is lost. */
  readonly seed: number;
  /** Nobody waits for the disk here. */
  readonly deafPoint?: string | undefined;
}

/** A spool in which all has happened but for the last session. */
async function spoolOf(story: Story, seed = 0, deafPoint?: string): Promise<MemorySpool> {
  const spool = new MemorySpool(new Random(seed), story.content);
  if (deafPoint !== undefined) spool.disk.deafPoints.add(deafPoint);
  for (const index of story.before ?? []) await spool.session([index]);
  if (story.before !== undefined) await spool.session();
  spool.deliver(story.late ?? '');
  return spool;
}

/** What was wrong after the power cut, or after another; `isOver` says that the last session came to its end before. */
async function fateOf(story: Story, listed: readonly string[], { step, seed, deafPoint }: Death) {
  const spool = await spoolOf(story, step * 1000 + seed, deafPoint);
  spool.disk.stepsToLive = step;
  const last = await spool.session(story.deleted).catch(() => undefined);
  const isOver = !spool.disk.dead;
  const kept = listed.filter((_, index) => !story.deleted.includes(index));
  for (const when of ['a power cut', 'another power cut']) {
    await spool.losePower();
    const { uids } = await spool.session();
    const isUndone = last?.isAnswered !== true && uids.length === listed.length;
    if (uids.join() !== (isUndone ? listed : kept).join())
      return { isOver, wrong: `${when} at step ${step}` };
  }
  return { isOver, wrong: undefined };
}

/** Lets the power go at each step of the last session, and when it is over; answers what was wrong first. */
async function firstWrong(story: Story, deafPoint?: string): Promise<string | undefined> {
  const { uids } = await (await spoolOf(story)).session();
  for (let step = 0; ; step += 1) {
    let isOver = false;
    for (let seed = 0; seed < 6; seed += 1) {
      const fate = await fateOf(story, uids, { step, seed, deafPoint });
      if (fate.wrong !== undefined) return fate.wrong;
      ({ isOver } = fate);
    }
    if (isOver) return undefined;
  }
}

describe('equal messages (M12) keep their uids wherever the power goes', () => {
  for (const story of stories) {
    it(`when ${story.title}`, async () => {
      assert.equal(await firstWrong(story), undefined);
    });
  }
});

describe('equal messages get those of others', () => {
  for (const point of ['index: what it says, before it has its name', 'index: its name']) {
    it(`without waiting for the disk at "${point}"`, async () => {
      const wrong: string[] = [];
      for (const story of stories) wrong.push((await firstWrong(story, point)) ?? '');
      assert.notEqual(wrong.join(''), '', 'nobody misses this fsync');
    });
  }
});
