/**
 * So long a process may take to load its configuration, to redo what a dead one has left, and to start, in milliseconds; at a reload,
 * all that it begins with together.
 */
export const longestStartMs = 60_000;
