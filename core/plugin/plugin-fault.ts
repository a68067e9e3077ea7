/** A plugin broke its contract: threw, hung, or answered nonsense. Names the plugin and where it was, for the log. */
export class PluginFault extends Error {
  /** `where` is a hook or a command: `hook connect`, `command X-USAGE`. */
  constructor(plugin: string, where: string, options: { readonly what: string; readonly cause?: unknown }) {
    super(`plugin ${plugin}, ${where}: ${options.what}`, { cause: options.cause });
    this.name = 'PluginFault';
  }
}
