import type { StandardSchemaV1 } from '@standard-schema/spec';

import type { Session } from '../session/session.ts';
import { checkWith } from './schema.ts';
import { Table } from './table.ts';

/** JSON values by the facts' names, as a ticket carries them from one process to the next. */
export type CarriedFacts = Readonly<Record<string, unknown>>;

/** Something that outlives the login: set before it, read after it, typed where it is read. */
export interface Fact<T> {
  /** Throws where the value does not fit the schema. */
  set(session: Session, value: T): void;
  get(session: Session): T | undefined;
}

/** What must survive the login, declared by name: nothing else a plugin keeps for a session crosses that line. */
export class FactTable {
  readonly #schemas = new Table<StandardSchemaV1>('fact');
  readonly #values = new WeakMap<Session, Map<string, unknown>>();

  declare<Schema extends StandardSchemaV1>(
    definition: { readonly name: string; readonly schema: Schema },
    owner: string,
  ): Fact<StandardSchemaV1.InferOutput<Schema>> {
    const { name, schema } = definition;
    this.#schemas.add(name, schema, owner);
    return {
      set: (session, value) => this.#valuesOf(session).set(name, checkWith(schema, value, `fact ${name}`)),
      // A fact came through `set` or `restore`, which checked it; this reads it back typed.
      get: (session) => {
        const value = this.#values.get(session)?.get(name);
        return value === undefined ? undefined : checkWith(schema, value, `fact ${name}`);
      },
    };
  }

  collect(session: Session): CarriedFacts {
    return Object.fromEntries(this.#values.get(session) ?? []);
  }

  /** Refuses facts that nobody declared and values that do not fit: they come from outside this process. */
  restore(session: Session, carried: CarriedFacts): void {
    for (const [name, value] of Object.entries(carried)) {
      const schema = this.#schemas.get(name);
      if (schema === undefined) throw new TypeError(`nobody declared the fact ${name}`);
      this.#valuesOf(session).set(name, checkWith(schema, value, `fact ${name}`));
    }
  }

  freeze(): void {
    this.#schemas.freeze();
  }

  #valuesOf(session: Session): Map<string, unknown> {
    const known = this.#values.get(session);
    if (known) return known;
    const values = new Map<string, unknown>();
    this.#values.set(session, values);
    return values;
  }
}
