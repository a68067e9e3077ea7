import { readFile } from 'node:fs/promises';

/** Users by their names, or the system's group of the same name. */
export type GroupRule = readonly string[] | 'system';

/** Who is asked about. */
export interface Member {
  readonly user: string;
  readonly gid: number;
}

/** Who the bulletins of a group are for. */
export class Groups {
  readonly #rules: ReadonlyMap<string, GroupRule> | undefined;
  readonly #groupFile: string;

  /** Without rules there are no groups, and whatever a name says is for everybody. `groupFile` is the system's group(5). */
  constructor(rules: Readonly<Record<string, GroupRule>> | undefined, groupFile: string) {
    this.#rules = rules && new Map(Object.entries(rules));
    this.#groupFile = groupFile;
  }

  get names(): readonly string[] {
    return [...(this.#rules?.keys() ?? [])];
  }

  /** Whether there is nobody who could be meant. */
  isUnknown(group: string | undefined): boolean {
    return this.#rules !== undefined && group !== undefined && !isAll(group) && !this.#rules.has(group);
  }

  /** Why nobody can tell who is in a group; undefined where that can be told. */
  async whyUnknown(group: string | undefined): Promise<string | undefined> {
    try {
      await this.has(group, nobody);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Throws an Error that says so where there is no such group. */
  async has(group: string | undefined, member: Member): Promise<boolean> {
    if (this.#rules === undefined || group === undefined || isAll(group)) return true;
    const rule = this.#rules.get(group);
    if (rule === undefined)
      throw new Error(`there is no group ${group}: name it in groups, or give the file another name`);
    return rule === 'system' ? this.#isInSystemGroup(group, member) : rule.includes(member.user);
  }

  async #isInSystemGroup(group: string, { user, gid }: Member): Promise<boolean> {
    const lines = (await readFile(this.#groupFile, 'latin1')).split('\n');
    const [, , id = '', members = ''] =
      lines.map((line) => line.split(':')).find(([name]) => name === group) ?? [];
    if (!/^\d+$/.test(id))
      throw new Error(`${this.#groupFile} has no group ${group}: groups says that it is the system's`);
    return Number(id) === gid || members.split(',').includes(user);
  }
}

const nobody: Member = { user: '', gid: -1 };

/** As in qpopper. */
const isAll = (group: string): boolean => group === 'ALL';
