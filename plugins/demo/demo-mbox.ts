const from = 'popper <popper@localhost>';
const to = 'demo <demo@localhost>';

/** Three messages: a welcome, one whose lines begin with dots, one with an attachment. */
export function demoMbox(now: Date): string {
  return [welcome, dots, attachment].map((message, index) => entry(message, index + 1, now)).join('');
}

interface DemoMessage {
  readonly subject: string;
  readonly headers: readonly string[];
  readonly body: readonly string[];
}

const plainText = ['MIME-Version: 1.0', 'Content-Type: text/plain; charset=us-ascii'];

const welcome: DemoMessage = {
  subject: 'Welcome to popper',
  headers: plainText,
  body: [
    'Hello,',
    '',
    'this message lies in an mbox file and came to you by POP3. DELE it and QUIT, and it',
    'is gone from the file; hang up without QUIT, and it is still there.',
    '',
    'docs/guide/five-minutes.md goes on from here.',
  ],
};

const dots: DemoMessage = {
  subject: 'Lines that begin with a dot',
  headers: plainText,
  body: [
    'A lone dot ends a message in POP3, so a line that begins with one gets another on the way.',
    'What you see below has one, two and three, as in the file:',
    '.',
    '..',
    '...and a line that goes on after them.',
    '>From the quoting of mbox files a greater-than sign stays as it is stored.',
  ],
};

const boundary = '=-popper-demo';

const attachment: DemoMessage = {
  subject: 'A message with an attachment',
  headers: ['MIME-Version: 1.0', `Content-Type: multipart/mixed; boundary="${boundary}"`],
  body: [
    `--${boundary}`,
    'Content-Type: text/plain; charset=us-ascii',
    '',
    'The attachment is a picture of one red dot.',
    `--${boundary}`,
    'Content-Type: image/gif; name="dot.gif"',
    'Content-Disposition: attachment; filename="dot.gif"',
    'Content-Transfer-Encoding: base64',
    '',
    'R0lGODdhAQABAIABAP8AAP///ywAAAAAAQABAAACAkQBADs=',
    `--${boundary}--`,
  ],
};

function entry({ subject, headers, body }: DemoMessage, number: number, now: Date): string {
  const lines = [
    `From popper@localhost ${asctime(now)}`,
    `From: ${from}`,
    `To: ${to}`,
    `Subject: ${subject}`,
    `Date: ${now.toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${now.getTime()}.${number}@localhost>`,
    ...headers,
    '',
    ...body,
    '',
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** `Wed Nov 25 10:01:49 2026`, as an mbox's From_ line has it, in UTC. */
function asctime(date: Date): string {
  const [weekday = '', day = '', month = '', year = '', time = ''] = date.toUTCString().split(/,? /);
  return `${weekday} ${month} ${String(Number(day)).padStart(2)} ${time} ${year}`;
}
