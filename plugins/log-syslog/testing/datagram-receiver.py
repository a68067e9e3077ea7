"""A unix datagram socket as a syslog has one: prints each message as a line of JSON.

datagram-receiver.py PATH SLEEP: reads nothing for the first SLEEP seconds.
"""

import json
import socket
import sys
import time

receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print(json.dumps("bound"), flush=True)
time.sleep(float(sys.argv[2]))
while True:
    print(json.dumps(receiver.recv(65536).decode()), flush=True)
