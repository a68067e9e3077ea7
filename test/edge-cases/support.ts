import { memoryHost, memoryMaildrop, TestServer, type Client, type MemoryMaildrop } from 'popperd/testing';

/** What a client says to be logged in; the server's three answers are the first three lines it hears. */
export const login = ['USER mrose', 'PASS secret'] as const;
const loginLines = 3;

/** Logs in, says these lines and leaves. Gives what the server said after the login. */
export async function afterLogin(maildrop: MemoryMaildrop, lines: Client): Promise<readonly string[]> {
  const server = new TestServer([memoryHost(maildrop)]);
  return (await server.converse(withLogin(lines))).slice(loginLines);
}

export async function* withLogin(lines: Client): AsyncGenerator<string | Uint8Array> {
  yield* login;
  yield* lines;
}

/** What the server says to a client that has not logged in, without the greeting. */
export async function beforeLogin(lines: Client): Promise<readonly string[]> {
  const server = new TestServer([memoryHost(memoryMaildrop([]))]);
  return (await server.converse(lines)).slice(1);
}
