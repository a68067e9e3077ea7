"""A unix datagram socket as a service manager has one: prints each message as a line of JSON, with who sent it and when.

datagram-reader.py ADDRESS SLEEP: an address with @ is abstract. Reads nothing for the first SLEEP seconds.
"""

import json
import os
import socket
import struct
import sys
import time

address = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
receiver.bind("\0" + address[1:] if address.startswith("@") else address)
print(json.dumps({"lines": ["bound"], "pid": os.getpid(), "us": 0}), flush=True)
time.sleep(float(sys.argv[2]))
while True:
    message, ancillary, _, _ = receiver.recvmsg(65536, socket.CMSG_SPACE(12))
    pid = struct.unpack("iII", ancillary[0][2])[0]
    us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    print(json.dumps({"lines": message.decode().split("\n"), "pid": pid, "us": us}), flush=True)
