// Opens a folder's mailbox, says so, and holds the session until it is killed: node hold-session.ts FOLDER
import { openBeside } from './disk-state.ts';

const [folder = ''] = process.argv.slice(2);
await openBeside(folder);
process.stdout.write('open\n');
process.stdin.resume();
