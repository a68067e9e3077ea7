"""Fetches one message with poplib over TLS that is checked, and leaves it as it is. A connection cut short is an error."""
import poplib
import ssl
import sys

how, port, certificate, user, password = sys.argv[1:]

context = ssl.create_default_context(cafile=certificate)
if how == "pop3s":
    server = poplib.POP3_SSL("localhost", int(port), timeout=30, context=context)
else:
    server = poplib.POP3("localhost", int(port), timeout=30)
    assert "STLS" in server.capa(), "STLS is not announced"
    assert "USER" not in server.capa(), "USER is announced without TLS"
    server.stls(context=context)
assert "STLS" not in server.capa(), "STLS is announced, and there is TLS"
server.user(user)
server.pass_(password)
print(len(server.retr(1)[1]), server.sock.version())
server._shortcmd("QUIT")
# Without close_notify this raises: somebody could have cut the connection.
server.sock.suppress_ragged_eofs = False
assert server.sock.recv(1) == b"", "something comes after the answer to QUIT"
