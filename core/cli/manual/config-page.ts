import { expectedAt } from '../../config/expected.ts';
import { systemFolder } from '../../config/locate-config.ts';
import { documentedKeys, type DocumentedKey } from './config-docs.ts';
import { list, lines, type Page, text } from './page.ts';

/** popper.config(5): every key, from its type and its schema. */
export const configPage = (): Page => ({
  name: 'popper.config',
  section: 5,
  summary: 'the configuration of popper',
  parts: [
    {
      heading: 'Description',
      blocks: [
        text(
          `One file says what popper serves: \`popper.config.ts\`, \`.js\`, \`.mjs\`, \`.json\`, \`.yaml\` or \`.yml\`, in the current directory or in \`${systemFolder}\`, or the one that \`popper -c\` names.`,
          'In TypeScript and JavaScript it imports plugins and exports what `defineConfig` gives, or a function of the command line that gives it. In JSON and YAML it names plugins.',
          'Relative paths are taken from its folder. `popper check` reports all that is wrong with it in one go.',
        ),
        lines(...example),
      ],
    },
    { heading: 'Keys', blocks: [list(documentedKeys().map(itemOf))] },
    {
      heading: 'Plugins',
      blocks: [
        text(
          'What a plugin takes stands in its README. `popper plugins` lists what a configuration adds up to.',
        ),
      ],
    },
    { heading: 'See also', blocks: [text('popper(8)')] },
  ],
});

const example = [
  "import authPasswd from 'popper-plugin-auth-passwd';",
  "import storeMbox from 'popper-plugin-store-mbox';",
  "import { defineConfig } from 'popperd';",
  '',
  'export default defineConfig(({ flags }) => ({',
  '  listen: [{ port: 110 }],',
  "  stateDir: '/var/lib/popper',",
  "  log: { level: flags.debug ? 'debug' : 'info' },",
  "  plugins: [authPasswd({ file: '/etc/popper/passwd' }), storeMbox({ spool: '/var/mail/{user}' })],",
  '}));',
];

const itemOf = ({ path, text: said }: DocumentedKey) => ({
  term: path.join('.'),
  text: [said, `Expected: ${expectedAt(path)}.`].filter((part) => part !== '').join(' '),
});
