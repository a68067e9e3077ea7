/**
 * A message came to fewer octets than the client was told. It has been left without its final dot, which is the only
 * sign by which a client can tell: whoever sent it sends nothing more and closes the connection.
 */
export class TornMessage extends Error {
  readonly promisedOctets: number;
  readonly sentOctets: number;

  constructor(promisedOctets: number, sentOctets: number) {
    super(`a message of ${promisedOctets} octets ended after ${sentOctets}`);
    this.name = 'TornMessage';
    this.promisedOctets = promisedOctets;
    this.sentOctets = sentOctets;
  }
}
