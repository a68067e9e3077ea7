const placeholder = /\{[^}]*\}/g;
const placeholders = new Set(['{user}', '{local}', '{domain}']);

/** Whether a template can make home folders: absolute, no "..", and only placeholders that are known. */
export function validHome(template: string): boolean {
  const isPlain = !template.includes('\0') && !template.split('/').includes('..');
  return (
    template.startsWith('/') &&
    isPlain &&
    (template.match(placeholder) ?? []).every((name) => placeholders.has(name))
  );
}

/** The user's home: {user} is the whole name, {local} what stands before the @, {domain} what stands after it. */
export function homeFrom(template: string, user: string): string {
  const [local = '', domain = ''] = user.split('@');
  const values = new Map([
    ['{user}', user],
    ['{local}', local],
    ['{domain}', domain],
  ]);
  // A valid user name has no slash and no two dots, so that it is one folder's name wherever it is put.
  return template.replace(placeholder, (name) => values.get(name) ?? '');
}
