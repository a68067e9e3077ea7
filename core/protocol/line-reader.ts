/** One command line as the client sent it, without its CRLF, or why it is not one. */
export type Line =
  | { readonly kind: 'line'; readonly text: string }
  /** Over the limit: its octets were dropped as they came (RFC 2449 section 4). */
  | { readonly kind: 'too long' }
  /** Holds a NUL, a bare CR, another control character or an octet above 0x7E (RFC 2449 section 3). */
  | { readonly kind: 'malformed' };
