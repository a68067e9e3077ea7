/** A plugin broke a hook's contract: threw, hung, or answered nonsense. Names the plugin and the hook for the log. */
export class PluginFault extends Error {
  constructor(plugin: string, hook: string, options: { readonly what: string; readonly cause?: unknown }) {
    super(`plugin ${plugin}, hook ${hook}: ${options.what}`, { cause: options.cause });
    this.name = 'PluginFault';
  }
}
