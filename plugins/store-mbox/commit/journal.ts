/** Where the journal of a mailbox lies; there is one exactly while recovery may have something to do. */
export declare function journalPathOf(folder: string, mailboxPath: string): string;
