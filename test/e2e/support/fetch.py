"""Fetches all mail of one user with poplib into numbered files, and deletes it where asked to."""
import poplib
import sys
from pathlib import Path

host, port, user, password, folder, what = sys.argv[1:]

server = poplib.POP3(host, int(port), timeout=30)
server.user(user)
server.pass_(password)
count, octets = server.stat()
fetched = 0
for number in range(1, count + 1):
    status, lines, length = server.retr(number)
    message = b"".join(line + b"\r\n" for line in lines)
    fetched += len(message)
    Path(folder, str(number)).write_bytes(message)
    top_status, top_lines, top_length = server.top(number, 1_000_000)
    assert top_lines == lines, f"TOP {number} and RETR {number} differ"
    if what == "delete":
        server.dele(number)
if fetched != octets:
    raise SystemExit(f"STAT promised {octets} octets, RETR gave {fetched}")
print(len(server.uidl()[1]))
server.quit()
