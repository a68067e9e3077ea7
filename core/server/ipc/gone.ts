/** An end of a channel to another process. */
interface End {
  readonly connected: boolean;
  on(event: 'disconnect', gone: () => void): unknown;
}

/** Resolves when the process at the other end is gone, which may have been before anybody asked. */
export const goneOf = (end: End): Promise<void> =>
  new Promise((resolve) => {
    end.on('disconnect', resolve);
    if (!end.connected) resolve();
  });
